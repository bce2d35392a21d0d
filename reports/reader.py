"""Reads a report back, and refuses one that can't be trusted; each way to be refused is a class of its own.

ReportRefused
├── ReportEmpty          nothing in it
├── ReportInterrupted    the run was ended from outside, by Ctrl-C for instance, and says so
├── ReportTruncated      the run ended before its footer, or the file was cut
├── ReportDuplicated     two runs in one file, or one check recorded twice
├── ReportReordered      its lines aren't in the order in which they were written
├── ReportMalformed      a line that isn't one of the schema's
├── ReportInconsistent   its parts contradict each other
└── ReportIncomparable   written under another schema version
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import jsonschema

from reports.catalogue import Requirement
from reports.model import (
    KINDS,
    PROVING,
    SCHEMA_VERSION,
    Footer,
    Header,
    Interruption,
    Line,
    Verdict,
    VerdictRecord,
)
from reports.schema import schema

WORDS_SHOWN = 200
"""Characters of what is wrong with a line: the rest would be the line's own content."""


class ReportRefused(Exception):
    """The report can't be used; the message names the file and the reason."""

    remedy = "run the suite again to its end, or name the report of a run that came to its end"


class ReportEmpty(ReportRefused):
    """The file holds nothing."""


class ReportInterrupted(ReportRefused):
    """The report says itself that its run was interrupted: whatever it holds is no result."""

    remedy = "run the suite again to its end; the lines before the last hold what was judged"


class ReportTruncated(ReportRefused):
    """The report ends before its footer does."""


class ReportDuplicated(ReportRefused):
    """Something that exists once in a report exists twice in this one."""


class ReportReordered(ReportRefused):
    """A line has left the place where it was written."""


class ReportMalformed(ReportRefused):
    """A line isn't one of the schema's."""


class ReportInconsistent(ReportRefused):
    """Parts of the report contradict each other."""


class ReportIncomparable(ReportRefused):
    """The report was written under another schema version."""

    remedy = "read it with the version of the suite that wrote it, or run the suite again"


@dataclass(frozen=True)
class Report:
    """A whole and consistent report."""

    header: Header
    records: tuple[VerdictRecord, ...]
    footer: Footer


def read_report(path: Path) -> Report:
    """The report in this file. Raises ReportRefused's subclasses, and OSError where it can't be read."""
    text = path.read_bytes().decode("utf-8", "replace")
    if not text.strip():
        raise ReportEmpty(f"{path}: empty")
    lines = [_line(path, number, line, text) for number, line in _numbered(text)]
    headers = [line for line in lines if isinstance(line, Header)]
    footers = [line for line in lines if isinstance(line, Footer)]
    records = tuple(line for line in lines if isinstance(line, VerdictRecord))
    interruptions = [line for line in lines if isinstance(line, Interruption)]
    _refuse_duplicates(path, headers, footers, records)
    if not headers:
        raise ReportInconsistent(f"{path}: has no header")
    if interruptions:
        _refuse_interrupted(path, headers[0], interruptions, lines)
    if not footers:
        raise ReportTruncated(f"{path}: no footer after {len(records)} of {headers[0].checks} checks")
    if not text.endswith("\n"):
        raise ReportTruncated(f"{path}: its last line has no end")
    _refuse_disorder(path, lines, records)
    _refuse_contradictions(path, headers[0], records, footers[0])
    return Report(headers[0], records, footers[0])


def _refuse_interrupted(
    path: Path, header: Header, interruptions: Sequence[Interruption], lines: Sequence[Line]
) -> NoReturn:
    if len(interruptions) > 1:
        raise ReportDuplicated(f"{path}: {len(interruptions)} interruptions")
    if any(isinstance(line, Footer) for line in lines):
        raise ReportInconsistent(f"{path}: has a footer, and an interruption in the footer's place")
    if lines[-1] is not interruptions[0]:
        raise ReportReordered(f"{path}: goes on after its interruption")
    judged = sum(isinstance(line, VerdictRecord) for line in lines)
    raise ReportInterrupted(
        f"{path}: interrupted by {interruptions[0].by} after {judged} of {header.checks} checks"
    )


