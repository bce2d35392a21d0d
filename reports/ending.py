"""Ends a report: with a footer that judges the run, or with an interruption that says there is no result."""

from __future__ import annotations

import time

import pytest

from reports import distribution
from reports.model import Footer, Interruption
from reports.outcome import judge
from reports.run import Run

JUDGED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
"""pytest's endings that are a run's own. After an internal error there is no last line: no whole report."""


def end(run: Run, session: pytest.Session, exit_status: int) -> None:
    """Writes the last line, where the report has a first one, and sets the session's exit code."""
    if not run.writing:
        return
    enough = distribution.had_enough(session)
    if run.interrupted_by is not None and not enough:
        run.interruption = Interruption(
            by=run.redactor.text(run.interrupted_by),
            counts=run.counts(),
            seconds=_seconds(run),
            exit_code=int(exit_status) or int(pytest.ExitCode.INTERRUPTED),
        )
        run.writer.write(run.interruption)
        session.exitstatus = run.interruption.exit_code
    elif exit_status in JUDGED or enough:
        run.stopped = len(run.records) < run.checks
        run.footer = footer(run)
        run.writer.write(run.footer)
        session.exitstatus = run.footer.exit_code


def footer(run: Run) -> Footer:
    """The verdict on the whole run, every text redacted."""
    outcome = judge(run)
    return Footer(
        counts=run.counts(),
        seconds=_seconds(run),
        exit_code=outcome.exit_code,
        reasons=tuple(run.redactor.text(reason) for reason in outcome.reasons),
        unmatched=outcome.unmatched,
        newly_passing=outcome.newly_passing,
        full=run.full,
        subjects={name: run.redactor.texts(found) for name, found in run.subject_versions.items()},
        stores=run.redactor.texts(run.store_versions),
        proven=run.proven,
        unreadable=dict(run.unreadable),
    )


def _seconds(run: Run) -> float:
    return round(time.monotonic() - run.began, 3)
