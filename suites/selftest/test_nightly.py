"""A night: its verdict, what it is held against, and what stays in the history, whatever happens to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from reports.model import Verdict
from reports.reader import Report, read_report
from suites.selftest.conformance_session import PREAMBLE, REQUIREMENT
from suites.selftest.made_report import interrupted, record, report, write
from tooling import nightly
from tooling.__main__ import main
from tooling.trouble import Trouble

ROOT = Path(__file__).parents[2]
PASS, FAIL = Verdict.PASS, Verdict.FAIL
GOOD = report([record("one", PASS), record("two", PASS)])
NARROWED = report([record("one", PASS)], {"full": False})
DEADLINE = 180.0
"""Seconds; of a child that starts pytest on a busy machine."""


class Nights:
    """Nights with a run that is made up."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        self.folder = folder / "history"
        self.out = folder / "out"
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.output = ""

    def spend(self, made: Report | str | None, *options: str, code: int | None = None) -> int:
        """A night whose run leaves this report, text or nothing, and ends with `code`."""

        def execute(command: Sequence[str], seconds: float, lock: int) -> int:
            (path,) = [Path(word.partition("=")[2]) for word in command if word.startswith("--report=")]
            if isinstance(made, Report):
                write(path, made)
            elif made is not None:
                path.write_text(made)
            return code if code is not None else made.footer.exit_code if isinstance(made, Report) else 1

        return self.spend_by(execute, *options)

    def spend_by(self, execute: Callable[[Sequence[str], float, int], int], *options: str) -> int:
        self._monkeypatch.setattr(nightly, "execute", execute)
        exit_code = main(["nightly", "--history", str(self.folder), "--out", str(self.out), *options])
        self.output = self._capsys.readouterr().out
        return exit_code

    @property
    def last_line(self) -> str:
        return self.output.splitlines()[-1]

    @property
    def verdicts(self) -> list[str]:
        """Of the kept files, by time: "green.jsonl", "green.txt"…"""
        names = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        return [name.partition("Z-")[2] for name in names]


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nights:
    return Nights(tmp_path, monkeypatch, capsys)


def test_the_first_night_says_so_and_the_second_has_a_predecessor(nights: Nights) -> None:
    assert nights.spend(GOOD) == 0
    assert nights.last_line.startswith(
        "nightly: green: 2 checks, 2 PASS; the first night, nothing to compare with ["
    )
    assert nights.spend(GOOD) == 0
    assert "; nothing got worse: no check changed of 2 compared since 20" in nights.last_line
    assert nights.verdicts == ["green.jsonl", "green.txt"] * 2
    texts = sorted(nights.folder.glob("*.txt"))
    assert texts[-1].read_text().splitlines()[-1] == nights.last_line
    assert texts[-1].stem in nights.last_line


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (report([record("one", PASS)]), "worse: 1 vanished of 2 compared since"),
        (
            report([record("one", PASS), record("two", Verdict.NOT_RUN)]),
            "worse: 1 newly NOT-RUN of 2 compared",
        ),
        (report([record("one", PASS), record("two", Verdict.UNSUPPORTED)]), "worse: 1 newly UNSUPPORTED of"),
        (
            report([record("one", PASS), record("two", FAIL)]),
            "1 checks are red; worse: 1 regressed of 2 compared",
        ),
        (report([record("one", PASS), record("two", FAIL, level="SHOULD")]), "red: worse: 1 regressed of 2"),
        (report([*GOOD.records], seed=6), "OLD's seed is 5, NEW's 6; another scope needs another --history"),
        (report([*GOOD.records], stores=("moto",)), "NEW was run without the store disk"),
        (NARROWED, "a narrowed run: pytest's arguments left checks out"),
    ],
)
def test_what_got_worse_or_was_not_asked_for_is_red_and_no_baseline(
    nights: Nights, made: Report, said: str
) -> None:
    assert nights.spend(GOOD) == 0
    for _ in range(2):  # the second time it is held against the good night as well
        assert nights.spend(made) == 1
        assert nights.last_line.startswith("nightly: red: ")
        assert said in nights.last_line
    assert nights.verdicts == ["green.jsonl", "green.txt", *["red.jsonl", "red.txt"] * 2]
    assert nights.spend(GOOD) == 0
    assert nights.spend(made, "--new-baseline") == int(
        made is NARROWED or any(one.verdict is FAIL and one.level == "MUST" for one in made.records)
    )


def test_a_change_that_was_intended_becomes_the_baseline(nights: Nights) -> None:
    fewer = report([record("one", PASS)])
    assert nights.spend(GOOD) == 0
    assert nights.spend(fewer, "--new-baseline") == 0
    assert "a new baseline, worse: 1 vanished of 2 compared since" in nights.last_line
    assert nights.spend(fewer) == 0


