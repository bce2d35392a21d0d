"""A comparison for a terminal of 100 columns, and as JSON values for machines."""

from __future__ import annotations

from typing import Any

from reports.block import differs
from reports.comparison import WORSE, Change, Comparison, Pair, growth
from reports.matrix import WIDTH
from reports.model import Verdict, VerdictRecord
from reports.outcome import counted
from reports.printable import printable

SHOWN = 20
"""Checks of one class that the terminal shows; the JSON holds all."""
MEANING = {
    Change.REGRESSED: "it was proven before, and fails now",
    Change.NEWLY_RED: "it proved nothing before or was red in another way, and is red now",
    Change.VANISHED: "the check is gone",
    Change.SILENCED: "nobody knows any more whether it holds",
    Change.WITHDRAWN: "the subject says now that it can't",
    Change.NEWLY_KNOWN: "somebody recorded this failure",
    Change.STILL_RED: "red before and now",
    Change.FIXED: "red or a known failure before, and passes now",
    Change.NEWLY_PROVEN: "it proved nothing before, and passes now",
    Change.SETTLED: "it broke or did not run before; now the subject says that it can't",
    Change.NEW: "only NEW has the check",
}


def lines(comparison: Comparison) -> list[str]:
    """What explains it, then each class worst first, then speed; without the verdict."""
    found = _section("changed between the two", "", list(comparison.changed))
    for change, meaning in MEANING.items():
        pairs = comparison.of(change)
        found += _section(f"{change} ({counted(len(pairs), 'check')})", meaning, _rows(pairs))
    found += _section(
        f"much slower ({counted(len(comparison.slower), 'check')})",
        "for information, never a failure",
        _cut([_slower(pair) for pair in comparison.slower]),
    )
    found += _section(
        f"comparing much less ({counted(len(comparison.thinner), 'check')})",
        "for information, never a failure",
        _cut([_thinner(pair) for pair in comparison.thinner]),
    )
    if any(comparison.left_out.values()):
        alone = " and ".join(
            f"{number} that {name} alone has" for name, number in comparison.left_out.items()
        )
        found += [f"left out: {alone}", ""]
    return [_fitting(line) for line in found]


def verdict(comparison: Comparison) -> str:
    """One line: whether anything got worse, and how many checks changed in which way."""
    # The worse ones come first: Change is in that order.
    parts = [
        f"{number} {change}" for change, number in comparison.counts.items() if change is not Change.SAME
    ]
    outcome = "worse" if comparison.is_worse else "nothing got worse"
    return f"{outcome}: {', '.join(parts) or 'no check changed'} of {len(comparison.pairs)} compared"


def as_values(comparison: Comparison) -> dict[str, Any]:
    """For json.dump; unchanged checks are counted only."""
    return {
        "worse": comparison.is_worse,
        "compared": len(comparison.pairs),
        "counts": {str(change): number for change, number in comparison.counts.items()},
        "changed": list(comparison.changed),
        "left_out": dict(comparison.left_out),
        "checks": [_values(pair) for pair in comparison.pairs if pair.change is not Change.SAME],
        "slower": [_values(pair) for pair in comparison.slower],
        "comparing_less": [_values(pair) for pair in comparison.thinner],
    }


def reason(record: VerdictRecord | None) -> str | None:
    """The first difference, or else what was said, in one line."""
    if record is None or record.verdict is Verdict.PASS:
        return None
    text = differs(record) or record.message or record.what or ""
    return text.partition("\n")[0] or None


def _values(pair: Pair) -> dict[str, Any]:
    record = pair.record
    return {
        "change": str(pair.change),
        "worse": pair.change in WORSE,
        **{name: getattr(record, name) for name in ("check", "area", "requirement", "level")},
        **{name: getattr(record, name) for name in ("subject", "version", "store", "store_version")},
        "old": pair.old and str(pair.old.verdict),
        "new": pair.new and str(pair.new.verdict),
        "old_seconds": pair.old and pair.old.seconds,
        "new_seconds": pair.new and pair.new.seconds,
        "old_comparisons": pair.old and pair.old.comparisons,
        "new_comparisons": pair.new and pair.new.comparisons,
        "first_difference": reason(pair.new),
    }


def _section(title: str, meaning: str, rows: list[str]) -> list[str]:
    return [f"{title}: {meaning}" if meaning else f"{title}:", *rows, ""] if rows else []


def _rows(pairs: list[Pair]) -> list[str]:
    rows: list[str] = []
    said = None
    for pair in pairs[:SHOWN]:
        record = pair.record
        old = str(pair.old.verdict) if pair.old else "absent"
        new = str(pair.new.verdict) if pair.new else "absent"
        must = "" if record.level == "MUST" else f" ({record.level})"
        where = f"  {record.area:<7} {record.requirement:<12} {record.subject:<12} {record.store:<6}"
        rows += [f"{where} {old} -> {new}{must}", f"          {_test(record)}"]
        why = reason(pair.new)
        if why and why != said:  # a store that is missing says the same a hundred times
            rows.append(f"          {why}")
        said = why
    return rows + _more(len(pairs))


def _test(record: VerdictRecord) -> str:
    """The test's own name and parameters, without its folder."""
    return record.check.rpartition("/")[2]


def _slower(pair: Pair) -> str:
    assert pair.old and pair.new
    factor = pair.new.seconds / pair.old.seconds if pair.old.seconds else float("inf")
    times = f"{pair.old.seconds:.1f} -> {pair.new.seconds:.1f} s"
    return f"  {growth(pair):+7.1f} s  {factor:5.1f} times  {times:>16}  {_test(pair.record)}"


def _thinner(pair: Pair) -> str:
    assert pair.old and pair.new
    return f"  {pair.old.comparisons} -> {pair.new.comparisons} comparisons  {_test(pair.record)}"


def _cut(rows: list[str]) -> list[str]:
    return rows[:SHOWN] + _more(len(rows))


def _more(number: int) -> list[str]:
    return [f"  ... and {number - SHOWN} more; --json has them all"] if number > SHOWN else []


def _fitting(line: str) -> str:
    line = printable(line)
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
