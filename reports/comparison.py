"""What changed between two reports, check by check: pure data, nothing is read or printed here.

Two reports are comparable when NEW was asked for all that OLD was asked for: both full, the same tier and
seed, and OLD's subjects and stores among NEW's. Only then has a check that NEW lacks vanished; a narrower NEW
may have left it out. What more NEW covers is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reports.model import PROVING, Header, Verdict, VerdictRecord
from reports.reader import Report

MAIN_TIER = "main"
"""The tier of a report that names none: it was written before there were others."""
SLOWER_FACTOR = 2.0
SLOWER_SECONDS = 1.0
"""A check is much slower when it takes both this factor and these seconds more; short ones jitter."""
THINNER_FACTOR = 0.5
"""A check compares much less when it makes fewer comparisons than this part of the earlier ones."""


class Change(StrEnum):
    """The class of a pair of verdicts, worst first."""

    REGRESSED = "regressed"  # it was proving, and fails now
    NEWLY_RED = "newly red"  # it proved nothing or was red otherwise, and is red now
    VANISHED = "vanished"  # the check is gone
    SILENCED = "newly NOT-RUN"  # silence isn't health
    WITHDRAWN = "newly UNSUPPORTED"  # the subject withdrew a claim
    NEWLY_KNOWN = "newly KNOWN-FAIL"  # somebody recorded a failure
    STILL_RED = "still red"
    FIXED = "fixed"
    NEWLY_PROVEN = "newly proven"  # it proved nothing, and passes now
    SETTLED = "now UNSUPPORTED"  # it broke or did not run, and now the subject says that it can't
    NEW = "new"
    SAME = "unchanged"


WORSE = frozenset({Change.REGRESSED, Change.NEWLY_RED, Change.VANISHED, Change.SILENCED, Change.WITHDRAWN})
"""A recorded failure is no part of it: recording is how a person accepts one, and it stays in sight."""

_P, _F, _E = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
_U, _N, _K = Verdict.UNSUPPORTED, Verdict.NOT_RUN, Verdict.KNOWN_FAIL
_C = Change
COLUMNS = (_P, _F, _E, _U, _N, _K, None)
"""NEW's verdict, across; None is a check that the report lacks."""
ROWS: dict[Verdict | None, tuple[Change, ...]] = {  # OLD's verdict, down
    # fmt: off
    #     PASS             FAIL          ERROR         UNSUPPORTED   NOT-RUN      KNOWN-FAIL      absent
    _P: (_C.SAME, _C.REGRESSED, _C.REGRESSED, _C.WITHDRAWN, _C.SILENCED, _C.NEWLY_KNOWN, _C.VANISHED),
    _F: (_C.FIXED, _C.STILL_RED, _C.NEWLY_RED, _C.WITHDRAWN, _C.SILENCED, _C.NEWLY_KNOWN, _C.VANISHED),
    _E: (_C.FIXED, _C.NEWLY_RED, _C.STILL_RED, _C.SETTLED, _C.SILENCED, _C.NEWLY_KNOWN, _C.VANISHED),
    _U: (_C.NEWLY_PROVEN, _C.NEWLY_RED, _C.NEWLY_RED, _C.SAME, _C.SILENCED, _C.NEWLY_KNOWN, _C.VANISHED),
    _N: (_C.NEWLY_PROVEN, _C.NEWLY_RED, _C.NEWLY_RED, _C.SETTLED, _C.SAME, _C.NEWLY_KNOWN, _C.VANISHED),
    _K: (_C.FIXED, _C.REGRESSED, _C.REGRESSED, _C.WITHDRAWN, _C.SILENCED, _C.SAME, _C.VANISHED),
    None: (_C.NEW, _C.NEWLY_RED, _C.NEWLY_RED, _C.NEW, _C.NEW, _C.NEWLY_KNOWN, _C.SAME),
    # fmt: on
}
TABLE: Mapping[tuple[Verdict | None, Verdict | None], Change] = {
    (old, new): change for old, row in ROWS.items() for new, change in zip(COLUMNS, row, strict=True)
}


@dataclass(frozen=True)
class Pair:
    """One check in both reports; a side is None where that report lacks it."""

    change: Change
    old: VerdictRecord | None
    new: VerdictRecord | None

    @property
    def record(self) -> VerdictRecord:
        """NEW's record, or OLD's of a check that is gone."""
        found = self.new or self.old
        assert found is not None
        return found


