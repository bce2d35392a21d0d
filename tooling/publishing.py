"""Folders of results that are kept: made for one run, never written over."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

from tooling.trouble import Trouble

ROOT = Path(__file__).parent.parent


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


def checkout() -> dict[str, Any]:
    """The commit, and whether tracked files differ from it; asked before anything is written."""
    # untracked files don't count: what is published is one of them at first
    modified = bool(git("status", "--porcelain", "--untracked-files=no"))
    return {"commit": git("rev-parse", "HEAD"), "modified": modified}


def note(folder: Path, **facts: Any) -> None:
    """Writes what was run as the folder's `run.json`. Raises OSError."""
    (folder / "run.json").write_text(f"{json.dumps(facts, indent=1)}\n", encoding="utf-8")


def git(*words: str) -> str | None:
    """What git says of the suite's folder; None where there is no git or no repository."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