def _numbered(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _line(path: Path, number: int, line: str, text: str) -> Line:
    is_cut = not text.endswith("\n") and text.endswith(line)
    try:
        values = json.loads(line, parse_constant=_no_number, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError) as error:
        if is_cut:
            raise ReportTruncated(f"{path}: line {number} is cut") from error
        raise ReportMalformed(f"{path}: line {number} isn't JSON: {error}") from error
    kind = values.get("kind") if isinstance(values, dict) else None
    form = KINDS.get(kind) if isinstance(kind, str) else None
    if form is None:
        raise ReportMalformed(f"{path}: line {number} is no header, verdict, footer or interruption")
    if form is Header and values.get("schema") != SCHEMA_VERSION:
        raise ReportIncomparable(f"{path}: schema {values.get('schema')!r}, this is {SCHEMA_VERSION}")
    if wrong := jsonschema.exceptions.best_match(_validator(str(kind)).iter_errors(values)):
        field = ".".join(str(part) for part in wrong.absolute_path)
        where = f"line {number}, a {kind}" + (f", field {field}" if field else "")
        raise ReportMalformed(f"{path}: {where}: {wrong.message[:WORDS_SHOWN]}")
    # Fields that a later writer added under the same schema version are passed over.
    return _build(form, {one.name: values[one.name] for one in fields(form) if one.name in values})


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(values := dict(pairs)) < len(pairs):
        raise ValueError("a key is there twice")
    return values


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


@cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    whole = schema()
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": whole["$defs"]})


def _build(form: type[Any], values: dict[str, Any]) -> Line:
    for name in ("subjects", "stores", "reasons", "unmatched", "newly_passing"):
        if isinstance(values.get(name), list):
            values[name] = tuple(values[name])
    if form is VerdictRecord:
        values["verdict"] = Verdict(values["verdict"])
    if form is Header:
        values["requirements"] = {
            name: _requirement(one) for name, one in values.get("requirements", {}).items()
        }
    line: Line = form(**values)
    return line


def _requirement(values: dict[str, Any]) -> Requirement:
    known = {one.name: values[one.name] for one in fields(Requirement)}
    return Requirement(**known | {"stores": tuple(values["stores"])})


def _refuse_duplicates(
    path: Path, headers: Sequence[Header], footers: Sequence[Footer], records: Sequence[VerdictRecord]
) -> None:
    for name, found in (("headers", headers), ("footers", footers)):
        if len(found) > 1:
            raise ReportDuplicated(f"{path}: {len(found)} {name}")
    for check, number in Counter(record.check for record in records).items():
        if number > 1:
            raise ReportDuplicated(f"{path}: {check} is recorded {number} times")


def _refuse_disorder(path: Path, lines: Sequence[Line], records: Sequence[VerdictRecord]) -> None:
    if not isinstance(lines[0], Header):
        raise ReportReordered(f"{path}: doesn't begin with its header")
    if not isinstance(lines[-1], Footer):
        raise ReportReordered(f"{path}: goes on after its footer")
    for place, number in enumerate(sorted(record.number for record in records), start=1):
        if number > place:
            raise ReportInconsistent(f"{path}: record {place} is missing")
        if number < place:
            raise ReportDuplicated(f"{path}: two records have the number {number}")
    for place, record in enumerate(records, start=1):
        if record.number != place:
            raise ReportReordered(f"{path}: {record.check} is record {record.number}, found in place {place}")


def _refuse_contradictions(
    path: Path, header: Header, records: Sequence[VerdictRecord], footer: Footer
) -> None:
    counts = Counter(record.verdict.value for record in records)
    stated = {verdict: number for verdict, number in footer.counts.items() if number}
    if stated != dict(counts):
        raise ReportInconsistent(f"{path}: the footer counts {stated}, the records {dict(counts)}")
    if len(records) > header.checks or (footer.full and len(records) != header.checks):
        raise ReportInconsistent(f"{path}: {header.checks} checks announced, {len(records)} recorded")
    for record in records:
        if record.verdict is Verdict.PASS and record.comparisons < 1:
            raise ReportInconsistent(f"{path}: {record.check} passes and compared nothing")
    if bool(footer.exit_code) != bool(footer.reasons):
        raise ReportInconsistent(f"{path}: exit code {footer.exit_code} with reasons {list(footer.reasons)}")
    red = [
        record.check
        for record in records
        if record.verdict is Verdict.ERROR or (record.verdict is Verdict.FAIL and record.level == "MUST")
    ]
    if footer.exit_code == 0 and red:
        raise ReportInconsistent(f"{path}: exit code 0 although {red[0]} is red")
    if footer.exit_code == 0 and len(records) != header.checks:
        raise ReportInconsistent(f"{path}: exit code 0 with {len(records)} of {header.checks} checks")
    if footer.exit_code == 0 and not any(record.verdict in PROVING for record in records):
        raise ReportInconsistent(f"{path}: exit code 0 although nothing was compared")
