"""How verdicts travel from where a check was judged to the process that writes the report.

Without pytest-xdist both are one process; with it, its workers judge and its controller writes.
"""

from __future__ import annotations

import json

import pytest

from reports.model import Verdict, VerdictRecord, as_mapping
from reports.run import Run

#: more processes than this make one store per process and no faster run
MOST_WORKERS = 8


def is_worker(config: pytest.Config) -> bool:
    """Whether this process only judges checks for another one."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether other processes judge the checks for this one."""
    return config.pluginmanager.has_plugin("dsession")


def pack(report: pytest.TestReport, record: VerdictRecord, run: Run) -> None:
    """Puts a finished check on pytest's report of its tear-down, as plain values that xdist can carry."""
    values = {
        "record": as_mapping(record),
        "subjects": run.subject_versions,
        "stores": run.store_versions,
    }
    report.__dict__["loadproof"] = json.loads(json.dumps(values))


class Keeper:
    """The plugin that takes verdicts in; registered in the process that writes the report."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds a finished check to the run; a failure that belongs to no check is counted."""
        if not self._run.active:
            return
        packed = getattr(report, "loadproof", None)
        if packed is not None:
            self._run.subject_versions.update(packed["subjects"])
            self._run.store_versions.update(packed["stores"])
            values = packed["record"]
            del values["kind"]
            self._run.add(VerdictRecord(**values | {"verdict": Verdict(values["verdict"])}))
        elif report.failed and not hasattr(report, "verdict"):
            self._run.other_failures += 1
