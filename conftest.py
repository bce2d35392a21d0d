"""Registers the recorder for every test under this folder."""

pytest_plugins = ["reports.recorder"]
