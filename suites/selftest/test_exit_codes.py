"""The exit code and its reasons for every combination of what a run can come to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from reports.expectations import Expectation
from reports.model import Verdict
from reports.outcome import Outcome, judge
from reports.reader import ReportRefused, read_report
from reports.run import Run
from reports.writer import ReportWriter
from suites.selftest.conformance_session import TinySuite
from suites.selftest.made_report import record

pytest_plugins = ["pytester"]

#: what a run can hold -> its verdict, and the requirement's level where that decides
PARTS = {
    "pass": (Verdict.PASS, "MUST"),
    "fail": (Verdict.FAIL, "MUST"),
    "should": (Verdict.FAIL, "SHOULD"),
    "error": (Verdict.ERROR, "MUST"),
    "should_error": (Verdict.ERROR, "SHOULD"),
    "unsupported": (Verdict.UNSUPPORTED, "MUST"),
    "not_run": (Verdict.NOT_RUN, "MUST"),
    "known": (Verdict.KNOWN_FAIL, "MUST"),
}
#: what else there can be -> how its reason begins
CIRCUMSTANCES = {
    "newly_passing": "1 expected failure newly passes: ",
    "unmatched": "1 expectation matched no check: ",
    "stopped_early": " have a verdict",
    "twice": "1 verdict too many: ",
    "other_test": "1 other test failed",
}
PROVING = {"pass", "fail", "should", "known", "newly_passing", "twice"}
COMBINATIONS = [
    chosen
    for parts in itertools.product((False, True), repeat=len(PARTS))
    for circumstances in itertools.product((False, True), repeat=len(CIRCUMSTANCES))
    for chosen in [frozenset(itertools.compress((*PARTS, *CIRCUMSTANCES), (*parts, *circumstances)))]
]


def expectation(requirement: str) -> Expectation:
    return Expectation(
        subject="reference",
        requirement=requirement,
        stores=("disk",),
        versions=SpecifierSet(">=0"),
        evidence="it printed 2",
        link=None,
    )


def run_of(chosen: Iterable[str]) -> Run:
    """A run with just these, each of its own requirement."""
    run = Run(
        root=Path("/"),
        conformance=Path("/"),
        subjects=("reference",),
        stores=("disk",),
        seed=0,
        writer=ReportWriter(Path("/nowhere")),
        active=True,
        covers_all=True,
    )
    run.subject_versions["reference"] = {"reference": "1"}
    for number, name in enumerate(chosen, start=1):
        requirement = f"X-{number:03}"
        if name in PARTS:
            verdict, level = PARTS[name]
            run.records.append(record(name, verdict, level=level, requirement=requirement))
        if name == "newly_passing":
            run.records.append(record(name, Verdict.PASS, requirement=requirement))
        if name in ("newly_passing", "unmatched", "known"):
            run.expectations = (*run.expectations, expectation(requirement))
    run.checks = len(run.records)
    if "twice" in chosen:
        one = record("twice", Verdict.PASS)
        run.records += [one, one]
        run.checks += 1
    if "stopped_early" in chosen:
        run.checks += 3
        run.stopped = True
    run.other_failures = int("other_test" in chosen)
    return run


def reasons_of(chosen: frozenset[str]) -> list[str]:
    """A part of each reason that there must be, the gravest first; written anew, from the README's table."""
    errors = len(chosen & {"error", "should_error"})
    found = []
    if errors:
        found.append(f"{errors} check{'s' * (errors > 1)} ended in ERROR")
    if "fail" in chosen:
        found.append("1 check of a MUST failed")
    if "newly_passing" in chosen:
        found.append(CIRCUMSTANCES["newly_passing"])
    if "unmatched" in chosen and "stopped_early" not in chosen:  # a narrowed run says nothing of silence
        found.append(CIRCUMSTANCES["unmatched"])
    if not chosen & PROVING:
        found.append("empty run: no check compared anything")
    found += [CIRCUMSTANCES[name] for name in ("stopped_early", "twice", "other_test") if name in chosen]
    return found