def test_a_newly_recorded_failure_and_a_wider_night_are_green_and_shown(nights: Nights) -> None:
    assert nights.spend(GOOD) == 0
    known = [record("one", PASS), record("two", Verdict.KNOWN_FAIL), record("one", PASS, store="moto")]
    assert nights.spend(report(known, stores=("disk", "moto"))) == 0
    assert "nothing got worse: 1 newly KNOWN-FAIL, 1 new of 3 compared" in nights.last_line
    assert "newly KNOWN-FAIL (1 check): somebody recorded this failure" in nights.output


@pytest.mark.parametrize(
    ("made", "code", "said"),
    [
        (None, 4, "pytest ended with exit code 4 (a usage error); no report was written"),
        (None, -9, "pytest was killed by signal 9; no report was written"),
        ("", 3, "pytest ended with exit code 3 (an internal error); the report: empty"),
        ('{"kind": "hea', 2, "pytest ended with exit code 2 (interrupted); the report: line 1 is cut"),
        (
            interrupted(GOOD),
            2,
            "pytest ended with exit code 2 (interrupted); the report: interrupted by SIGINT after "
            "2 of 2 checks",
        ),
        (GOOD, 3, "pytest ended with exit code 3 (an internal error)"),
        (GOOD, 1, "pytest ended with exit code 1, and its report says 0"),
        (report([]), 1, "empty run"),
    ],
)
def test_a_night_that_crashed_or_is_truncated_is_red(
    nights: Nights, made: Report | str | None, code: int, said: str
) -> None:
    assert nights.spend(made, code=code) == 1
    assert nights.last_line.startswith(f"nightly: red: {said} [20")
    assert nights.verdicts == (["red.jsonl"] if made is not None else []) + ["red.txt"]


