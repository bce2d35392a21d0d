"""Every verdict and every exit code, each brought about by a tiny suite."""

from __future__ import annotations

import pytest

from suites.selftest.conformance_session import TinySuite

pytest_plugins = ["pytester"]

PASSING = """
@requirement("X-001")
def test_x(check):
    check.equal(expected=1, actual=1, what="the answer")
"""
FAILING = PASSING.replace("actual=1", "actual=2")


@pytest.fixture
def tiny(pytester: pytest.Pytester) -> TinySuite:
    return TinySuite(pytester)


@pytest.mark.parametrize(
    ("body", "verdict", "exit_code"),
    [
        ("check.equal(expected=1, actual=1, what='x')", "PASS", 0),
        ("check.true(True, what='x', expected='yes', actual='yes')", "PASS", 0),
        ("check.equal(expected=1, actual=2, what='x')", "FAIL", 1),
        ("check.equal(expected=1, actual=True, what='x')", "FAIL", 1),
        ("check.true(False, what='x', expected='yes', actual='no')", "FAIL", 1),
        ("raise SubjectHung('tensors', 3.0)", "FAIL", 1),
        ("pass", "ERROR", 1),
        ("assert 1 == 2", "ERROR", 1),
        ("raise ValueError('ours')", "ERROR", 1),
        ("pytest.skip('not today')", "ERROR", 1),
        ("pytest.xfail('known')", "ERROR", 1),
        ("raise NotRun('no engine', 'start one')", "NOT-RUN", 1),
        ("raise Unsupported('not implemented')", "UNSUPPORTED", 1),
        ("raise ExceptionGroup('g', [Mismatch(what='x', expected=1, actual=2)])", "FAIL", 1),
        ("raise ExceptionGroup('g', [Mismatch(what='x', expected=1, actual=2), OSError()])", "ERROR", 1),
    ],
)
def test_what_a_check_does_decides_its_verdict(
    tiny: TinySuite, body: str, verdict: str, exit_code: int
) -> None:
    tiny.requires("X-001")
    session = tiny.run(f'@requirement("X-001")\ndef test_x(check):\n    {body}\n')
    assert session.verdicts == {"test_x[reference-disk]": verdict}
    assert session.exit_code == exit_code == session.footer["exit_code"]
    assert session.footer["counts"][verdict] == 1


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("raise SubjectHung('start', 3.0)", "pass", "ERROR"),
        ("raise NotRun('no engine', 'start one')", "pass", "NOT-RUN"),
        ("raise Unsupported('no')", "pass", "UNSUPPORTED"),
        ("pass", "raise OSError('store gone')", "ERROR"),
        ("pass", "raise NotRun('late', 'never')", "ERROR"),
        ("pass", "pass", "PASS"),
    ],
)
def test_set_up_and_tear_down_are_the_suites_own(
    tiny: TinySuite, before: str, after: str, verdict: str
) -> None:
    tiny.requires("X-001")
    fixture = f"@pytest.fixture\ndef place():\n    {before}\n    yield\n    {after}\n"
    session = tiny.run(fixture + PASSING.replace("(check)", "(check, place)"))
    assert session.verdicts == {"test_x[reference-disk]": verdict}
    assert session.exit_code == (0 if verdict == "PASS" else 1)


