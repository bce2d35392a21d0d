"""The report's schema: one header, one record per check, one footer, each a line of JSON.

A run that was interrupted ends its report with an interruption in the footer's place.

What a field means is written at the field; `reports/schema.json` says the same to other programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from reports.catalogue import LEVELS, Requirement

SCHEMA_VERSION = 2
"""Grows by one whenever a field changes its meaning, goes away or becomes necessary."""


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


@dataclass(frozen=True)
class AtLeast:
    """The smallest value that a number may have."""

    value: int


@dataclass(frozen=True)
class OneOf:
    """The values that a text may have."""

    values: tuple[str, ...]


Count = Annotated[int, AtLeast(0)]
Seconds = Annotated[float, AtLeast(0)]


@dataclass(frozen=True, kw_only=True)
class Header:
    """What is known before the first check; versions learnt later are on the records and in the footer."""

    schema: Annotated[int, "version of this schema"]
    started: Annotated[str, "when the run began: ISO 8601, UTC"]
    seed: Annotated[int, "of all random data in the run"]
    subjects: Annotated[tuple[str, ...], "loaders that were asked for, in order"]
    stores: Annotated[tuple[str, ...], "stores that were asked for, in order"]
    checks: Annotated[Count, "how many checks were collected; a whole run records each"]
    machine: Annotated[Mapping[str, Any], "what the run took place on; memory_gib is in GiB"]
    versions: Annotated[Mapping[str, str], "of Python and of what is installed next to the suite"]
    configuration: Annotated[Mapping[str, Any], "pytest's arguments, and the tier: main or long"]
    environment: Annotated[Mapping[str, str], "variables that change how a loader behaves, secrets taken out"]
    requirements: Annotated[Mapping[str, Requirement], "those that are checked, by id, as they were then"] = (
        field(default_factory=dict)
    )


@dataclass(frozen=True, kw_only=True)
class VerdictRecord:
    """One check of one requirement by one subject on one store."""

    number: Annotated[int, AtLeast(1), "place among the records, from 1 on; the writer gives it"] = 0
    check: Annotated[str, "pytest's node id, unique in a report"]
    requirement: Annotated[str, "id of the requirement"]
    level: Annotated[str, OneOf(LEVELS), "only a MUST that fails fails the run"]
    area: Annotated[str, "the first part of the requirement's id"]
    sentence: Annotated[str, "the requirement itself"]
    subject: Annotated[str, "the loader under test"]
    version: Annotated[str | None, "the subject's, null where it never said"]
    store: Annotated[str, "where the model lay; none where no store takes part"]
    store_version: Annotated[str | None, "the store's, null where it never said"]
    verdict: Annotated[
        Verdict,
        "PASS: every comparison held; FAIL: the subject is wrong; ERROR: the suite is wrong, or nothing was "
        "compared; UNSUPPORTED: the subject says that it can't; NOT-RUN: something outside is missing; "
        "KNOWN-FAIL: it fails as recorded",
    ]
    comparisons: Annotated[Count, "how many were made; a PASS has one at least"]
    seconds: Annotated[Seconds, "set-up, call and tear-down together, in seconds"]
    what: Annotated[str | None, "what was compared when the comparison failed"] = None
    expected: Annotated[str | None, "the right value as text, cut around the first difference"] = None
    actual: Annotated[str | None, "the subject's value as text, cut likewise"] = None
    difference: Annotated[str | None, "where collections or long texts differ first, in words"] = None
    tensor: Annotated[str | None, "name of the tensor that differs"] = None
    offset: Annotated[
        int | None, AtLeast(0), "of the first wrong byte from the start of the data, in bytes"
    ] = None
    message: Annotated[str | None, "what was said beyond the comparison, or why it did not run"] = None
    trace: Annotated[str | None, "of an ERROR only: there the source is what helps"] = None
    remedy: Annotated[str | None, "of a NOT-RUN: how to enable it"] = None
    link: Annotated[str | None, "of the expectation that describes a KNOWN-FAIL"] = None
    evidence: Annotated[str | None, "of that expectation: one command and what it printed"] = None


@dataclass(frozen=True, kw_only=True)
class Footer:
    """The end of the run. Its presence says that the report is whole."""

    counts: Annotated[Mapping[str, Count], "checks by verdict"]
    seconds: Annotated[Seconds, "of the whole run, in seconds"]
    exit_code: Annotated[Count, "0: green; anything else: red"]
    reasons: Annotated[tuple[str, ...], "why the exit code is not 0"]
    unmatched: Annotated[tuple[str, ...], "expectations that no check matched: requirement, subject, store"]
    newly_passing: Annotated[tuple[str, ...], "expectations whose failure is gone: the same three words"]
    full: Annotated[bool, "false when paths, -k, -m or an early stop left checks out"]
    subjects: Annotated[Mapping[str, Mapping[str, str]], "versions of each subject's parts"] = field(
        default_factory=dict
    )
    stores: Annotated[Mapping[str, str], "version of each store that ran"] = field(default_factory=dict)
    proven: Annotated[
        Count, "checkpoints of the oracle that the official safetensors library reads as expected"
    ] = 0
    unreadable: Annotated[
        Mapping[str, Count], "checkpoints that the library can't read, by the reason: these are unproven"
    ] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Interruption:
    """Where a footer would stand: the run was ended from outside, and says so. It has no result."""

    by: Annotated[str, "what ended it: a signal's name, or the reason in words"]
    counts: Annotated[Mapping[str, Count], "checks by verdict, of those that were judged before"]
    seconds: Annotated[Seconds, "from the run's begin to its interruption, in seconds"]
    exit_code: Annotated[int, AtLeast(1), "of the run: never 0"]


Line = Header | VerdictRecord | Footer | Interruption
KINDS: dict[str, type[Header | VerdictRecord | Footer | Interruption]] = {
    "header": Header,
    "verdict": VerdictRecord,
    "footer": Footer,
    "interruption": Interruption,
}


def as_mapping(line: Line) -> dict[str, Any]:
    """The line as JSON values, its `kind` first."""
    kind = next(name for name, form in KINDS.items() if type(line) is form)
    return {"kind": kind, **asdict(line)}
