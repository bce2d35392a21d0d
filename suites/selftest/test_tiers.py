"""The three tiers: quick, main and long."""

from __future__ import annotations

import pytest

from suites.selftest.conformance_session import TinySuite

pytest_plugins = ["pytester"]

TESTS = """
@pytest.mark.quick
@requirement("X-001")
def test_quick(check, examples):
    check.equal(expected={examples}, actual=examples(3, 50), what="the cases")

@pytest.mark.long
@requirement("X-002")
def test_long(check):
    check.equal(expected=1, actual={actual}, what="the answer")
"""


@pytest.fixture
def tiny(pytester: pytest.Pytester) -> TinySuite:
    tiny = TinySuite(pytester)
    tiny.requires("X-001", "X-002")
    return tiny


def test_the_main_tier_leaves_long_checks_out_and_is_full(tiny: TinySuite) -> None:
    tiny.expects("X-002")  # nothing to be said about it without the long tier
    session = tiny.run(TESTS.format(examples=3, actual=1))
    assert session.verdicts == {"test_quick[reference-disk]": "PASS"}
    assert (session.exit_code, session.footer["full"]) == (0, True)
    assert session.lines[0]["configuration"]["tier"] == "main"


def test_the_long_tier_runs_everything_with_more_cases(tiny: TinySuite) -> None:
    session = tiny.run(TESTS.format(examples=50, actual=2), "--long")
    assert session.verdicts == {"test_quick[reference-disk]": "PASS", "test_long[reference-disk]": "FAIL"}
    assert (session.exit_code, session.footer["full"]) == (1, True)
    assert session.lines[0]["configuration"]["tier"] == "long"
    (command,) = [line for line in session.output.splitlines() if "run it again" in line]
    assert command.endswith(" --long")


def test_an_expectation_of_a_long_check_is_held_to_in_the_long_tier(tiny: TinySuite) -> None:
    tiny.expects("X-002")
    session = tiny.run(TESTS.format(examples=50, actual=1), "--long")
    assert session.footer["newly_passing"] == ["X-002 reference disk"]


def test_the_quick_tier_is_a_narrowed_run(tiny: TinySuite) -> None:
    tiny.requires("X-003")
    unmarked = "@requirement('X-003')\ndef test_x(check):\n    check.equal(expected=1, actual=1, what='x')\n"
    session = tiny.run(TESTS.format(examples=3, actual=1) + unmarked, "-m", "quick")
    assert (session.exit_code, session.footer["full"]) == (0, False)
    assert list(session.verdicts) == ["test_quick[reference-disk]"]
