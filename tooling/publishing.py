"""Folders of results that are kept: made for one run, never written over."""

from __future__ import annotations

import gzip
from pathlib import Path

from tooling.trouble import Trouble


def prepare(folder: Path | None) -> None:
    """Makes the folder before the hours that fill it. Raises Trouble: it isn't empty, or can't be made."""
    if folder is None:
        return
    remedy = "name a new folder for --publish"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # an empty one is what an interrupted run leaves
        if any(folder.iterdir()):
            raise Trouble(f"{folder} holds something", remedy, code=2)
    except OSError as error:
        raise Trouble(f"--publish: {error}", remedy, code=2) from error


def pack(report: Path, folder: Path) -> None:
    """Writes the report into the folder, compressed, under its name and `.gz`. Raises OSError."""
    # without a time of its own, the same report is the same file
    (folder / f"{report.name}.gz").write_bytes(gzip.compress(report.read_bytes(), mtime=0))