def test_the_table_is_whole() -> None:
    assert len(set(COMBINATIONS)) == 2 ** (len(PARTS) + len(CIRCUMSTANCES)) == 8192
    assert {verdict for verdict, _ in PARTS.values()} == set(Verdict)


@cache
def outcomes() -> dict[frozenset[str], Outcome]:
    return {chosen: judge(run_of(sorted(chosen))) for chosen in COMBINATIONS}


def test_every_combination_has_its_exit_code_and_its_reasons() -> None:
    for chosen, outcome in outcomes().items():
        right = reasons_of(chosen)
        assert outcome.exit_code == bool(right), sorted(chosen)
        assert len(outcome.reasons) == len(right), (sorted(chosen), outcome.reasons)
        for said, part in zip(outcome.reasons, right, strict=True):
            assert part in said, (sorted(chosen), outcome.reasons)


def test_only_these_are_green() -> None:
    """The table's other half, counted: what never makes a run red, around at least one comparison."""
    harmless = {"should", "unsupported", "not_run", "known", "pass"}
    green = [chosen for chosen, outcome in outcomes().items() if outcome.exit_code == 0]
    assert all(chosen <= harmless for chosen in green)
    assert len(green) == 2**5 - 2**2  # without pass, should and known nothing was compared


CHECK = """
@requirement("X-00{number}")
def test_{name}(check):
    {body}
"""
BODIES = {
    "pass": "check.equal(expected=1, actual=1, what='x')",
    "fail": "check.equal(expected=1, actual=2, what='x')",
    "error": "raise ValueError('ours')",
    "unsupported": "raise Unsupported('no')",
    "not_run": "raise NotRun('no engine', 'start one')",
    "known": "check.equal(expected=1, actual=2, what='x')",
    "interrupted": "raise KeyboardInterrupt",
}


@pytest.mark.parametrize(
    ("parts", "arguments", "code", "first"),
    [
        (("pass", "known", "unsupported", "not_run"), (), 0, None),
        (("unsupported", "not_run"), (), 1, "empty run: no check compared anything"),
        (("pass", "fail"), (), 1, "1 check of a MUST failed"),
        (("pass", "fail", "error"), (), 1, "1 check ended in ERROR"),
        (("known", "fail", "error", "not_run"), (), 1, "1 check ended in ERROR"),
        (("fail", "pass", "error"), ("-x",), 1, "1 check of a MUST failed"),
        (("error", "pass"), ("--maxfail=1",), 1, "1 check ended in ERROR"),
        (("pass", "fail"), ("-k", "nothing"), 1, "empty run: no check compared anything"),
        (("pass", "fail", "interrupted", "error"), (), 2, None),
        (("interrupted",), (), 2, None),
    ],
)
def test_a_session_ends_in_its_code(
    pytester: pytest.Pytester,
    parts: tuple[str, ...],
    arguments: tuple[str, ...],
    code: int,
    first: str | None,
) -> None:
    tiny = TinySuite(pytester)
    tests = ""
    for number, part in enumerate(parts, start=1):
        tiny.requires(f"X-00{number}")
        tests += CHECK.format(number=number, name=part, body=BODIES[part])
        if part == "known":
            tiny.expects(f"X-00{number}")
    session = tiny.run(tests, *arguments)
    assert session.exit_code == code, session.output
    if code == 2:
        with pytest.raises(ReportRefused, match="interrupted by KeyboardInterrupt after"):
            read_report(session.report)
        return
    footer = read_report(session.report).footer
    assert (footer.exit_code, next(iter(footer.reasons), None)) == (code, first)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--subjects", ","), "--subjects names nothing"),
        (("--expectations", "absent"), "no folder absent"),
        (("--no-such-option",), "unrecognized arguments"),
        (("--catalogue", "absent"), "absent"),
    ],
)
def test_a_usage_error_is_4_and_leaves_no_report(
    pytester: pytest.Pytester, arguments: tuple[str, ...], says: str
) -> None:
    tiny = TinySuite(pytester)
    tiny.requires("X-001")
    session = tiny.run(CHECK.format(number=1, name="pass", body=BODIES["pass"]), *arguments)
    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert says in session.output
    assert not session.report.exists()
