"""`python -m tooling report`: the files it leaves and the lines it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.formats import FORMATS
from reports.model import Interruption, as_mapping
from suites.selftest.rendered import RECORDS, REPORT
from suites.selftest.test_reports import written
from tooling import report
from tooling.__main__ import main

ROOT = Path(__file__).resolve().parents[2]

START = "import runpy, sys; sys.path.insert(0, '.'); runpy.run_module('tooling', run_name='__main__')"
BARE = [sys.executable, "-I", "-S", "-c", START]
"""A Python without any installed package."""


def bare(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BARE, *command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return written(tmp_path, REPORT.header, *RECORDS, REPORT.footer)


def test_the_commands_names_are_the_formats() -> None:
    assert tuple(FORMATS) == report.NAMES


def test_all_forms_lie_beside_the_report(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(whole)]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in paths] == [
        "report.md",
        "report.html",
        "report.junit.xml",
        "report.parquet",
        "report.csv",
    ]
    assert all(path.parent == whole.parent and path.stat().st_size > 500 for path in paths)


def test_some_forms_elsewhere(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "place"
    assert main(["report", str(whole), "--to", "html, markdown,html", "--out", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.md"]
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert sorted(path.name for path in whole.parent.iterdir()) == ["report.jsonl"]


def interrupt(path: Path) -> None:
    """As if Ctrl-C had come just before the end."""
    lines = path.read_text().splitlines()[:-1]
    end = Interruption(by="SIGINT", counts={}, seconds=1.0, exit_code=2)
    path.write_text("\n".join([*lines, json.dumps(as_mapping(end))]) + "\n")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda path: path.unlink(), ["No such file", "tox -e conformance"]),
        (lambda path: path.write_text(""), ["ReportEmpty", "run the suite again"]),
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), ["ReportTruncated", "run the suite again"]),
        (interrupt, ["ReportInterrupted", "interrupted by SIGINT after", "run the suite again to its end"]),
        (lambda path: path.write_text(path.read_text().replace('"schema": 2', '"schema": 1')), ["schema 1"]),
        (lambda path: (path.unlink(), path.mkdir()), ["Is a directory", "name its report"]),
    ],
)
def test_an_unusable_report_is_one_line_and_a_remedy(
    whole: Path, capsys: pytest.CaptureFixture[str], edit: Callable[[Path], object], words: list[str]
) -> None:
    edit(whole)
    assert main(["report", str(whole)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    said, remedy = err.splitlines()
    assert said.startswith("report: ") and str(whole) in said
    assert remedy.startswith("  remedy: ")
    assert all(word in err for word in words), err


def test_what_cannot_be_written_is_said(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["report", str(whole), "--out", str(tmp_path / "file")]) == 1
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize("forms", ["pdf", "html,pdf", ",", ""])
def test_an_unknown_form_is_said_before_anything_is_written(
    whole: Path, capsys: pytest.CaptureFixture[str], forms: str
) -> None:
    assert main(["report", str(whole), "--to", forms]) == 1
    assert "markdown, html, junit, parquet, csv" in capsys.readouterr().err
    assert [path.name for path in whole.parent.iterdir()] == ["report.jsonl"]


@pytest.mark.parametrize("command", [["minio-image", "--help"], ["report", "--help"], ["--help"]])
def test_a_bare_python_gets_as_far_as_it_can(command: list[str]) -> None:
    """`minio-image` is called before anything is installed."""
    done = subprocess.run(
        [*BARE, *command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_suites_environment_the_remedy_is_said(whole: Path) -> None:
    done = bare("report", str(whole))
    assert done.returncode == 2
    assert "No module named" in done.stderr and "requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr
