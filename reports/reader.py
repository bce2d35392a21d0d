"""Reads a report back, and refuses one that can't be trusted; each way to be refused is a class of its own.

ReportRefused
├── ReportEmpty          nothing in it
├── ReportTruncated      the run ended before its footer, or the file was cut
├── ReportDuplicated     two runs in one file, or one check recorded twice
├── ReportMalformed      a line that isn't one of the schema's
├── ReportInconsistent   its parts contradict each other
└── ReportIncomparable   written under another schema version
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from reports.model import KINDS, PROVING, SCHEMA_VERSION, Footer, Header, Line, Verdict, VerdictRecord


class ReportRefused(Exception):
    """The report can't be used; the message names the file and the reason."""


class ReportEmpty(ReportRefused):
    """The file holds nothing."""


class ReportTruncated(ReportRefused):
    """The report ends before its footer does."""


class ReportDuplicated(ReportRefused):
    """Something that exists once in a report exists twice in this one."""


class ReportMalformed(ReportRefused):
    """A line isn't one of the schema's."""


class ReportInconsistent(ReportRefused):
    """Parts of the report contradict each other."""


class ReportIncomparable(ReportRefused):
    """The report was written under another schema version."""


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
    _refuse_duplicates(path, headers, footers, records)
    if not headers or lines[0] is not headers[0]:
        raise ReportInconsistent(f"{path}: doesn't begin with a header")
    if not footers:
        raise ReportTruncated(f"{path}: no footer after {len(records)} of {headers[0].checks} checks")
    if lines[-1] is not footers[0]:
        raise ReportInconsistent(f"{path}: goes on after its footer")
    _refuse_contradictions(path, headers[0], records, footers[0])
    return Report(headers[0], records, footers[0])


def _numbered(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _line(path: Path, number: int, line: str, text: str) -> Line:
    is_cut = not text.endswith("\n") and text.endswith(line)
    try:
        values = json.loads(line)
    except ValueError as error:
        if is_cut:
            raise ReportTruncated(f"{path}: line {number} is cut") from error
        raise ReportMalformed(f"{path}: line {number} isn't JSON: {error}") from error
    kind = values.get("kind") if isinstance(values, dict) else None
    form = KINDS.get(kind) if isinstance(kind, str) else None
    if form is None:
        raise ReportMalformed(f"{path}: line {number} is no header, verdict or footer")
    if form is Header and values.get("schema") != SCHEMA_VERSION:
        raise ReportIncomparable(f"{path}: schema {values.get('schema')!r}, this is {SCHEMA_VERSION}")
    if missing := [field.name for field in fields(form) if _required(field) and field.name not in values]:
        raise ReportMalformed(f"{path}: line {number}, a {kind}, lacks {missing[0]}")
    # Fields that a later writer added under the same schema version are passed over.
    return _build(path, number, form, {f.name: values[f.name] for f in fields(form) if f.name in values})


def _required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _build(path: Path, number: int, form: type[Any], values: dict[str, Any]) -> Line:
    where = f"{path}: line {number}"
    for name in ("subjects", "stores", "reasons", "unmatched", "newly_passing"):
        if isinstance(values.get(name), list):
            values[name] = tuple(values[name])
    if form is VerdictRecord:
        if values["verdict"] not in set(Verdict):
            raise ReportMalformed(f"{where}: no such verdict: {values['verdict']!r}")
        values["verdict"] = Verdict(values["verdict"])
    for name in ("comparisons", "checks", "exit_code", "seed", "offset"):
        if name in values and values[name] is not None and type(values[name]) is not int:
            raise ReportMalformed(f"{where}: {name} isn't a whole number")
    if form is Footer and not isinstance(values["counts"], dict):
        raise ReportMalformed(f"{where}: counts isn't a table")
    line: Line = form(**values)
    return line


def _refuse_duplicates(
    path: Path, headers: Sequence[Header], footers: Sequence[Footer], records: Sequence[VerdictRecord]
) -> None:
    for name, found in (("headers", headers), ("footers", footers)):
        if len(found) > 1:
            raise ReportDuplicated(f"{path}: {len(found)} {name}")
    for check, number in Counter(record.check for record in records).items():
        if number > 1:
            raise ReportDuplicated(f"{path}: {check} is recorded {number} times")


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
    if footer.exit_code == 0 and not any(record.verdict in PROVING for record in records):
        raise ReportInconsistent(f"{path}: exit code 0 although nothing was compared")
