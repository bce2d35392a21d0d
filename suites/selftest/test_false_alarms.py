"""Runs of one suite are held against each other: every verdict that changes is seen, whoever is to blame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from reports.false_alarms import ABSENT, Repetition, Series, judge
from reports.false_alarms_tables import verdict_line, write
from reports.model import Verdict
from reports.reader import Report
from suites.selftest.made_report import record, report

GOOD = report([record("a", Verdict.PASS), record("b", Verdict.PASS)])
RED = report([record("b", Verdict.PASS), record("a", Verdict.FAIL, message="too late", expected="3")])
URI_CHECK = "suites/conformance/test_uri.py::test_{}[{}-disk]"


def repetition(
    number: int, made: Report | None, exit_code: int | None = None, *, modified: bool = False
) -> Repetition:
    code = exit_code if exit_code is not None else made.footer.exit_code if made else 3
    return Repetition(
        number=number,
        seed=number,
        order_seed=1000 + number,
        load=(number - 1) % 3,
        processes=1 + (number - 1) % 3,
        seconds=9.0,
        exit_code=code,
        modified=modified,
        report=made,
        refusal=None if made else "no report was written",
    )


def series(*made: Report | None) -> Series:
    return judge([repetition(number, one) for number, one in enumerate(made, start=1)])


def answers(subject: str, *verdicts: Verdict) -> Series:
    """One check `a` with a verdict for each run, beside one that always passes."""
    beside = record("b", Verdict.PASS)
    return series(
        *(report([record("a", one, subject=subject), beside], {"exit_code": 0}) for one in verdicts)
    )


def test_the_same_verdicts_are_no_false_alarm() -> None:
    found = series(GOOD, GOOD, GOOD)
    assert (found.flaky, found.reasons, found.by_subject) == ((), (), {"reference": 0})
    assert verdict_line(found) == "green: 0 flaky verdicts (reference 0) of 2 checks in 3 runs"


def test_what_lasts_is_not_flaky_even_if_it_is_bad() -> None:
    found = series(RED, RED)
    assert found.flaky == ()
    assert found.reasons == ("every run is red, exit code 1",)


def test_one_check_that_flips_once_is_flaky(tmp_path: Path) -> None:
    found = series(GOOD, GOOD, RED, GOOD)
    (one,) = found.flaky
    assert (one.check, one.usual, one.suspect) == (URI_CHECK.format("a", "reference"), "PASS", "check")
    assert [(each.verdict, each.repetition.number) for each in one.departures] == [("FAIL", 3)]
    assert found.by_subject == {"reference": 1}
    assert [each.number for each in found.departures] == [3]
    assert "exit codes other than 0: run 3, seed 3, order 1003, load 2: 1" in found.reasons
    write(found, {"commit": "c"}, tmp_path)
    row = pd.read_csv(tmp_path / "flaky.csv").iloc[0]
    assert (row.check, row.verdicts) == (one.check, "3 PASS, 1 FAIL")
    assert row.departures == "FAIL in run 3, seed 3, order 1003, load 2"
    seen = pd.read_csv(tmp_path / "sightings.csv", dtype=str)
    assert list(seen.verdict) == ["PASS", "PASS", "FAIL", "PASS"]
    odd = seen.iloc[2]
    assert (odd.message, odd.expected) == ("too late", "3")
    assert odd.before == URI_CHECK.format("b", "reference")
    runs = pd.read_csv(tmp_path / "runs.csv")
    assert list(runs.PASS) == [2, 2, 1, 2]
    assert list(runs.exit_code) == [0, 0, 1, 0]
    assert runs.order.nunique() == 2
    page = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "red: 1 flaky verdict (reference 1) of 2 checks in 4 runs" in page
    assert "3 PASS, 1 FAIL" in page


@pytest.mark.parametrize(
    ("subject", "verdicts", "suspect"),
    [
        ("streamer", (Verdict.KNOWN_FAIL, Verdict.PASS), "subject"),
        ("streamer", (Verdict.PASS, Verdict.FAIL), "subject"),
        ("streamer", (Verdict.PASS, Verdict.ERROR), "check"),
        ("streamer", (Verdict.PASS, Verdict.NOT_RUN), "check"),
        ("streamer", (Verdict.KNOWN_FAIL, Verdict.UNSUPPORTED), "check"),
        ("reference", (Verdict.PASS, Verdict.FAIL), "check"),
        ("plain", (Verdict.PASS, Verdict.FAIL), "check"),
    ],
)
def test_every_change_counts_and_names_its_suspect(
    subject: str, verdicts: Sequence[Verdict], suspect: str
) -> None:
    found = answers(subject, *verdicts)
    assert [(one.example.subject, one.suspect) for one in found.flaky] == [(subject, suspect)]
    assert found.by_subject[subject] == 1
    assert found.reasons[0] == "1 flaky verdict"
    assert len(found.reasons) == (2 if Verdict.NOT_RUN in verdicts else 1), found.reasons


def test_a_check_that_a_run_has_not_is_flaky() -> None:
    found = series(GOOD, report([record("a", Verdict.PASS)]))
    assert [(one.check, one.departures[0].verdict) for one in found.flaky] == [
        (URI_CHECK.format("b", "reference"), ABSENT)
    ]


def test_a_run_without_a_report_is_named_and_flips_no_check() -> None:
    found = series(GOOD, None, GOOD)
    assert found.flaky == ()
    assert [one.number for one in found.broken] == [2]
    assert any("no whole report: run 2" in reason for reason in found.reasons)


def test_an_exit_code_alone_makes_the_series_red() -> None:
    found = judge([repetition(1, GOOD), repetition(2, GOOD, 1), repetition(3, GOOD)])
    assert found.flaky == ()
    assert found.reasons == ("exit codes other than 0: run 2, seed 2, order 1002, load 1: 1",)


@pytest.mark.parametrize(("made", "said"), [((), "no check compared anything"), ((GOOD,), "one run alone")])
def test_too_little_proves_nothing(made: Sequence[Report], said: str) -> None:
    assert any(said in reason for reason in series(*made).reasons)


def test_what_no_run_could_make_is_no_proof() -> None:
    made = report([record("a", Verdict.PASS), record("b", Verdict.NOT_RUN)])
    found = series(made, made)
    assert (found.flaky, made.footer.exit_code) == ((), 0)
    assert found.reasons == (f"1 check did not run: {URI_CHECK.format('b', 'reference')}",)


@pytest.mark.parametrize("verdict", [None, Verdict.UNSUPPORTED])
def test_a_subject_and_a_store_of_which_nothing_was_compared_are_no_proof(verdict: Verdict | None) -> None:
    records = [record("a", Verdict.PASS), record("a", Verdict.KNOWN_FAIL, store="moto")]
    records += [record("a", Verdict.PASS, subject="streamer")]
    records += [record("a", verdict, subject="streamer", store="moto")] if verdict else []
    made = report(records, subjects=("reference", "streamer"), stores=("disk", "moto"))
    assert series(made, made).reasons == ("nothing was compared of streamer on moto",)


def test_what_is_published_was_made_of_a_commit() -> None:
    runs = [repetition(1, GOOD, modified=True), repetition(2, GOOD), repetition(3, GOOD, modified=True)]
    assert judge(runs).reasons == ()
    assert judge(runs[1:2] * 2, published=True).reasons == ()
    assert judge(runs, published=True).reasons == ("local changes in the checkout, in runs 1, 3",)
