"""A report as Markdown, for a pull request or a job's summary page."""

from __future__ import annotations

import re

from reports import findings, matrix
from reports.block import block
from reports.facts import facts, is_long, order_of
from reports.outcome import counted
from reports.printable import printable, printable_text
from reports.prose import parts
from reports.reader import Report
from reports.summary import verdict_line

_SPECIAL = re.compile(r"([\\`*_\[\]<>#!|~&])|^([-+=])|(?<=^\d)([.)])")


def markdown(report: Report) -> str:
    """Verdict, what ran, matrix, failures, known failures, and what did not run."""
    records = report.records
    sections = [
        f"# {escaped(verdict_line(report.footer))}",
        *([_bullets([escaped(reason) for reason in report.footer.reasons])] if report.footer.reasons else []),
        "## What ran\n\n" + _table(["", ""], [[title, escaped(text)] for title, text in facts(report)]),
    ]
    if records:
        sections.append(f"## Matrix\n\n{_matrix(report)}")
    if red := findings.failures(records):
        sections.append("## Failures")
        for record in red:
            rule = report.header.requirements.get(record.requirement)
            text = block(record, rule, seed=report.header.seed, long=is_long(report))
            title = f"{record.verdict} {record.requirement} {record.subject} {record.store}"
            sections.append(f"### {escaped(title)}\n\n{fenced(text)}")
    if known := findings.known(records):
        lines = [
            f"**{one.requirement}** {escaped(one.subject)} ({escaped(', '.join(one.stores))}): "
            f"{prose(one.sentence)}\n  Evidence: {prose(one.evidence)}"
            + (f"\n  {escaped(one.link)}" if one.link else "")
            for one in known
        ]
        sections.append("## Known failures\n\n" + _bullets(lines))
    lines = [
        f"**NOT-RUN** {escaped(one.store)} ({counted(one.checks, 'check')}): {escaped(one.reason)}\n"
        f"  Remedy: {prose(one.remedy)}"
        for one in findings.missing(records)
    ] + [
        f"**UNSUPPORTED** {escaped(one.subject)} ({counted(one.checks, 'check')}): {escaped(one.state)}"
        for one in findings.lacking(records)
    ]
    if lines:
        sections.append("## Not run\n\n" + _bullets(lines))
    return "\n\n".join(sections) + "\n"


def escaped(text: str) -> str:
    """The text as itself: no character of it means anything to Markdown or HTML."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", printable(text))


def prose(text: str) -> str:
    """Escaped, except that what stands between backticks stays code."""
    return "".join(f"`{printable(part)}`" if is_code else escaped(part) for part, is_code in parts(text))


def fenced(text: str) -> str:
    """A code block whose fence is longer than any within the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{printable_text(text)}\n{fence}"


def _matrix(report: Report) -> str:
    order = order_of(report)
    titles = ["area", "subject", *map(matrix.store_title, matrix.stores_of(report.records, order))]
    return _table(
        [escaped(title) for title in titles],
        [
            [
                escaped(row.area),
                escaped(row.subject),
                *(escaped(matrix.cell(record.verdict for record in one).plain) for one in row.cells),
            ]
            for row in matrix.rows(report.records, order)
        ],
    )


def _table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
