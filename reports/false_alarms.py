"""Many runs of one suite under different circumstances, judged: which verdicts depend on them.

A check is flaky if its verdict isn't the same in every run, a run's own exit code counts as a verdict, and a
run without a whole report is told apart from both.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from reports.model import PROVING, Verdict, VerdictRecord
from reports.outcome import counted
from reports.reader import Report

CONTROLS = ("reference", "plain")
"""Subjects that are right by definition: where one of them flips, the check is suspected first."""
ABSENT = "ABSENT"
"""In place of a verdict: the run is whole and has no such check, as when an id depends on the seed."""
FIRST = 3


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """One run of the suite: what it was given, and what it came to."""

    number: int
    seed: int  # of the data
    order_seed: int
    load: int  # processes of the suite per core beside the first
    processes: int  # of the suite
    seconds: float  # wall clock, start and end of pytest included
    exit_code: int  # negative: killed by that signal
    modified: bool  # the checkout had local changes
    report: Report | None
    refusal: str | None = None  # why there is no report

    @cached_property
    def verdicts(self) -> dict[str, VerdictRecord]:
        """The records by check, in the order in which the checks ended."""
        return {one.check: one for one in self.report.records} if self.report else {}

    @property
    def order(self) -> str:
        """A digest of the order in which the checks ended: 12 hexadecimal digits."""
        return hashlib.sha256("\n".join(self.verdicts).encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def first(self) -> tuple[str, ...]:
        """The first checks by that order."""
        return tuple(self.verdicts)[:FIRST]

    def before(self, check: str) -> str | None:
        """The check that ended before this one, which may have left something behind."""
        names = list(self.verdicts)
        place = names.index(check) if check in self.verdicts else 0
        return names[place - 1] if place else None

    @property
    def told(self) -> str:
        """Its circumstances in words."""
        return f"run {self.number}, seed {self.seed}, order {self.order_seed}, load {self.load}"


@dataclass(frozen=True)
class Sighting:
    """What one whole run said of a check; no record where it had no such check."""

    repetition: Repetition
    record: VerdictRecord | None

    @property
    def verdict(self) -> str:
        """The verdict's word, or ABSENT."""
        return str(self.record.verdict) if self.record else ABSENT


@dataclass(frozen=True)
class Flaky:
    """A check whose verdict depends on the run."""

    check: str
    sightings: tuple[Sighting, ...]

    @property
    def example(self) -> VerdictRecord:
        """Any record: requirement, subject and store are the same in all of them."""
        return next(one.record for one in self.sightings if one.record)

    @property
    def counts(self) -> Counter[str]:
        """Runs by verdict."""
        return Counter(one.verdict for one in self.sightings)

    @property
    def usual(self) -> str:
        """The verdict of most runs; of several, the one that came first."""
        return self.counts.most_common(1)[0][0]

    @property
    def departures(self) -> tuple[Sighting, ...]:
        """The runs that said something else."""
        return tuple(one for one in self.sightings if one.verdict != self.usual)

    @property
    def suspect(self) -> str:
        """Where to look first: "subject" if a loader that may be wrong answered differently, else "check"."""
        proven = all(one.record and one.record.verdict in PROVING for one in self.sightings)
        return "subject" if proven and self.example.subject not in CONTROLS else "check"


