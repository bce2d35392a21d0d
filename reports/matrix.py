"""The matrix: requirement area and subject down, stores across."""

from __future__ import annotations

from collections import Counter
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


def arranged(found: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """What was found, first in the wanted order, then what nobody asked for, in its own."""
    names = dict.fromkeys(found)
    return [*(name for name in wanted if name in names), *(name for name in names if name not in wanted)]


def matrix(records: Sequence[VerdictRecord], order: Order | None = None) -> Table:
    """Areas by name; subjects and stores in the run's order, whatever order the checks ended in."""
    order = order or Order()
    areas = sorted({record.area for record in records})
    subjects = arranged((record.subject for record in records), order.subjects)
    stores = arranged((record.store for record in records), (NO_STORE, *order.stores))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("area", "subject", *("no store" if store == NO_STORE else store for store in stores)):
        table.add_column(title, overflow="fold")
    for area in areas:
        for number, subject in enumerate(subjects):
            mine = [record for record in records if record.area == area and record.subject == subject]
            cells = [cell(record.verdict for record in mine if record.store == store) for store in stores]
            table.add_row(area if number == 0 else "", subject, *cells, end_section=subject == subjects[-1])
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
