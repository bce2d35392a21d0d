"""What the automatic mutants came to: each one's result, the kill rate, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from reports.automatic_entries import Entry

WAYS = ("comparison", "exception", "hang", "crash")


@dataclass(frozen=True)
class Mutant:
    """One change of one module, and where the checks that could notice it have to pass."""

    #: the module and a digest of the change; it stays the same while other places change
    name: str
    #: below the loader's package, such as `backends.s3`; the package itself is `__init__`
    module: str
    #: function or method, such as `S3Backend.list`; a class for its body, empty for the module's
    function: str
    #: mutmut's name of the change
    operator: str
    #: lines of the original, without their indentation, and what they turn into
    removed: str
    added: str
    #: from 1 on, where the same change is possible at several places of one function
    occurrence: int
    #: first and last line of the statement that changes, or of its head, in the original
    lines: tuple[int, int]
    #: first and last line of the function's body; None outside of functions
    body: tuple[int, int] | None
    #: outside of functions: the names that the statement gives a value to
    binds: tuple[str, ...]

    @property
    def identity(self) -> tuple[str, str, str, str, int]:
        """What an entry of `suites/automatic` names it by."""
        return self.module, self.function, self.removed, self.added, self.occurrence

    @property
    def file(self) -> str:
        """Of its module, below the loader's package."""
        return f"{self.module.replace('.', '/')}.py"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One mutant after its checks."""

    mutant: str
    #: digest of the mutant, the loader, what is installed, and its killer or the suite: else it says nothing
    key: str
    killed: bool
    #: what its killer saw: a comparison, an exception in place of an answer, no answer, or a dead process
    by: str | None = None
    #: the check that killed it, and its requirement
    check: str | None = None
    requirement: str | None = None
    #: checks that run its lines, how many of them were asked, and how many ended in ERROR
    candidates: int = 0
    asked: int = 0
    errors: int = 0
    #: checks that were red once and green the next time, which is no kill
    unstable: int = 0
    seconds: float = 0.0

    @property
    def reached(self) -> bool:
        return self.candidates > 0


def result_of(values: Mapping[str, Any]) -> Result:
    """From a line of JSON; what it knows beyond is left out."""
    return Result(**{one.name: values[one.name] for one in fields(Result) if one.name in values})


def read_results(path: Path) -> dict[str, Result]:
    """The latest result of each mutant by its name. A line that was cut by an interruption is passed over."""
    found: dict[str, Result] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                result = result_of(json.loads(line))
            except (ValueError, TypeError):
                continue
            found[result.mutant] = result
    return found


def as_line(result: Result, mutant: Mutant) -> str:
    """With what was changed, so that the raw file can be read by itself."""
    return json.dumps({**asdict(mutant), **asdict(result)}) + "\n"


@dataclass(frozen=True)
class Standing:
    """Where all mutants, or those of one module, stand."""

    module: str
    mutants: int
    #: by what their killers saw
    killed: Mapping[str, int]
    #: survivors that are explained as equivalent
    equivalent: int
    #: survivors that are not, and whose lines some check runs
    survived: int
    #: survivors that no check could notice, since none runs their lines
    unreached: int

    @property
    def kills(self) -> int:
        return sum(self.killed.values())

    @property
    def rate(self) -> float:
        """Killed, of all that are not equivalent, in per cent."""
        counted = self.mutants - self.equivalent
        return 100 * self.kills / counted if counted else 100.0

    @property
    def reached_rate(self) -> float:
        """The same of those whose lines some check runs."""
        counted = self.kills + self.survived
        return 100 * self.kills / counted if counted else 100.0


Pairs = Sequence[tuple[Mutant, Result]]


def standing(module: str, pairs: Pairs, explained: frozenset[str]) -> Standing:
    """Of these mutants; `explained` names those that are equivalent."""
    alive = [(mutant, result) for mutant, result in pairs if not result.killed]
    open_ones = [(mutant, result) for mutant, result in alive if mutant.name not in explained]
    return Standing(
        module=module,
        mutants=len(pairs),
        killed={way: sum(r.killed and r.by == way for _, r in pairs) for way in WAYS},
        equivalent=len(alive) - len(open_ones),
        survived=sum(result.reached for _, result in open_ones),
        unreached=sum(not result.reached for _, result in open_ones),
    )


def matches(entries: Iterable[Entry], mutants: Iterable[Mutant]) -> dict[str, Entry]:
    """Name of the mutant -> the entry that names it."""
    by_identity = {entry.identity: entry for entry in entries}
    return {one.name: by_identity[one.identity] for one in mutants if one.identity in by_identity}


def stale(entries: Iterable[Entry], mutants: Iterable[Mutant], modules: frozenset[str]) -> list[str]:
    """Entries about these modules that match no mutant, a sentence each."""
    there = {mutant.identity for mutant in mutants}
    return [
        f"{entry}: no mutant does that any more"
        for entry in entries
        if entry.identity not in there and (entry.module in modules or not modules)
    ]


def problems(pairs: Pairs, explained: Mapping[str, Entry], known: Mapping[str, Entry]) -> list[str]:
    """A sentence for each explained mutant that was killed and each survivor that nobody has seen before."""
    found = []
    for mutant, result in pairs:
        if result.killed and mutant.name in explained:
            found.append(f"{mutant.name}: explained as equivalent, and {result.check} kills it")
        elif not result.killed and mutant.name not in explained and mutant.name not in known:
            found.append(f"{mutant.name}: survived {result.asked} checks: {told(mutant)}")
    return found


def told(mutant: Mutant) -> str:
    """The change in a line."""
    place = f"{mutant.file}:{mutant.lines[0]}" + (f" {mutant.function}" if mutant.function else "")
    return f"{place}: {' '.join(mutant.removed.split())} -> {' '.join(mutant.added.split())}"