def test_the_report_is_shown_and_never_that_of_an_earlier_night(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["nightly.html", "nightly.junit.xml", "nightly.md"]
    assert nights.spend(GOOD) == 0
    assert sorted(path.name for path in nights.out.iterdir()) == names
    assert nights.spend(None) == 1
    assert list(nights.out.iterdir()) == []

    def stumble(*_: object) -> Path:
        raise RuntimeError("no such colour")

    monkeypatch.setattr("reports.formats.write", stumble)
    assert nights.spend(GOOD) == 1
    assert "red: the report can't be shown: RuntimeError: no such colour [20" in nights.last_line


def test_a_mistake_of_the_nightly_itself_ends_in_a_red_line(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "judge", lambda *_, **__: 1 / 0)
    assert nights.spend(GOOD) == 1
    assert nights.last_line == "nightly: red: ZeroDivisionError in the nightly itself, see above"
    monkeypatch.undo()
    assert nights.verdicts == ["running.jsonl"]  # which the next night finds


def test_a_truncated_report_is_kept_as_it_was(nights: Nights) -> None:
    text = (write(nights.folder.parent / "whole.jsonl", GOOD)).read_text()
    cut = text[: len(text) // 2]
    assert nights.spend(cut, code=0) == 1
    (kept,) = nights.folder.glob("*.jsonl")
    assert kept.read_text() == cut


@pytest.mark.parametrize(
    ("error", "said"), [(KeyboardInterrupt(), "interrupted"), (Trouble("it hung", "x"), "it hung")]
)
def test_an_interrupted_night_is_red_and_kept(nights: Nights, error: BaseException, said: str) -> None:
    def execute(command: Sequence[str], seconds: float, lock: int) -> int:
        raise error

    assert nights.spend_by(execute) == 1
    assert nights.last_line.startswith(f"nightly: red: {said} [20")


def test_a_night_that_died_is_red_from_the_next_one_on(nights: Nights) -> None:
    assert nights.spend(GOOD) == 0
    (nights.folder / "2025-01-01T020000Z-running.jsonl").write_text("{")
    assert nights.spend(GOOD) == 0
    dead = nights.folder / "2025-01-01T020000Z-red"
    assert dead.with_suffix(".jsonl").read_text() == "{"
    assert "died before its end" in dead.with_suffix(".txt").read_text()


def test_a_green_night_that_cant_be_read_is_passed_over_but_not_in_silence(nights: Nights) -> None:
    assert nights.spend(GOOD) == 0
    write(
        nights.folder / "2999-01-01T020000Z-green.jsonl", report([record("one", FAIL), record("two", PASS)])
    )
    (nights.folder / "2999-01-02T020000Z-green.jsonl").write_text("{")
    assert nights.spend(report([record("one", PASS)])) == 1
    assert "1 vanished of 2 compared since 20" in nights.last_line
    assert nights.output.count("passed over, since it can't be used") == 2
    for path in nights.folder.glob("*-green.jsonl"):
        path.write_text("{")
    assert nights.spend(GOOD) == 1
    assert "no green night of the history can be read" in nights.last_line
    assert nights.spend(GOOD, "--new-baseline") == 0


def test_the_history_is_bounded_and_keeps_the_last_good_night(nights: Nights) -> None:
    assert nights.spend(GOOD) == 0
    (nights.folder / "notes.txt").write_text("of a person")
    for _ in range(4):
        assert nights.spend(report([record("one", PASS)]), "--keep", "2") == 1
    assert nights.verdicts[1:] == ["green.txt", "red.jsonl", "red.txt", "red.jsonl", "red.txt", ""]
    assert nights.spend(GOOD, "--keep", "1") == 0
    assert nights.verdicts == ["green.jsonl", "green.txt", ""]


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_keeping_no_night_is_refused(number: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["nightly", "--keep", number])
    assert caught.value.code == 2


def test_a_report_of_ones_own_and_a_history_that_cant_be_are_one_red_line(
    nights: Nights, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nights.spend(GOOD, "--", "--report=x") == 1
    assert nights.output == (
        "nightly: red: the night's report belongs into the history; remedy: leave --report out\n"
    )
    (tmp_path / "file").write_text("")
    assert main(["nightly", "--history", str(tmp_path / "file")]) == 1
    assert "file can't be used" in capsys.readouterr().out


TESTS = """
import os, time

@requirement("X-001")
def test_quick(check):
    check.equal(expected=1, actual=int(os.environ.get("ANSWER", "1")), what="the answer")
    if "HANG" in os.environ:
        open("hanging", "w").close()
        time.sleep(600)

@pytest.mark.long
@requirement("X-002")
def test_long(check, examples):
    check.equal(expected=50, actual=examples(3, 50), what="the cases")
"""
STUB = "-n0 -q -p reports.recorder --catalogue rules --expectations known --subjects reference --stores disk"


@pytest.fixture
def stub(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a night of a tiny suite in a folder of its own."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "known").mkdir()
    rules = [REQUIREMENT.format(id=one, level="MUST", stores='["disk"]') for one in ("X-001", "X-002")]
    (tmp_path / "rules" / "x.toml").write_text('area = "X"\ntitle = "x"\n' + "".join(rules))
    (tmp_path / "suites" / "conformance").mkdir(parents=True)
    (tmp_path / "suites" / "conformance" / "test_x.py").write_text(PREAMBLE + TESTS)

    def start(*options: str, more: Sequence[str] = (), **environment: str) -> subprocess.Popen[str]:
        words = [*options, "--history", "history", "--", *STUB.split(), *more, "suites/conformance"]
        return subprocess.Popen(
            [sys.executable, "-m", "tooling", "nightly", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            text=True,
            # as in the background of a shell: the night listens all the same
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )

    return start


def ended(night: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and last line."""
    output, _ = night.communicate(timeout=DEADLINE)
    return night.returncode, output.splitlines()[-1]


def test_a_real_night_runs_the_long_tier_and_notices_a_regression(
    stub: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    code, line = ended(stub())
    assert (code, line.partition(" [")[0]) == (
        0,
        "nightly: green: 2 checks, 2 PASS; the first night, nothing to compare with",
    )
    (kept,) = (tmp_path / "history").glob("*-green.jsonl")
    assert read_report(kept).header.configuration["tier"] == "long"
    code, line = ended(stub(ANSWER="2"))
    assert code == 1
    assert "1 check of a MUST failed; worse: 1 regressed of 2 compared since 20" in line
    code, line = ended(stub(more=["--no-such-option"]))
    assert code == 1
    assert line.startswith(
        "nightly: red: pytest ended with exit code 4 (a usage error); no report was written ["
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_night_that_is_stopped_says_so_and_meanwhile_lets_no_other_in(
    stub: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    night = stub(HANG="1")
    wait_for(tmp_path / "hanging", night)
    code, line = ended(stub())
    assert code == 1
    assert line.startswith("nightly: red: another night is running in history; remedy: ")
    night.send_signal(number)
    code, line = ended(night)
    assert (code, line.partition(" [")[0]) == (1, "nightly: red: interrupted")
    assert [path.name.partition("Z-")[2] for path in (tmp_path / "history").glob("*.jsonl")] == ["red.jsonl"]


def test_a_night_without_end_is_stopped(stub: Callable[..., subprocess.Popen[str]]) -> None:
    code, line = ended(stub("--minutes", "0.05", HANG="1"))
    assert code == 1
    assert line.startswith("nightly: red: the run did not end within 0.05 minutes [20")


def wait_for(path: Path, child: subprocess.Popen[str]) -> None:
    end = time.monotonic() + DEADLINE
    while not path.exists():
        assert child.poll() is None and time.monotonic() < end
        time.sleep(0.05)
