"""A run over several processes comes to the same report, and to the same exit codes."""

from __future__ import annotations

import pytest

from reports.reader import read_report
from suites.selftest.conformance_session import TinySuite

pytest_plugins = ["pytester"]

TWO = ("-n", "2", "--dist", "worksteal")
CHECKS = """
@pytest.mark.parametrize("n", range(4))
@requirement("X-001")
def test_good(check, n):
    check.equal(expected=n, actual=n, what="the answer")

@requirement("X-002")
def test_bad(check):
    check.equal(expected=bytes(64), actual=bytes(40) + b"!" + bytes(23), what="the data", tensor="w")

@requirement("X-003")
def test_known(check):
    check.equal(expected={"a"}, actual={"b"}, what="the names")

@requirement("X-004")
def test_missing(check):
    raise NotRun("no engine", "install it")
"""
CRASH = """
import os
@requirement("X-001")
def test_good(check):
    check.equal(expected=1, actual=1, what="the answer")
@requirement("X-002")
def test_crash(check):
    os._exit(9)
"""


@pytest.fixture
def tiny(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> TinySuite:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return TinySuite(pytester)


def test_the_report_equals_that_of_one_process(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002", "X-003", "X-004")
    tiny.expects("X-003")
    alone = tiny.run(CHECKS, subjects="reference,streamer")
    of_one = read_report(alone.report)
    both = tiny.run(CHECKS, *TWO, subjects="reference,streamer")
    of_two = read_report(both.report)
    assert "gw1" in both.output or "2 workers" in both.output
    assert (both.exit_code, alone.exit_code) == (1, 1)
    assert both.verdicts == alone.verdicts
    assert len(both.verdicts) == of_two.header.checks == 14
    one = {record.check: record for record in of_one.records}
    for record in of_two.records:
        same = one[record.check]
        for name in ("verdict", "comparisons", "version", "store_version", "actual", "difference", "offset"):
            assert getattr(record, name) == getattr(same, name), (record.check, name)
    for name in ("counts", "reasons", "full", "subjects", "stores", "exit_code"):
        assert getattr(of_two.footer, name) == getattr(of_one.footer, name), name
    assert both.output.index("reference") < both.output.index("streamer")


def test_an_unsound_suite_is_refused_in_one_message(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002", "X-003", "X-004", "X-005")
    session = tiny.run(CHECKS, *TWO)
    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "X-005: requirement without a test" in session.output
    assert "INTERNALERROR" not in session.output
    assert not session.lines


def test_a_file_that_cannot_be_imported_stops_the_run(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002", "X-003", "X-004")
    session = tiny.run("import no_such_module\n" + CHECKS, *TWO)
    assert session.exit_code == pytest.ExitCode.INTERRUPTED
    assert "no_such_module" in session.output
    assert not session.lines


def test_a_process_that_dies_makes_the_run_red(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002")
    session = tiny.run(CRASH, *TWO, "--max-worker-restart", "0")
    assert (session.exit_code, session.footer["full"]) == (1, True)
    assert session.verdicts == {"test_good[reference-disk]": "PASS", "test_crash[reference-disk]": "ERROR"}
    assert "no verdict came back: worker 'gw" in session.verdict_line("test_crash[reference-disk]")["message"]
    assert session.footer["reasons"] == ["1 check ended in ERROR"]


def test_what_no_encoding_holds_travels_all_the_same(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002")
    session = tiny.run(
        """
@requirement("X-001")
def test_text(check):
    print("\\udc80")
    raise SubjectRaised("tensors", ["builtins.ValueError"], "bad key \\udc80", "trace \\udc80")
@requirement("X-002")
def test_waits(check):
    raise NotRun("no \\udc80", "none")
""",
        *TWO,
    )
    assert session.verdicts == {"test_text[reference-disk]": "FAIL", "test_waits[reference-disk]": "NOT-RUN"}
    assert (session.exit_code, "INTERNALERROR" in session.output) == (1, False)


@pytest.mark.parametrize("processes", [("-n", "0"), TWO])
def test_a_run_that_had_enough_still_reports(tiny: TinySuite, processes: tuple[str, ...]) -> None:
    tiny.requires("X-001")
    failing = "@pytest.mark.parametrize('n', range(40))\n@requirement('X-001')\ndef test_x(check, n):\n"
    failing += "    check.equal(expected=1, actual=2, what='x')\n"
    session = tiny.run(failing, *processes, "-x")
    assert (session.exit_code, session.footer["full"]) == (1, False)
    assert "FAIL X-001" in session.output
    assert session.last_line.startswith("loadproof: red: ")
    assert any(reason.endswith("of 40 checks have a verdict") for reason in session.footer["reasons"])
    assert not read_report(session.report).footer.full


def test_checks_that_never_ran_make_a_run_red(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    tiny.requires("X-002", level="SHOULD")
    tests = """
@requirement("X-002")
def test_a(check):
    check.equal(expected=1, actual=2, what="x")
@requirement("X-001")
def test_b(check):
    check.equal(expected=1, actual=1, what="x")
"""
    assert tiny.run(tests).exit_code == 0
    session = tiny.run(tests, "-x")
    assert session.exit_code == 1
    assert session.footer["reasons"] == ["1 of 2 checks have a verdict"]


def test_checks_that_ran_twice_make_a_run_red(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    passing = "@requirement('X-001')\ndef test_x(check):\n    check.equal(expected=1, actual=1, what='x')\n"
    session = tiny.run(passing, "-n", "2", "--dist", "each")
    assert session.exit_code == 1
    assert "1 verdict too many: a check was run more than once" in session.footer["reasons"]


def test_a_stale_expectation_is_found(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    tiny.expects("X-001")
    passing = "@requirement('X-001')\ndef test_x(check):\n    check.equal(expected=1, actual=1, what='x')\n"
    session = tiny.run(passing, *TWO)
    assert session.footer["newly_passing"] == ["X-001 reference disk"]
