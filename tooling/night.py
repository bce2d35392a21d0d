"""From a night's run and the nights before it to the night's verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tooling.history import History, stamp_of

if TYPE_CHECKING:
    from reports.comparison import Comparison
    from reports.reader import Report

ENDINGS = {2: "interrupted", 3: "an internal error", 4: "a usage error", 5: "no tests"}
"""pytest's exit codes beyond 0 and 1: https://docs.pytest.org/en/stable/reference/exit-codes.html"""


@dataclass(frozen=True)
class Night:
    """What a night came to. It is green without reasons."""

    reasons: tuple[str, ...]
    praise: str = ""  # what a green one says
    lines: tuple[str, ...] = ()  # what changed


def judge(code: int, path: Path, history: History, *, is_new_baseline: bool) -> Night:
    """From pytest's exit code and report, and the nights before, to the night's verdict."""
    from reports.outcome import counted
    from reports.reader import ReportRefused, read_report

    how = f"pytest ended with exit code {code}" if code >= 0 else f"pytest was killed by signal {-code}"
    crashed = (f"{how} ({ENDINGS[code]})" if code in ENDINGS else how,) if code not in (0, 1) else ()
    try:
        new = read_report(path)
    except FileNotFoundError:
        return Night((*crashed, "no report was written"))
    except ReportRefused as refusal:
        return Night((*crashed, str(refusal).replace(f"{path}: ", "the report: ")))
    reasons = [*crashed, *(reason.partition(": ")[0] for reason in new.footer.reasons)]
    if not crashed and code != new.footer.exit_code:
        reasons.append(f"{how}, and its report says {new.footer.exit_code}")
    if not new.footer.full:
        reasons.append("a narrowed run: pytest's arguments left checks out")
    before, worse, lines = against_last_good(new, history, is_new_baseline=is_new_baseline)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in new.footer.counts.items() if number)
    praise = f"{counted(len(new.records), 'check')}, {counts}; {before}"
    return Night((*reasons, *worse), praise, tuple(lines))


def against_last_good(
    new: Report, history: History, *, is_new_baseline: bool
) -> tuple[str, list[str], list[str]]:
    """(what it was held against, why that makes the night red, what changed)."""
    from reports import comparison, comparison_text

    good, damaged = last_good(history)
    notes = [f"passed over, since it can't be used: {reason}" for reason in damaged]
    if good is None:
        if damaged and not is_new_baseline:
            return "", ["no green night of the history can be read; see --new-baseline"], notes
        return "the first night, nothing to compare with", [], notes
    path, old = good
    since = f"since {stamp_of(path)}"
    obstacles = comparison.obstacles(old, new)
    found: Comparison = comparison.compare(old, new, only_common=bool(obstacles))
    lines = [*notes, f"OLD is the last good night, {path.name}; NEW is this one.", ""]
    lines += [*(f"not comparable in whole: {one}" for one in obstacles), *comparison_text.lines(found)]
    if is_new_baseline:
        return f"a new baseline, {comparison_text.verdict(found)} {since}", [], lines
    reasons = []
    if obstacles and new.footer.full:  # what a narrowed night left out is said already
        what = f"not the scope of {stamp_of(path)}: {'; '.join(obstacles)}"
        reasons.append(f"{what}; another scope needs another --history, or --new-baseline")
    if found.is_worse:
        reasons.append(f"{comparison_text.verdict(found)} {since}")
    return f"{comparison_text.verdict(found)} {since}", reasons, lines


def last_good(history: History) -> tuple[tuple[Path, Report] | None, list[str]]:
    """The latest night that is green by name and by content, and what is wrong with later ones."""
    from reports.reader import ReportRefused, read_report

    damaged = []
    for path in history.green():
        try:
            report = read_report(path)
        except (ReportRefused, OSError) as error:
            damaged.append(str(error))
            continue
        if report.footer.exit_code == 0 and report.footer.full:
            return (path, report), damaged
        damaged.append(f"{path}: isn't the report of a green night")
    return None, damaged
