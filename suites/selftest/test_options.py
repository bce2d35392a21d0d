"""Options that name nothing, or nothing that exists, end the run in one clear line before it begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


@pytest.mark.parametrize("processes", ["0", "2"])
@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--stores=disk,dsik", "--stores: no store 'dsik': there are disk, moto, minio"),
        ("--stores=,", "--stores names nothing"),
        ("--subjects=refrence", "--subjects: no subject 'refrence': "),
        ("--subjects=README.md", "--subjects: no subject 'README.md': "),
        ("--deadline=0", "--deadline: must be more than 0 seconds"),
        ("--expectations=nope", "--expectations: no folder nope; 'none' means none at all"),
        ("--catalogue=nope", "nope: no *.toml file with requirements"),
    ],
)
def test_a_wrong_option_is_a_usage_error(tmp_path: Path, option: str, says: str, processes: str) -> None:
    words = [sys.executable, "-m", "pytest", "-n", processes, "suites/conformance/test_uri.py", option]
    report = tmp_path / "report.jsonl"
    done = subprocess.run(
        [*words, f"--report={report}"], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert not report.exists()
