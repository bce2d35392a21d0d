"""The conformance suite as a user runs it: a pytest of its own, judged by the report that it leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reports.reader import Report, read_report

ROOT = Path(__file__).parents[2]
CONFORMANCE = "suites/conformance"
#: seconds; the slowest takes a quarter of it on two cores
DEADLINE = 480


def run(subjects: str, stores: str, folder: Path, *arguments: str) -> tuple[int, Report]:
    """Runs the conformance suite for `subjects`; its exit code and its report."""
    report = folder / "report.jsonl"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    command += ["--subjects", subjects, "--stores", stores, "--report", str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE)
    assert report.exists(), f"no report:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.returncode, read_report(report)
