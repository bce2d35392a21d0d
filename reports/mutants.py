"""What the mutants came to: which requirement each of them turned red, held against what they declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fixtures.subjects.mutants import Mutant
from reports.catalogue import Requirement
from reports.model import Verdict, VerdictRecord

FAMILY = "mutants/"
#: of Python's; a loader that reads what it shouldn't raises others, such as KeyError
PROGRAM_ERRORS = ("AttributeError", "ImportError", "NameError", "TypeError", "UnboundLocalError")


@dataclass(frozen=True)
class Trial:
    """One mutant and the records of its checks."""

    mutant: Mutant
    records: tuple[VerdictRecord, ...]

    @property
    def red(self) -> tuple[str, ...]:
        """Requirements that a comparison found broken, sorted."""
        return tuple(sorted({one.requirement for one in self._failed if by_comparison(one)}))

    @property
    def _failed(self) -> list[VerdictRecord]:
        return [record for record in self.records if record.verdict is Verdict.FAIL]

    @property
    def asked(self) -> frozenset[str]:
        """Requirements that at least one check was run for."""
        return frozenset(record.requirement for record in self.records)

    def problems(self) -> list[str]:
        """Where the mutant did something else than it declares, one sentence each."""
        name = self.mutant.name
        found = []
        for record in self.records:
            if record.verdict not in (Verdict.PASS, Verdict.FAIL):
                found.append(f"{name}: {record.verdict} instead of a verdict on it: {told(record)}")
            elif record.verdict is Verdict.FAIL and not by_comparison(record):
                found.append(f"{name}: red without a comparison: {told(record)}")
            elif record.verdict is Verdict.FAIL and is_broken(record, self.mutant):
                found.append(f"{name}: its own code is broken: {told(record)}")
        declared = set(self.mutant.red)
        for requirement in sorted(set(self.red) - declared):
            first = next(one for one in self._failed if one.requirement == requirement)
            found.append(f"{name}: turns {requirement} red, which it doesn't declare: {told(first)}")
        for requirement in sorted(declared - set(self.red)):
            state = "stayed green" if requirement in self.asked else "was not asked"
            found.append(f"{name}: declares {requirement}, which {state}")
        return found


def by_comparison(record: VerdictRecord) -> bool:
    """Whether a comparison saw the difference; an exception would be red as well, and has seen nothing."""
    return bool(record.what and record.comparisons)


def is_broken(record: VerdictRecord, mutant: Mutant) -> bool:
    """Whether what was compared is an exception that a mistake in the mutant's own code raises."""
    others = (name for name in PROGRAM_ERRORS if name != mutant.error)
    return any(f"builtins.{name}:" in (record.actual or "") for name in others)


def told(record: VerdictRecord) -> str:
    """The record in a line: the check and what it saw."""
    difference = f"{record.what} is {record.actual}, but should be {record.expected}" if record.what else ""
    said = " ".join(f"{difference} {record.message or ''}".split())
    return f"{record.check}: {said[:300]}"


def trials(mutants: Iterable[Mutant], records: Iterable[VerdictRecord]) -> list[Trial]:
    """Each mutant with its own records, in the order of the mutants."""
    kept: dict[str, list[VerdictRecord]] = {}
    for record in records:
        kept.setdefault(record.subject.removeprefix(FAMILY), []).append(record)
    return [Trial(mutant, tuple(kept.get(mutant.name, ()))) for mutant in mutants]


@dataclass(frozen=True)
class Kills:
    """Which mutants kill which requirement, and what that says about both."""

    #: requirement -> names of the mutants that turn it red, for every requirement of the catalogue
    killers: Mapping[str, tuple[str, ...]]
    #: MUSTs that no mutant turns red
    unkilled: tuple[str, ...]
    #: requirements that are red only beside others: without them no mutant would survive
    redundant: tuple[str, ...]
    #: mutants that one requirement alone notices
    fragile: tuple[str, ...]


def kills(found: Iterable[Trial], catalogue: Mapping[str, Requirement]) -> Kills:
    """Read off the trials, not off what the mutants declare."""
    red = {trial.mutant.name: trial.red for trial in found}
    killers = {one: tuple(sorted(name for name, ids in red.items() if one in ids)) for one in catalogue}
    alone = {ids[0] for ids in red.values() if len(ids) == 1}
    return Kills(
        killers=killers,
        unkilled=tuple(one for one, names in killers.items() if not names and catalogue[one].level == "MUST"),
        redundant=tuple(one for one, names in killers.items() if names and one not in alone),
        fragile=tuple(sorted(name for name, ids in red.items() if len(ids) == 1)),
    )
