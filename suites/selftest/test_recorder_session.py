"""What the recorder does around the checks: pairing rules with tests, ids, the report and the terminal."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator

import pytest

from reports.reader import ReportInterrupted, read_report
from suites.selftest.conformance_session import TinySuite

pytest_plugins = ["pytester"]

PASSING = """
@requirement("X-001")
def test_x(check):
    check.equal(expected=1, actual=1, what="the answer")
"""
FAILING = """
@requirement("X-001")
def test_x(check, seed):
    wrong = bytes(40) + b"!" + bytes(23)
    check.equal(expected=bytes(64), actual=wrong, what="the data", tensor="lm_head.weight")
"""


@pytest.fixture
def tiny(pytester: pytest.Pytester) -> TinySuite:
    return TinySuite(pytester)


def test_a_check_runs_for_each_subject_on_each_of_its_stores(tiny: TinySuite) -> None:
    tiny.requires("X-001", stores=("disk", "moto"))
    tiny.requires("X-002", stores=("none",))
    tiny.requires("X-003", stores=("minio",))
    tests = [PASSING.replace("X-001", f"X-00{n}").replace("test_x", f"test_{n}") for n in (1, 2, 3)]
    session = tiny.run("".join(tests), subjects="reference,streamer", stores="moto,disk")
    assert list(session.verdicts) == [
        "test_1[reference-moto]",
        "test_1[reference-disk]",
        "test_1[streamer-moto]",
        "test_1[streamer-disk]",
        "test_2[reference-none]",
        "test_2[streamer-none]",
    ]
    assert (session.exit_code, session.footer["full"]) == (0, True)


def test_a_tests_own_parameters_come_after(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    tests = "@pytest.mark.parametrize('n', [1, 2])" + PASSING.replace("(check)", "(check, n)")
    assert list(tiny.run(tests).verdicts) == ["test_x[reference-disk-1]", "test_x[reference-disk-2]"]


@pytest.mark.parametrize("arguments", [(), ("--collect-only",), ("-k", "test_x")])
def test_a_requirement_without_a_test_is_refused(tiny: TinySuite, arguments: tuple[str, ...]) -> None:
    tiny.requires("X-001", "X-002", "X-003")
    session = tiny.run(PASSING, *arguments)
    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "X-002: requirement without a test" in session.output
    assert "X-003: requirement without a test" in session.output
    assert not session.report.exists()


@pytest.mark.parametrize(
    ("mark", "complaint"),
    [
        ("", "needs exactly one requirement, has none"),
        ("@requirement('X-009')", "requirement 'X-009' isn't in the catalogue"),
        ("@requirement('X-001', 'X-002')", "needs exactly one requirement, has X-001, X-002"),
        ("@requirement('X-001')\n@requirement('X-002')", "needs exactly one requirement, has X-002, X-001"),
        ("@requirement()", "needs exactly one requirement, has none"),
    ],
)
def test_a_test_without_one_known_requirement_is_refused(tiny: TinySuite, mark: str, complaint: str) -> None:
    tiny.requires("X-001", "X-002")
    fine = PASSING + PASSING.replace("X-001", "X-002").replace("test_x", "test_y")
    session = tiny.run(f"{fine}\n{mark}\ndef test_stray(check): pass\n", "--collect-only")
    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert f"suites/conformance/test_x.py::test_stray: {complaint}" in session.output


def test_a_broken_catalogue_is_named(tiny: TinySuite) -> None:
    tiny.requires("X-001", level="MAY")
    session = tiny.run(PASSING)
    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "x.toml: X-001: level 'MAY'" in session.output


def test_a_file_that_does_not_import_is_the_error_shown(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    session = tiny.run("import no_such_module\n" + PASSING)
    assert session.exit_code == pytest.ExitCode.INTERRUPTED
    assert "no_such_module" in session.output
    assert "requirement without a test" not in session.output


def test_collect_only_leaves_an_earlier_report_alone(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    before = tiny.run(PASSING).report.read_bytes()
    session = tiny.run(PASSING, "--collect-only")
    assert session.exit_code == 0
    assert "loadproof:" not in session.output
    assert session.report.read_bytes() == before


def test_a_run_of_other_tests_is_left_alone(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002")  # the second has no test: nobody asks here
    other = {"suites/selftest/test_own.py": "def test_own(seed, check): assert seed == 7\n"}
    session = tiny.run(PASSING, "--seed", "7", paths=["suites/selftest"], others=other)
    assert session.exit_code == 0
    assert "loadproof" not in session.output.partition("collected")[2]
    assert not session.report.exists()


def test_a_failure_reads_without_the_source_and_runs_again_alone(tiny: TinySuite) -> None:
    tiny.requires("X-001", stores=("disk", "moto"))
    session = tiny.run(FAILING, "--seed", "5", subjects="mutant,reference", stores="disk,moto")
    block = session.output.partition("FAIL X-001")[2].partition("FAIL X-001")[0]
    for text in (
        "X-001 (MUST): The answer is right, as X-001 says.",
        "mutant 0.17.2",
        "disk 9.9",
        "the data",
        "64 bytes, from byte 32 on: 00 00 00 00 00 00 00 00 00",
        "64 bytes, from byte 32 on: 00 00 00 00 00 00 00 00 21",
        "tensor lm_head.weight, byte 40",
        "https://example.org/failure",
    ):
        assert text in block
    (command,) = [line for line in block.splitlines() if "run it again" in line]
    words = shlex.split(command.partition("run it again")[2])
    node = "suites/conformance/test_x.py::test_x[mutant-disk]"
    assert words == ["tox", "-e", "conformance", "--", node, "--seed", "5", "--subjects", "mutant"]
    again = tiny.run(FAILING, *words[5:], paths=[node], stores="disk,moto")
    assert again.verdicts == {"test_x[mutant-disk]": "FAIL"}


def test_the_terminal_shows_matrix_slowest_and_a_last_line(tiny: TinySuite) -> None:
    tiny.requires("X-001", stores=("disk", "moto"))
    session = tiny.run(PASSING, stores="disk,moto")
    assert session.last_line.startswith("loadproof: green: 2 PASS in ")
    assert "the 10 slowest checks" in session.output
    row = next(line for line in session.output.splitlines() if line.startswith("X "))
    assert row.split() == ["X", "reference", "1", "pass", "1", "pass"]
    red = tiny.run(FAILING, "--stores", "disk")
    assert red.last_line.startswith("loadproof: red: 1 FAIL in ")
    assert red.last_line.endswith("(1 check of a MUST failed)")


def test_the_report_reads_back(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    report = read_report(tiny.run(FAILING).report)
    (record,) = report.records
    assert (record.subject, record.version, record.store, record.store_version) == (
        "reference",
        "0.17.2",
        "disk",
        "9.9",
    )
    assert (record.tensor, record.offset, record.comparisons) == ("lm_head.weight", 40, 1)
    assert report.header.seed == 20260101
    assert report.footer.subjects == {"reference": {"reference": "0.17.2", "torch": "2.15"}}
    assert report.footer.stores == {"disk": "9.9"}


@pytest.mark.parametrize("stop", ["raise KeyboardInterrupt", "pytest.exit('enough', returncode=0)"])
def test_an_interrupted_run_says_so_and_is_no_result(tiny: TinySuite, stop: str) -> None:
    tiny.requires("X-001", "X-002")
    stopped = f"@requirement('X-002')\ndef test_y(check): {stop}\n"
    session = tiny.run(PASSING + stopped)
    assert session.exit_code == pytest.ExitCode.INTERRUPTED
    assert session.verdicts == {"test_x[reference-disk]": "PASS"}
    assert session.lines[-1]["kind"] == "interruption"
    by = "KeyboardInterrupt" if "Keyboard" in stop else "enough"
    assert f"\nloadproof: interrupted by {by}: 1 of 2 checks judged (1 PASS) in " in session.output
    with pytest.raises(ReportInterrupted, match=f"interrupted by {by} after 1 of 2 checks"):
        read_report(session.report)


def test_a_swallowed_interruption_ends_the_run_all_the_same(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002")
    swallowed = """
