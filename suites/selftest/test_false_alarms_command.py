"""The command that repeats the suite keeps what it has done, ends what it began, and mixes no two series."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from reports.model import Verdict
from reports.reader import Report, ReportTruncated
from suites.selftest.made_report import record, report, write
from tooling import false_alarms
from tooling.__main__ import main
from tooling.repetitions import Folder, Plan, unpacked

GOOD = report([record("a", Verdict.PASS), record("b", Verdict.PASS)])
RED = report([record("b", Verdict.PASS), record("a", Verdict.FAIL)])


class Script:
    """In place of pytest: each run leaves the report that it is told to, or hangs where that is a text."""

    def __init__(self, folder: Path, runs: Sequence[Report | str | None]) -> None:
        self.folder = folder
        self.runs = list(runs)
        self.started: list[int] = []

    def command(self, plan: Plan, folder: Folder) -> list[str]:
        self.started.append(plan.number)
        made = self.runs[plan.number - 1]
        if isinstance(made, str):
            return [sys.executable, "-c", "import time; time.sleep(60)"]
        if made is None:
            return [sys.executable, "-c", "raise SystemExit(3)"]
        source = write(self.folder / f"made-{plan.number}.jsonl", made)
        code = "import shutil, sys; shutil.copyfile(*sys.argv[1:3]); sys.exit(int(sys.argv[3]))"
        target = folder.report_of(plan)
        return [sys.executable, "-c", code, str(source), str(target), str(made.footer.exit_code)]


def run(script: Script, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(false_alarms, "command", script.command)
    runs = ["--runs", str(len(script.runs)), "--out", str(script.folder / "out")]
    return main(["false-alarms", *runs, *words])


def test_a_flip_ends_the_command_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Script(tmp_path, [GOOD, RED, GOOD]), monkeypatch) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("flaky check: suites/conformance/test_uri.py::test_a[") for line in lines)
    assert lines[-1].startswith("false-alarms: red: 1 flaky verdict (reference 1) of 2 checks in 3 runs")


def test_what_is_published_is_all_and_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "published"
    monkeypatch.setattr(false_alarms, "git", lambda *words: "" if "status" in words else "1234")
    script = Script(tmp_path, [GOOD, GOOD])
    assert run(script, monkeypatch, "--publish", str(target)) == 0
    assert {path.name for path in target.iterdir()} == {
        *(f"run-0{number}{ending}" for number in (1, 2) for ending in (".json", ".jsonl.gz")),
        *("runs.csv", "flaky.csv", "sightings.csv", "summary.md"),
    }
    assert len(unpacked(target / "run-02.jsonl.gz").records) == 2
    assert run(script, monkeypatch, "--publish", str(target)) == 2


def test_runs_of_a_longer_series_are_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_alarms, "git", lambda *words: "" if "status" in words else "1234")
    script = Script(tmp_path, [GOOD, GOOD, GOOD])
    assert run(script, monkeypatch) == 0
    target = tmp_path / "published"
    del script.runs[2]
    assert run(script, monkeypatch, "--publish", str(target)) == 0
    assert {path.name.partition(".")[0] for path in target.glob("run-*")} == {"run-01", "run-02"}


def test_what_is_published_of_a_changed_checkout_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(false_alarms, "git", lambda *words: " M x" if "status" in words else "1234")
    words = ["--publish", str(tmp_path / "published")]
    assert run(Script(tmp_path, [GOOD, GOOD]), monkeypatch, *words) == 1
    assert "local changes in the checkout, in runs 1, 2" in capsys.readouterr().out


def test_a_cut_report_is_refused_by_the_name_that_it_is_kept_under(tmp_path: Path) -> None:
    path = tmp_path / "run-01.jsonl.gz"
    whole = write(tmp_path / "made.jsonl", GOOD).read_bytes()
    path.write_bytes(gzip.compress(b"".join(whole.splitlines(keepends=True)[:-1])))
    with pytest.raises(ReportTruncated, match="^run-01.jsonl.gz: no footer after 2 of 2 checks$"):
        unpacked(path)


def test_an_interrupted_series_keeps_its_runs_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script(tmp_path, [GOOD, "hangs", GOOD])

    def interrupt() -> None:
        while script.started != [1, 2]:
            time.sleep(0.05)
        time.sleep(0.3)
        subprocess.run(["kill", "-INT", str(os.getpid())], check=True)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert run(script, monkeypatch) == 130
    thread.join()
    assert "interrupted after 1 of 3 runs" in capsys.readouterr().out
    script.runs[1] = GOOD
    assert run(script, monkeypatch) == 0
    assert script.started == [1, 2, 2, 3]
    assert "1/3 seed 1, order 1001, load 0: kept from before" in capsys.readouterr().out


def test_a_run_that_crashed_stays_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(tmp_path, [GOOD, None])
    assert run(script, monkeypatch) == 1
    script.runs[1] = GOOD
    assert run(script, monkeypatch) == 1
    assert script.started == [1, 2]


def test_a_run_without_an_end_is_stopped_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Script(tmp_path, [GOOD, "hangs"]), monkeypatch, "--minutes", "0.05") == 1
    assert "no whole report: run 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--first-seed", "8"], "is of another series: seed is 1, here 8"),
        (["--", "-k", "other"], "is of another series: arguments is [], here ['-k', 'other']"),
        (["--", "--seed=4"], "--seed=4 is what the series sets itself"),
    ],
)
def test_runs_of_another_series_are_never_mixed_in(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = Script(tmp_path, [GOOD, GOOD])
    assert run(script, monkeypatch) == 0
    assert run(script, monkeypatch, *words) == 2
    assert said in capsys.readouterr().err


def test_two_real_runs_have_their_own_data_order_and_load(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--runs", "2", "-n", "1", "--subjects", "reference", "--stores", "disk", "--out", str(tmp_path)]
    files = ["suites/conformance/test_uri.py", "suites/conformance/test_listing.py"]
    chosen = [*files, "-k", "look_alikes or local_folders or test_sorted"]
    assert main(["false-alarms", *words, "--", *chosen]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.splitlines()[-1].startswith("false-alarms: green: 0 flaky verdicts")
    runs = pd.read_csv(tmp_path / "runs.csv")
    assert list(runs.load) == [0, 1]
    assert runs.order.nunique() == 2
    assert (runs.checks > 5).all()
    kept = [unpacked(tmp_path / f"run-0{number}.jsonl.gz") for number in (1, 2)]
    assert [one.header.seed for one in kept] == list(runs.seed)
    first, second = ([record.check for record in one.records] for one in kept)
    assert first != second and sorted(first) == sorted(second)
    plans = [
        json.loads((tmp_path / f"run-0{number}.json").read_text(encoding="utf-8"))["plan"]
        for number in (1, 2)
    ]
    assert [one["processes"] for one in plans] == [1, 2]
    assert gzip.decompress((tmp_path / "run-01.jsonl.gz").read_bytes()).endswith(b"}\n")
