"""One check as it goes through set-up, call and tear-down, until its verdict is final."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from reports.catalogue import Requirement
from reports.differences import difference, shown
from reports.expectations import Expectation
from reports.marks import Check, Mismatch, NotRun, Unsupported
from reports.model import Verdict, VerdictRecord
from reports.run import Run
from reports.verdicts import notes_of, telling, verdict_of

VACUOUS = "the check passed without comparing anything"
TRACE_LINES = 40
"""Of a traceback's end, which is where it says what went wrong."""


@dataclass
class Attempt:
    """Collects a check's phases. `verdict` may still turn into ERROR until tear-down is over."""

    requirement: Requirement
    subject: str
    store: str
    check: Check = field(default_factory=Check)
    verdict: Verdict | None = None
    error: BaseException | None = None
    trace: str | None = None
    message: str | None = None
    expectation: Expectation | None = None
    seconds: float = 0.0
    #: whether its properties draw as many cases as in the long tier
    long: bool = False

    def observe(self, call: pytest.CallInfo[None], report: pytest.TestReport, run: Run) -> None:
        """Takes in one phase and makes pytest's own report of it say the same as the verdict."""
        self.seconds += call.duration
        if call.excinfo is None and call.when != "call":
            return
        if call.excinfo is not None:
            self._blame(call.excinfo.value, str(call.when), report.longreprtext)
        elif self.check.comparisons == 0:
            self.verdict, self.message = Verdict.ERROR, VACUOUS
        else:
            self.verdict = Verdict.PASS
        if self.verdict in (Verdict.FAIL, Verdict.PASS):
            self.expectation = run.expectation_for(self.requirement.id, self.subject, self.store)
            if self.expectation is not None and self.verdict is Verdict.FAIL:
                self.verdict = Verdict.KNOWN_FAIL
        assert self.verdict is not None
        conform(report, self.verdict, self.message or "")

    def give_up(self, reason: str) -> None:
        """The process that judged the check is gone, whatever it had seen."""
        self.verdict, self.error, self.expectation = Verdict.ERROR, None, None
        self.message = f"no verdict came back: {reason}"

    def _blame(self, error: BaseException, phase: str, trace: str) -> None:
        self.verdict = verdict_of(error, phase=phase)
        self.error = telling(error)
        text = said(self.error)
        if self.verdict is Verdict.ERROR and phase != "call":
            text = f"in {phase}: {text}"
        lines = [self.message or "", text, *notes_of(error)]
        self.message = "\n".join(line for line in lines if line)
        self.trace = "\n".join(trace.splitlines()[-TRACE_LINES:]) if self.verdict is Verdict.ERROR else None

    def record(self, node_id: str, run: Run) -> VerdictRecord:
        """The finished check as the report keeps it, every text redacted."""
        error = self.error
        mismatch = error if isinstance(error, Mismatch) else None
        not_run = error if isinstance(error, NotRun) else None

        def clean(text: str | None) -> str | None:
            return None if text is None else run.redactor.brief(text)

        def value(found: object) -> str:
            assert mismatch is not None
            return shown(found, mismatch.offset, run.redactor.brief)

        return VerdictRecord(
            check=run.redactor.text(node_id),
            requirement=self.requirement.id,
            level=self.requirement.level,
            area=self.requirement.area,
            sentence=self.requirement.sentence,
            subject=self.subject,
            version=clean(run.version_of(self.subject)),
            store=self.store,
            store_version=clean(run.store_versions.get(self.store)),
            verdict=self.verdict or Verdict.ERROR,
            comparisons=self.check.comparisons,
            seconds=round(self.seconds, 4),
            what=clean(mismatch.what) if mismatch else None,
            expected=value(mismatch.expected) if mismatch else None,
            actual=value(mismatch.actual) if mismatch else None,
            difference=clean(difference(mismatch.expected, mismatch.actual)) if mismatch else None,
            tensor=clean(mismatch.tensor) if mismatch else None,
            offset=mismatch.offset if mismatch else None,
            message=clean(not_run.reason if not_run else self._beyond(mismatch)),
            trace=clean(self.trace),
            remedy=clean(not_run.remedy) if not_run else None,
            link=self.expectation.link if self.expectation else None,
            evidence=clean(self.expectation.evidence) if self.expectation else None,
        )

    def _beyond(self, mismatch: Mismatch | None) -> str | None:
        # A mismatch's own words are in the fields what, expected and actual: here is what else was said.
        text = self.message or ""
        return (text.replace(str(mismatch), "", 1).strip("\n") if mismatch else text) or None


def said(error: BaseException) -> str:
    """What the exception says, led by its type unless the type is the verdict's own."""
    if isinstance(error, (Mismatch, NotRun, Unsupported)):
        return str(error).strip()
    return f"{type(error).__name__}: {str(error).strip()}".removesuffix(": ")


def conform(report: pytest.TestReport, verdict: Verdict, message: str) -> None:
    """Sets pytest's outcome, so that -x, the progress line and other plugins agree with the verdict."""
    report.__dict__["verdict"] = verdict.value  # plain, so that xdist can carry it
    if hasattr(report, "wasxfail"):
        del report.wasxfail  # an xfail mark has no say here: known failures are expectations
    if verdict is Verdict.PASS:
        report.outcome = "passed"
    elif verdict in (Verdict.FAIL, Verdict.ERROR):
        report.outcome = "failed"
        report.longrepr = report.longrepr or message
    else:
        report.outcome = "skipped"
        report.longrepr = (report.location[0], report.location[1] or 0, message)


ATTEMPT = pytest.StashKey[Attempt]()
