"""The matrix: requirement area and subject down, stores across."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.catalogue import NO_STORE
from reports.model import Verdict, VerdictRecord

WIDTH = 100
WORDS = {  # worst first; capitals make what matters stand out where there is no colour
    Verdict.ERROR: "ERROR",
    Verdict.FAIL: "FAIL",
    Verdict.PASS: "pass",
    Verdict.KNOWN_FAIL: "known",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.NOT_RUN: "NOT-RUN",
}
STYLES = {
    Verdict.ERROR: "bold magenta",
    Verdict.FAIL: "bold red",
    Verdict.PASS: "green",
    Verdict.KNOWN_FAIL: "yellow",
    Verdict.UNSUPPORTED: "dim",
    Verdict.NOT_RUN: "dim",
}


def cell(verdicts: Iterable[Verdict]) -> Text:
    """Such as "12 pass", "11 pass 1 known", "NOT-RUN"; "-" where nothing was to be checked."""
    counts = Counter(verdicts)
    if not counts:
        return Text("-")
    if set(counts) == {Verdict.NOT_RUN}:
        return Text(WORDS[Verdict.NOT_RUN], STYLES[Verdict.NOT_RUN])
    parts = [
        Text(f"{counts[verdict]} {word}", STYLES[verdict])
        for verdict, word in WORDS.items()
        if counts[verdict]
    ]
    return Text(" ").join(parts)


@dataclass(frozen=True)
class Order:
    """The subjects and stores of a run in the order in which they were asked for."""

    subjects: Sequence[str] = ()
    stores: Sequence[str] = ()


@dataclass(frozen=True)
class Row:
    """One subject in one area; `cells` are its records store by store."""

    area: str
    subject: str
    cells: tuple[tuple[VerdictRecord, ...], ...]


def arranged(found: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """What was found, first in the wanted order, then what nobody asked for, in its own."""
    names = dict.fromkeys(found)
    return [*(name for name in wanted if name in names), *(name for name in names if name not in wanted)]


def stores_of(records: Sequence[VerdictRecord], order: Order | None = None) -> list[str]:
    """The columns, in the run's order."""
    wanted = (order or Order()).stores
    return arranged((record.store for record in records), (NO_STORE, *wanted))


def store_title(store: str) -> str:
    """What a column is called."""
    return "no store" if store == NO_STORE else store


def rows(records: Sequence[VerdictRecord], order: Order | None = None) -> list[Row]:
    """Areas by name; subjects and stores in the run's order, whatever order the checks ended in."""
    cells: defaultdict[tuple[str, str, str], list[VerdictRecord]] = defaultdict(list)
    for record in records:
        cells[record.area, record.subject, record.store].append(record)
    stores = stores_of(records, order)
    subjects = arranged((record.subject for record in records), (order or Order()).subjects)
    return [
        Row(area, subject, tuple(tuple(cells[area, subject, store]) for store in stores))
        for area in sorted({record.area for record in records})
        for subject in subjects
    ]


def matrix(records: Sequence[VerdictRecord], order: Order | None = None) -> Table:
    """The rows as a table for the terminal."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("area", "subject", *map(store_title, stores_of(records, order))):
        table.add_column(title, overflow="fold")
    area = None
    for row in rows(records, order):
        if area not in (None, row.area):
            table.add_section()
        cells = [cell(record.verdict for record in one) for one in row.cells]
        table.add_row("" if row.area == area else row.area, row.subject, *cells)
        area = row.area
    return table


def render(
    records: Sequence[VerdictRecord], order: Order | None = None, *, width: int = WIDTH, colour: bool = False
) -> str:
    """The matrix as text, at most `width` columns wide."""
    target = StringIO()
    console = Console(
        file=target,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        legacy_windows=False,
        safe_box=True,
    )
    console.print(matrix(records, order))
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines())