@dataclass(frozen=True)
class Comparison:
    """All pairs in NEW's order, the vanished last; `changed` holds what may explain them."""

    pairs: tuple[Pair, ...]
    changed: tuple[str, ...] = ()
    slower: tuple[Pair, ...] = ()  # slowest growth first
    thinner: tuple[Pair, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)  # "OLD", "NEW": checks of that report alone

    @property
    def counts(self) -> dict[Change, int]:
        """Checks by class, worst class first, those that occur."""
        found = Counter(pair.change for pair in self.pairs)
        return {change: found[change] for change in Change if found[change]}

    @property
    def is_worse(self) -> bool:
        """Whether anything got worse."""
        return any(pair.change in WORSE for pair in self.pairs)

    def of(self, change: Change) -> list[Pair]:
        """The pairs of one class, by area, requirement, subject and store."""
        return sorted(
            (pair for pair in self.pairs if pair.change is change),
            key=lambda pair: (
                pair.record.area,
                pair.record.requirement,
                pair.record.subject,
                pair.record.store,
            ),
        )


def tier_of(header: Header) -> str:
    """ "main" or "long"."""
    return str(header.configuration.get("tier", MAIN_TIER))


def obstacles(old: Report, new: Report) -> list[str]:
    """Why a check that NEW lacks may just not have been asked for; empty where both are comparable."""
    found = []
    for name, report in (("OLD", old), ("NEW", new)):
        if not report.records:
            found.append(f"{name} holds no checks")
        if not report.footer.full:
            found.append(f"{name} is a narrowed run of {len(report.records)} checks")
    if tier_of(old.header) != tier_of(new.header):
        found.append(f"OLD is of the {tier_of(old.header)} tier, NEW of the {tier_of(new.header)} one")
    if old.header.seed != new.header.seed:
        found.append(f"OLD's seed is {old.header.seed}, NEW's {new.header.seed}")
    for word, had, has in (
        ("subject", old.header.subjects, new.header.subjects),
        ("store", old.header.stores, new.header.stores),
    ):
        if missing := [name for name in had if name not in has]:
            found.append(f"NEW was run without the {word} {', '.join(missing)}")
    return found


def compare(old: Report, new: Report, *, only_common: bool = False) -> Comparison:
    """Every check of both, or with `only_common` those that both have; see `obstacles` first."""
    before = {record.check: record for record in old.records}
    after = {record.check: record for record in new.records}
    names = [*after, *(name for name in before if name not in after)]
    left_out = {}
    if only_common:
        left_out = {"OLD": len(before.keys() - after.keys()), "NEW": len(after.keys() - before.keys())}
        names = [name for name in names if name in before and name in after]
    pairs = tuple(_pair(before.get(name), after.get(name)) for name in names)
    both = [pair for pair in pairs if _proves(pair.old) and _proves(pair.new)]
    slower = [pair for pair in both if _is_slower(pair)]
    return Comparison(
        pairs=pairs,
        changed=tuple(changed_conditions(old, new)),
        slower=tuple(sorted(slower, key=lambda pair: -growth(pair))),
        thinner=tuple(pair for pair in both if _is_thinner(pair)),
        left_out=left_out,
    )


def growth(pair: Pair) -> float:
    """Seconds that the check takes more than before."""
    return pair.new.seconds - pair.old.seconds if pair.old and pair.new else 0.0


def changed_conditions(old: Report, new: Report) -> list[str]:
    """Versions of subjects, stores and libraries, the machine and the run's settings, where they differ."""
    lines = []
    for name in dict.fromkeys((*old.footer.subjects, *new.footer.subjects)):
        had, has = old.footer.subjects.get(name, {}), new.footer.subjects.get(name, {})
        lines += _moved(f"subject {name}", had, has)
    lines += _moved("store", old.footer.stores, new.footer.stores)
    lines += _moved("installed", old.header.versions, new.header.versions)
    lines += _moved("machine", _words(old.header.machine), _words(new.header.machine))
    lines += _moved("setting", _settings(old.header), _settings(new.header))
    return lines + _relevelled(old, new)


def _pair(old: VerdictRecord | None, new: VerdictRecord | None) -> Pair:
    return Pair(TABLE[old.verdict if old else None, new.verdict if new else None], old, new)


def _proves(record: VerdictRecord | None) -> bool:
    return record is not None and record.verdict in PROVING


def _is_slower(pair: Pair) -> bool:
    assert pair.old and pair.new
    return growth(pair) >= SLOWER_SECONDS and pair.new.seconds >= SLOWER_FACTOR * pair.old.seconds


def _is_thinner(pair: Pair) -> bool:
    assert pair.old and pair.new
    same_verdict = pair.old.verdict is pair.new.verdict is Verdict.PASS
    return same_verdict and pair.new.comparisons < THINNER_FACTOR * pair.old.comparisons


def _moved(title: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [
        f"{title} {name}: {old.get(name, 'absent')} -> {new.get(name, 'absent')}"
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]


def _relevelled(old: Report, new: Report) -> list[str]:
    """Requirements that were a MUST and aren't, or the other way round: a demoted one fails no run."""
    had = {record.requirement: record.level for record in old.records}
    has = {record.requirement: record.level for record in new.records if record.requirement in had}
    return _moved("level of", {name: had[name] for name in has}, has)


def _words(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _settings(header: Header) -> dict[str, str]:
    return {"seed": str(header.seed), "tier": tier_of(header)}
