"""The automatic mutants' standing as Markdown and CSV."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from reports.automatic import WAYS, Mutant, Pairs, Result, Standing, standing
from reports.automatic_entries import Entry

#: checks of the table of killers
MOST_KILLERS = 20


def written(
    folder: Path,
    pairs: Pairs,
    explained: Mapping[str, Entry],
    left_out: Mapping[str, Counter[str]],
    drawn: tuple[int, int] | None = None,
    known: Mapping[str, Entry] = MappingProxyType({}),
) -> Standing:
    """Writes `automatic.md` and `automatic.csv` into `folder`; where all of these mutants stand.

    `drawn`: of a sample, its seed and how many mutants there are in all. `known`: survivors with a reason.
    """
    names = frozenset(explained)
    standings = []
    for module in sorted({mutant.module for mutant, _ in pairs}):
        own = [(mutant, result) for mutant, result in pairs if mutant.module == module]
        standings.append(standing(module, own, names))
    total = standing("all", pairs, names)
    # of modules without any mutant, too: all of such a one may be out of scope
    reasons = sum(left_out.values(), Counter[str]())
    text = in_markdown(standings, total, pairs, explained, reasons, drawn, known)
    (folder / "automatic.md").write_text(text, encoding="utf-8")
    (folder / "automatic.csv").write_text(in_csv(pairs, explained), encoding="utf-8")
    for name in ("automatic.md", "automatic.csv"):
        print(folder / name)
    return total


def in_markdown(
    standings: Sequence[Standing],
    total: Standing,
    pairs: Pairs,
    explained: Mapping[str, Entry],
    left_out: Mapping[str, int],
    drawn: tuple[int, int] | None = None,
    known: Mapping[str, Entry] = MappingProxyType({}),
) -> str:
    """The rate, a row for each module, and every survivor with its change."""
    lines = [
        "# Automatic mutants",
        "",
        f"{total.kills} of {total.mutants - total.equivalent} mutants that are not equivalent are killed: "
        f"{total.rate:.1f} %. Of those whose lines some check runs: {total.reached_rate:.1f} %. "
        f"Not made and in no rate: {counted_out(left_out)}.",
        "",
        f"{total.mutants} mutants, {total.equivalent} of them equivalent, {total.survived} survived, "
        f"{total.unreached} on lines that no check runs. Killed by "
        + ", ".join(f"{way}: {total.killed[way]}" for way in WAYS)
        + ".",
        "",
        *sample_of(total, drawn),
        *short_of(pairs, explained),
        f"| module | mutants | {' | '.join(WAYS)} | equivalent | survived | unreached | rate | of reached |",
        f"|---|{'---:|' * (len(WAYS) + 6)}",
    ]
    for one in (*standings, total):
        cells = [str(one.mutants), *(str(one.killed[way]) for way in WAYS)]
        cells += [str(one.equivalent), str(one.survived), str(one.unreached)]
        cells += [f"{one.rate:.1f} %", f"{one.reached_rate:.1f} %"]
        lines.append(f"| {one.module} | {' | '.join(cells)} |")
    lines += ["", "## Killers", "", "| check | kills |", "|---|---:|"]
    lines += [f"| {check} | {kills} |" for check, kills in killers(pairs)[:MOST_KILLERS]]
    groups = (
        ("Survivors", lambda m, r: r.reached and m.name not in explained),
        ("On lines that no check runs", lambda m, r: not r.reached and m.name not in explained),
        ("Equivalent", lambda m, r: m.name in explained),
    )
    told = {**known, **explained}
    for title, belongs in groups:
        lines += ["", f"## {title}", ""]
        alive = [(m, r) for m, r in pairs if not r.killed and belongs(m, r)]
        lines += [part for m, r in alive for part in section(m, r, told)] or ["None."]
    return "\n".join(lines) + "\n"


def sample_of(total: Standing, drawn: tuple[int, int] | None) -> list[str]:
    """What a sample says of all mutants: Wilson's interval of the rate."""
    count = total.mutants - total.equivalent
    if drawn is None or not count:
        return []
    seed, population = drawn
    share, z = total.kills / count, 1.96
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low, high = (100 * (middle + sign * reach) / (1 + z * z / count) for sign in (-1, 1))
    size = f"A sample of {total.mutants} of {population} mutants, drawn by seed {seed}."
    interval = f"between {low:.1f} % and {high:.1f} %"
    return [f"{size} All of them, asked as these were, would come to a rate {interval} (95 % interval).", ""]


def short_of(pairs: Pairs, explained: Collection[str]) -> list[str]:
    """Whether some survivors might still die: who was not asked every check that runs its lines."""
    alive = [result for mutant, result in pairs if not result.killed and mutant.name not in explained]
    few = sum(result.asked < result.candidates for result in alive)
    if not few:
        return []
    return [f"Survivors not asked all checks that run their lines: {few}. The rates are lower bounds.", ""]


def counted_out(left_out: Mapping[str, int]) -> str:
    """The changes that no mutant is made of, by reason: what a rate is silent about."""
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(left_out.items())) or "none"


def section(mutant: Mutant, result: Result, entries: Mapping[str, Entry]) -> list[str]:
    """One survivor: where, what was asked, the change, and why it survives where that is known."""
    place = f"`{mutant.file}:{mutant.lines[0]}` {mutant.function or 'outside of functions'}"
    lines = [f"{place} ({mutant.operator}, {mutant.name}), {result.asked} checks", "", "```diff"]
    lines += [f"-{line}" for line in mutant.removed.splitlines()]
    lines += [f"+{line}" for line in mutant.added.splitlines()]
    lines += ["```", ""]
    reason = entries[mutant.name].reason if mutant.name in entries else ""
    return [*lines, reason, ""] if reason else lines


def killers(pairs: Pairs) -> list[tuple[str, int]]:
    """Checks and how many mutants died of each, the deadliest first."""
    counted: dict[str, int] = {}
    for _, result in pairs:
        if result.check:
            counted[result.check] = counted.get(result.check, 0) + 1
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


def in_csv(pairs: Pairs, explained: Mapping[str, Entry]) -> str:
    """A row for each mutant."""
    output = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for mutant, result in pairs:
        row = {**asdict(mutant), "first_line": mutant.lines[0], **asdict(result)}
        row |= {"equivalent": not result.killed and mutant.name in explained}
        for key in ("lines", "body", "binds", "name", "key"):
            del row[key]
        if writer is None:
            writer = csv.DictWriter(output, row.keys(), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return output.getvalue()
