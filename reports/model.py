"""The report's schema: one header, one record per check, one footer, each a line of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1
"""Grows by one whenever a field changes its meaning or goes away; added fields leave it alone."""


class Verdict(StrEnum):
    """What a check came to. The value is the word in reports and on the terminal."""

    PASS = "PASS"
    FAIL = "FAIL"  # the subject's fault
    ERROR = "ERROR"  # the suite's fault: outranks a failure, since it proves nothing about the subject
    UNSUPPORTED = "UNSUPPORTED"  # the subject says that it can't
    NOT_RUN = "NOT-RUN"  # something outside is missing: a container engine, a GPU
    KNOWN_FAIL = "KNOWN-FAIL"  # a failure that an expectation describes


PROVING = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.KNOWN_FAIL})
"""Verdicts that rest on a comparison. A run without any of them has proven nothing."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """Known before the first check; versions learnt later are on the records and in the footer."""

    schema: int
    started: str  # ISO 8601, UTC
    seed: int
    subjects: tuple[str, ...]
    stores: tuple[str, ...]
    checks: int  # how many were collected
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    configuration: Mapping[str, Any]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class VerdictRecord:
    """One check of one requirement by one subject on one store."""

    check: str  # pytest's node id, unique in a report
    requirement: str
    level: str
    area: str
    sentence: str
    subject: str
    version: str | None
    store: str
    store_version: str | None
    verdict: Verdict
    comparisons: int
    seconds: float
    what: str | None = None
    expected: str | None = None
    actual: str | None = None
    difference: str | None = None  # in words, between collections or long texts
    tensor: str | None = None
    offset: int | None = None  # bytes from the start of the tensor's data
    message: str | None = None
    trace: str | None = None  # for ERROR only: there the source is what helps
    remedy: str | None = None  # for NOT-RUN
    link: str | None = None  # of the expectation
    evidence: str | None = None  # of the expectation


@dataclass(frozen=True, kw_only=True)
class Footer:
    """Its presence says that the report is whole."""

    counts: Mapping[str, int]
    seconds: float
    exit_code: int
    reasons: tuple[str, ...]  # why the exit code is not 0
    unmatched: tuple[str, ...]
    newly_passing: tuple[str, ...]
    full: bool  # False when paths, -k or an early stop left checks out
    subjects: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stores: Mapping[str, str] = field(default_factory=dict)


Line = Header | VerdictRecord | Footer
KINDS: dict[str, type[Header | VerdictRecord | Footer]] = {
    "header": Header,
    "verdict": VerdictRecord,
    "footer": Footer,
}


def as_mapping(line: Line) -> dict[str, Any]:
    """The line as JSON values, its `kind` first."""
    kind = next(name for name, form in KINDS.items() if type(line) is form)
    return {"kind": kind, **asdict(line)}
