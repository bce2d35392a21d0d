"""What the last report says of one requirement, and why it can't be asked where that is so."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reports import matrix
from reports.catalogue import Requirement
from reports.facts import order_of, tier
from reports.findings import RED
from reports.model import VerdictRecord
from reports.reader import Report, ReportRefused, read_report

RUN = "run it: tox -e conformance"
SOURCES = ("suites/conformance", "suites/requirements", "fixtures")


@dataclass(frozen=True)
class LastReport:
    """`remarks` say what limits the worth of the `lines`; without a report there are no lines."""

    lines: tuple[str, ...]
    remarks: tuple[str, ...]


def last_report(path: Path, requirement: Requirement, root: Path) -> LastReport:
    """How each subject fared with the requirement on each store.

    Files under `root` that the checks consist of, where they are younger than the report, make it an old one.
    """
    try:
        report = read_report(path)
    except ReportRefused as refused:
        return LastReport((), (f"refused: {refused}; {RUN}",))
    except OSError as error:
        return LastReport((), (f"none: {path}: {error.strerror or error}; {RUN}",))
    mine = [record for record in report.records if record.requirement == requirement.id]
    head = f"{path}, {report.header.started}, {tier(report)}"
    remarks = [*_contents(mine, requirement), *_age(report, root)]
    if any(record.verdict in RED for record in mine):
        remarks.append(f"python -m tooling report {shlex.quote(str(path))} shows each failure")
    return LastReport((head, *_verdicts(mine, report)), tuple(remarks))


def _verdicts(records: list[VerdictRecord], report: Report) -> list[str]:
    order = order_of(report)
    stores = matrix.stores_of(records, order)
    found = []
    for row in matrix.rows(records, order):
        versions = {record.version for cell in row.cells for record in cell if record.version}
        cells = [
            f"{matrix.store_title(store)} {matrix.cell(record.verdict for record in cell).plain}"
            for store, cell in zip(stores, row.cells, strict=True)
        ]
        found.append(f"{' '.join([row.subject, *sorted(versions)])}: {', '.join(cells)}")
    return found


def _contents(records: list[VerdictRecord], requirement: Requirement) -> list[str]:
    if not records:
        return [f"{requirement.id} is not in it: the run was another tier's or a narrowed one"]
    if any(record.sentence != requirement.sentence for record in records):
        return [f"old: the sentence was another one then: {records[0].sentence}"]
    return []


def _age(report: Report, root: Path) -> list[str]:
    try:
        began = datetime.fromisoformat(report.header.started).astimezone(UTC).timestamp()
    except ValueError:
        return [f"its time, {report.header.started!r}, can't be read"]
    files = [
        file for folder in SOURCES for file in (root / folder).rglob("*") if file.suffix in (".py", ".toml")
    ]
    younger = [file for file in files if file.stat().st_mtime > began]
    if not younger:
        return []
    newest = max(younger, key=lambda file: file.stat().st_mtime)
    return [f"old: {len(younger)} files of the suite are younger, such as {newest.relative_to(root)}; {RUN}"]