@dataclass(frozen=True)
class Series:
    """All runs together."""

    repetitions: tuple[Repetition, ...]
    flaky: tuple[Flaky, ...]
    published: bool = False  # others must be able to repeat it from a commit

    @property
    def broken(self) -> tuple[Repetition, ...]:
        """Runs that left no whole report."""
        return tuple(one for one in self.repetitions if one.report is None)

    @property
    def usual_exit_code(self) -> int | None:
        """The exit code of most runs; None without runs."""
        codes = Counter(one.exit_code for one in self.repetitions)
        return codes.most_common(1)[0][0] if codes else None

    @property
    def departures(self) -> tuple[Repetition, ...]:
        """Runs whose exit code isn't that of most others."""
        return tuple(one for one in self.repetitions if one.exit_code != self.usual_exit_code)

    @property
    def red(self) -> tuple[Repetition, ...]:
        """Runs that did not end in 0."""
        return tuple(one for one in self.repetitions if one.exit_code != 0)

    @property
    def by_subject(self) -> dict[str, int]:
        """Flaky verdicts by subject; every subject that was asked for is named."""
        found = Counter(one.example.subject for one in self.flaky)
        asked = [name for one in self.repetitions if one.report for name in one.report.header.subjects]
        return {name: found[name] for name in dict.fromkeys([*asked, *found])}

    @property
    def checks(self) -> int:
        """How many different checks were judged."""
        return len({check for one in self.repetitions for check in one.verdicts})

    @property
    def not_run(self) -> tuple[str, ...]:
        """Checks that some run, or every one, could not make."""
        records = (record for one in self.repetitions for record in one.verdicts.values())
        return tuple(sorted({one.check for one in records if one.verdict is Verdict.NOT_RUN}))

    @property
    def unproven(self) -> tuple[str, ...]:
        """Each subject on each store that was asked for and of which no comparison was made."""
        headers = [one.report.header for one in self.repetitions if one.report]
        asked = [(name, store) for header in headers for name in header.subjects for store in header.stores]
        records = (record for one in self.repetitions for record in one.verdicts.values())
        proven = {(one.subject, one.store) for one in records if one.verdict in PROVING}
        return tuple(
            f"{name} on {store}" for name, store in dict.fromkeys(asked) if (name, store) not in proven
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the series is no proof; empty exactly when every verdict held, no run red or incomplete."""
        reasons = []
        if not any(record.verdict in PROVING for one in self.repetitions for record in one.verdicts.values()):
            reasons.append("no check compared anything")
        if len(self.repetitions) < 2:
            reasons.append("one run alone can't differ from another")
        if self.flaky:
            reasons.append(counted(len(self.flaky), "flaky verdict"))
        if self.departures:
            names = "; ".join(f"{one.told}: {one.exit_code}" for one in self.departures)
            reasons.append(f"exit codes other than {self.usual_exit_code}: {names}")
        if self.broken:
            names = "; ".join(f"{one.told}: {one.refusal}" for one in self.broken)
            reasons.append(f"no whole report: {names}")
        if self.red and not self.departures:
            reasons.append(f"every run is red, exit code {self.usual_exit_code}")
        if self.not_run:
            more = "" if len(self.not_run) <= FIRST else ", …"
            names = ", ".join(self.not_run[:FIRST]) + more
            reasons.append(f"{counted(len(self.not_run), 'check')} did not run: {names}")
        if self.unproven:
            reasons.append(f"nothing was compared of {', '.join(self.unproven)}")
        if self.published and (modified := [str(one.number) for one in self.repetitions if one.modified]):
            reasons.append(f"local changes in the checkout, in runs {', '.join(modified)}")
        return tuple(reasons)


def judge(repetitions: Sequence[Repetition], *, published: bool = False) -> Series:
    """Holds all whole runs against each other, check by check; what is `published` needs a clean checkout."""
    whole = [one for one in repetitions if one.report is not None]
    checks = dict.fromkeys(check for one in whole for check in one.verdicts)
    flaky = []
    for check in sorted(checks):
        sightings = tuple(Sighting(one, one.verdicts.get(check)) for one in whole)
        if len({one.verdict for one in sightings}) > 1:
            flaky.append(Flaky(check, sightings))
    return Series(tuple(repetitions), tuple(flaky), published)


def counts(repetition: Repetition) -> dict[str, int]:
    """Checks by verdict, every verdict named."""
    found = Counter(one.verdict for one in repetition.verdicts.values())
    return {str(verdict): found[verdict] for verdict in Verdict}