@requirement("X-002")
def test_a(check):
    for number in (signal.SIGTERM, signal.SIGINT):  # the second one is passed over
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    check.true(True, what="x", expected="", actual="")
"""
    session = tiny.run("import contextlib, os, signal\n" + swallowed + PASSING)
    assert session.verdicts == {"test_a[reference-disk]": "PASS"}
    assert "loadproof: interrupted by SIGTERM: 1 of 2 checks judged" in session.last_line
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_early_stop_makes_the_run_a_narrowed_one(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002")
    session = tiny.run(FAILING + PASSING.replace("X-001", "X-002").replace("test_x", "test_y"), "-x")
    assert list(session.verdicts) == ["test_x[reference-disk]"]
    assert (session.footer["full"], session.exit_code) == (False, 1)


def test_no_secret_reaches_report_or_terminal(tiny: TinySuite, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.requires("X-001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLE")
    leak = "check.true(False, what='x', expected='', actual='it said ' + os.environ['AWS_SECRET_ACCESS_KEY'])"
    session = tiny.run(f"import os\n@requirement('X-001')\ndef test_x(check):\n    {leak}\n")
    assert "it said [redacted]" in session.output
    assert "wJalrXUtnFEMI" not in session.output + session.report.read_text()
    assert session.lines[0]["environment"]["AWS_SECRET_ACCESS_KEY"] == "[redacted]"


@pytest.fixture
def hears_sigint() -> Iterator[None]:
    """Python's own handler: a shell's background is deaf to SIGINT, and so is what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_sigint")
def test_an_interrupted_set_up_is_taken_down_without_a_traceback(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    fixture = """
import os, signal
@pytest.fixture
def place(tmp_path):
    os.kill(os.getpid(), signal.SIGINT)
    yield
"""
    session = tiny.run(fixture + PASSING.replace("(check)", "(check, place)"))
    assert session.exit_code == pytest.ExitCode.INTERRUPTED
    assert session.last_line.startswith("loadproof: interrupted by SIGINT: 0 of 1 check judged in ")
    assert "Traceback" not in session.output


def test_an_interruption_before_the_first_check_is_said_and_leaves_no_report(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    session = tiny.run("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n" + PASSING)
    assert session.exit_code == pytest.ExitCode.INTERRUPTED
    assert session.last_line == "loadproof: interrupted by SIGTERM before the first check, no report"
    assert not session.report.exists()
