"""What many checks say alike, said once: what is missing, what a subject lacks, which failures are known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from reports.model import Verdict, VerdictRecord

RED = (Verdict.ERROR, Verdict.FAIL)


@dataclass(frozen=True)
class Missing:
    """Something outside the suite that kept checks from running."""

    store: str
    reason: str
    remedy: str
    checks: int


@dataclass(frozen=True)
class Lacking:
    """A capability that a subject says it doesn't have."""

    subject: str
    state: str
    checks: int


@dataclass(frozen=True)
class Known:
    """A failure that an expectation describes, and where it was seen again."""

    requirement: str
    sentence: str
    subject: str
    stores: tuple[str, ...]
    link: str | None
    evidence: str


def failures(records: Sequence[VerdictRecord]) -> list[VerdictRecord]:
    """The records that are shown as blocks, in the order of the run."""
    return [record for record in records if record.verdict in RED]


def missing(records: Sequence[VerdictRecord]) -> list[Missing]:
    """Each reason for NOT-RUN once per store."""
    seen = Counter(
        (record.store, record.message or "", record.remedy or "")
        for record in records
        if record.verdict is Verdict.NOT_RUN
    )
    return [Missing(*key, checks=number) for key, number in seen.items()]


def lacking(records: Sequence[VerdictRecord]) -> list[Lacking]:
    """Each capability that a subject lacks once."""
    seen = Counter(
        (record.subject, record.message or "") for record in records if record.verdict is Verdict.UNSUPPORTED
    )
    return [Lacking(*key, checks=number) for key, number in seen.items()]


def known(records: Sequence[VerdictRecord]) -> list[Known]:
    """Each known failure once, with the stores that showed it."""
    stores: defaultdict[tuple[str, str, str, str | None, str], dict[str, None]] = defaultdict(dict)
    for record in records:
        if record.verdict is Verdict.KNOWN_FAIL:
            key = (
                record.requirement,
                record.sentence,
                record.subject,
                record.link,
                record.evidence or "",
            )
            stores[key][record.store] = None
    return [
        Known(requirement, sentence, subject, tuple(names), link, evidence)
        for (requirement, sentence, subject, link, evidence), names in stores.items()
    ]