def test_marks_of_pytest_have_no_say(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002")
    skipped = PASSING.replace("X-001", "X-002").replace("test_x", "test_y")
    session = tiny.run("@pytest.mark.xfail" + FAILING + "@pytest.mark.skip" + skipped)
    assert session.verdicts == {"test_x[reference-disk]": "FAIL", "test_y[reference-disk]": "ERROR"}
    stopped = tiny.run("@pytest.mark.xfail" + FAILING + "@pytest.mark.skip" + skipped, "-x")
    assert list(stopped.verdicts) == ["test_x[reference-disk]"]


def test_hypothesis_shows_its_example_and_repeats_itself(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    property_test = """
@requirement("X-001")
@given(number=strategies.integers())
def test_x(check, number):
    check.true(number < 1000, what="the number", expected="below 1000", actual=number)
"""
    session = tiny.run(property_test)
    line = session.verdict_line("test_x[reference-disk]")
    assert (line["verdict"], line["actual"]) == ("FAIL", "1000")
    assert "number=1000" in line["message"]
    assert (
        tiny.run(property_test).verdict_line("test_x[reference-disk]")["comparisons"] == line["comparisons"]
    )


def test_a_failing_should_alone_stays_green(tiny: TinySuite) -> None:
    tiny.requires("X-001", level="SHOULD")
    session = tiny.run(FAILING)
    assert session.verdicts == {"test_x[reference-disk]": "FAIL"}
    assert session.exit_code == 0
    assert session.last_line.startswith("loadproof: green: 1 FAIL (of SHOULD only)")


def test_an_erring_should_is_red(tiny: TinySuite) -> None:
    tiny.requires("X-001", level="SHOULD")
    assert tiny.run("@requirement('X-001')\ndef test_x(check): pass\n").exit_code == 1


def test_an_expected_failure_is_known(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    tiny.expects("X-001")
    session = tiny.run(FAILING)
    assert session.verdicts == {"test_x[reference-disk]": "KNOWN-FAIL"}
    assert session.exit_code == 0
    assert "X-001 reference (disk): https://example.org/known" in session.output


@pytest.mark.parametrize("changed", [{"versions": '"<0.17"'}, {"stores": '["moto"]'}])
def test_an_expectation_of_another_version_or_store_excuses_nothing(
    tiny: TinySuite, changed: dict[str, str]
) -> None:
    tiny.requires("X-001", stores=("disk", "moto"))
    tiny.expects("X-001", **changed)
    session = tiny.run(FAILING)
    assert session.verdicts == {"test_x[reference-disk]": "FAIL"}
    assert session.footer["unmatched"] == []


def test_an_expectation_excuses_no_error(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    tiny.expects("X-001")
    session = tiny.run("@requirement('X-001')\ndef test_x(check): raise OSError\n")
    assert session.verdicts == {"test_x[reference-disk]": "ERROR"}
    assert session.footer["unmatched"] == ["X-001 reference disk"]


def test_an_expectation_that_newly_passes_is_red(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    tiny.expects("X-001")
    session = tiny.run(PASSING)
    assert session.exit_code == 1
    assert session.footer["newly_passing"] == ["X-001 reference disk"]
    assert "newly passes: X-001 reference disk" in session.output


def test_an_expectation_holds_while_one_of_its_checks_fails(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    tiny.expects("X-001")
    session = tiny.run(PASSING + FAILING.replace("test_x", "test_y"))
    assert session.verdicts == {"test_x[reference-disk]": "PASS", "test_y[reference-disk]": "KNOWN-FAIL"}
    assert session.exit_code == 0


UNSUPPORTED = PASSING + "@requirement('X-002')\ndef test_y(check, store_name): raise Unsupported('no')\n"


@pytest.mark.parametrize(
    ("arguments", "unmatched"),
    [
        ((), ["X-002 reference disk"]),
        (("-k", "not test_y"), []),
        (("--deselect", "suites/conformance/test_x.py::test_y"), []),
    ],
)
def test_an_expectation_without_a_check_is_red_in_a_full_run(
    tiny: TinySuite, arguments: tuple[str, ...], unmatched: list[str]
) -> None:
    tiny.requires("X-001", "X-002")
    tiny.expects("X-002")
    session = tiny.run(UNSUPPORTED, *arguments)
    assert session.footer["unmatched"] == unmatched
    assert session.exit_code == bool(unmatched)


def test_paths_subjects_and_stores_narrow_what_is_unmatched(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002", stores=("disk", "moto"))
    tiny.expects("X-002", stores='["moto"]')
    tiny.expects("X-002", subject="streamer")
    assert tiny.run(UNSUPPORTED).exit_code == 0
    path = "suites/conformance/test_x.py"
    assert tiny.run(UNSUPPORTED, paths=[f"{path}::test_x"], stores="disk,moto").exit_code == 0
    assert tiny.run(UNSUPPORTED, stores="disk,moto").footer["unmatched"] == ["X-002 reference moto"]


def test_an_expectation_waits_for_a_store_that_is_not_run(tiny: TinySuite) -> None:
    tiny.requires("X-001", "X-002", stores=("disk", "moto"))
    tiny.expects("X-002", stores='["moto"]')
    absent = "if store_name == 'moto': raise NotRun('no moto', 'install it')\n    "
    tests = PASSING + FAILING.replace("X-001", "X-002").replace("test_x(check)", "test_y(check, store_name)")
    tests = tests.replace("actual=2", "actual=1").replace("    check.equal", f"    {absent}check.equal")
    session = tiny.run(tests.replace("test_x(check)", "test_x(check, store_name)"), stores="disk,moto")
    assert session.verdicts["test_y[reference-moto]"] == "NOT-RUN"
    assert (session.footer["unmatched"], session.exit_code) == ([], 0)
    assert session.output.count("NOT-RUN moto (2 checks): no moto") == 1
    assert session.output.count("remedy: install it") == 1


def test_an_empty_run_is_red(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    session = tiny.run(PASSING, "-k", "nothing")
    assert (session.exit_code, session.verdicts) == (1, {})
    assert session.footer["reasons"] == ["empty run: no check compared anything"]


def test_another_failing_test_keeps_the_run_red(tiny: TinySuite) -> None:
    tiny.requires("X-001")
    other = {"suites/selftest/test_own.py": "def test_own(): assert False\n"}
    session = tiny.run(PASSING, paths=["suites"], others=other)
    assert session.exit_code == 1
    assert session.footer["reasons"] == ["1 other test failed"]
