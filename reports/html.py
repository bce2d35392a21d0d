"""A report as one HTML file that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reports import findings, matrix
from reports.block import rows as block_rows
from reports.contrast import contrast
from reports.facts import facts, is_long, order_of
from reports.matrix import WORDS, store_title
from reports.model import Verdict, VerdictRecord
from reports.outcome import counted
from reports.printable import printable_text
from reports.prose import parts
from reports.reader import Report
from reports.summary import verdict_line

FOLDER = Path(__file__).with_name("page")
CLASSES = {verdict: word.lower() for verdict, word in WORDS.items()}


@dataclass(frozen=True)
class Part:
    """Such as "3 FAIL" within a cell, and where it leads."""

    verdict: Verdict
    text: str
    anchor: str


@dataclass(frozen=True)
class Cell:
    """One area, subject and store."""

    anchor: str
    store: str
    records: tuple[VerdictRecord, ...]

    @property
    def parts(self) -> list[Part]:
        """The cell's words, worst first; what is red leads to its first failure."""
        found = []
        for verdict, word in WORDS.items():
            mine = [record for record in self.records if record.verdict is verdict]
            if mine:
                anchor = f"check-{mine[0].number}" if verdict in findings.RED else self.anchor
                found.append(Part(verdict, f"{len(mine)} {word}", anchor))
        return found

    @property
    def only_passes(self) -> bool:
        return all(record.verdict is Verdict.PASS for record in self.records)


@dataclass(frozen=True)
class Row:
    """One subject in one area."""

    area: str
    subject: str
    cells: tuple[Cell, ...]


def html(report: Report) -> str:
    """The page; every text of the report is escaped, and its control characters are made visible."""
    header, records = report.header, report.records
    order = order_of(report)
    areas = [(area, list(group)) for area, group in groupby(_rows(records, order), key=lambda row: row.area)]
    by_cell = [record for _, group in areas for row in group for cell in row.cells for record in cell.records]
    red = findings.failures(by_cell)
    known, missing, lacking = findings.known(records), findings.missing(records), findings.lacking(records)
    contents = [
        ("matrix", "Matrix", None, bool(records)),
        ("failures", "Failures", len(red), bool(red)),
        ("known", "Known failures", len(known), bool(known)),
        ("not-run", "Not run", None, bool(missing or lacking)),
        ("run", "What ran", None, True),
        ("requirements", "Requirements", len(header.requirements), bool(header.requirements)),
        ("checks", "All checks", len(records), bool(records)),
    ]
    page = _environment().get_template("page.html.j2")
    return page.render(
        style=Markup((FOLDER / "page.css").read_text(encoding="utf-8").strip()),
        header=header,
        footer=report.footer,
        records=records,
        verdict_line=verdict_line(report.footer),
        contents=[entry[:3] for entry in contents if entry[3]],
        stores=[store_title(store) for store in matrix.stores_of(records, order)],
        areas=areas,
        failures=[_failure(record, report) for record in red],
        known=known,
        missing=missing,
        lacking=lacking,
        facts=facts(report),
        requirements=list(header.requirements.values()),
        classes=CLASSES,
        words=WORDS,
        red=findings.RED,
    )


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,  # of everything that the page shows, so that nothing can be forgotten
        keep_trailing_newline=True,
    )
    made.filters |= {
        "prose": _prose,
        "anchor": _anchor,
        "store": store_title,
        "counted": counted,
        "place": _place,
        "breakable": _breakable,
        "test": lambda check: check.rpartition("/")[2],
    }
    return made


def _printable(value: object) -> object:
    return printable_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _rows(records: tuple[VerdictRecord, ...], order: matrix.Order) -> list[Row]:
    stores = matrix.stores_of(records, order)
    return [
        Row(
            row.area,
            row.subject,
            tuple(
                Cell(f"cell-{number}-{store}", stores[store], cell) for store, cell in enumerate(row.cells)
            ),
        )
        for number, row in enumerate(matrix.rows(records, order))
    ]


def _failure(record: VerdictRecord, report: Report) -> dict[str, object]:
    rule = report.header.requirements.get(record.requirement)
    lines = dict(block_rows(record, rule, seed=report.header.seed, long=is_long(report)))
    expected, actual = contrast(lines.get("expected", ""), lines.get("actual", ""))
    marked = {"expected": expected, "actual": actual}
    return {"record": record, "rule": rule, "rows": lines.items(), "marked": marked}


def _prose(text: str) -> Markup:
    """Escaped, and what stands between backticks as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if is_code else escape(part)
        for part, is_code in parts(printable_text(text))
    )


def _breakable(name: str) -> Markup:
    """A path or a test's name, which a narrow column may break after a separator."""
    return Markup("<wbr>").join(re.findall(r"[^/_\[-]*[/_\[-]|[^/_\[-]+", printable_text(name)))


def _anchor(identity: str) -> str:
    return "requirement-" + re.sub(r"[^A-Za-z0-9-]", "_", identity)


def _place(address: str) -> str:
    """Short enough for a column: the host."""
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address
