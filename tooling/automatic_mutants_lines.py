"""Which checks can notice a mutant: those that run its lines, the most telling first."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reports.automatic import Mutant
from tooling.automatic_mutants_generation import PACKAGE, modules
from tooling.automatic_mutants_jobs import Crew

Place = tuple[str, int]
#: seconds; a check that takes longer is asked last
SLOW = 2.0


@dataclass(frozen=True)
class Seen:
    """A check that passes, its seconds, and the lines of the loader that it runs."""

    check: str
    seconds: float
    lines: frozenset[Place]


class Coverage:
    """The checks by the lines that they run."""

    def __init__(self, seen: Iterable[Seen]) -> None:
        self._seen = {one.check: one for one in seen}
        self._by_line: defaultdict[Place, set[str]] = defaultdict(set)
        for one in self._seen.values():
            for place in one.lines:
                self._by_line[place].add(one.check)
        texts = {
            path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
            for path in modules().values()
        }
        self._texts = {file: text.splitlines() for file, text in texts.items()}
        self._imports = {file: imports_of(text) for file, text in texts.items()}

    def __contains__(self, check: str) -> bool:
        """Whether it passes without any mutant."""
        return check in self._seen

    def checks(self, mutant: Mutant, kills: Mapping[str, int] = MappingProxyType({})) -> list[str]:
        """All that run the changed statement, in the order in which to ask them.

        A statement outside of functions is run by every check that imports the module; first come those that
        run a line with a name that it binds. A default value counts as the function's body.

        :param kills: how many mutants each check killed before. Those that killed many take turns with those
            that run few lines: the first go all the way through the loader, the others come to its corners.
        """
        first, last = mutant.lines
        if mutant.body is None:
            reaching = self._within(mutant.file, first, last)
            users = reaching & self._using(mutant)
            return [*self._in_turns(users, kills), *self._in_turns(reaching - users, kills)]
        begin, end = mutant.body
        if first < begin:
            first, last = begin, end
        return self._in_turns(self._within(mutant.file, first, last), kills)

    def _in_turns(self, checks: set[str], kills: Mapping[str, int]) -> list[str]:
        by_lines = self._in_order(checks)
        telling = sorted((one for one in by_lines if kills.get(one)), key=lambda one: -kills[one])
        turns = chain.from_iterable(zip_longest(telling, by_lines))
        return list(dict.fromkeys(one for one in turns if one))

    def _within(self, file: str, first: int, last: int) -> set[str]:
        return set().union(*(self._by_line.get((file, line), set()) for line in range(first, last + 1)))

    def _using(self, mutant: Mutant) -> set[str]:
        if not mutant.binds:
            return set()
        word = re.compile(rf"\b(?:{'|'.join(map(re.escape, mutant.binds))})\b")
        first, last = mutant.lines
        found: set[str] = set()
        for file, lines in self._texts.items():
            if file != mutant.file and not self._imports[file] & set(mutant.binds):
                continue  # what has that name there is another thing
            for number, line in enumerate(lines, 1):
                own = file == mutant.file and first <= number <= last
                # what every check runs is an import or another definition, and tells nothing
                if not own and word.search(line) and not line.startswith(("from ", "import ", "class ")):
                    found |= self._by_line.get((file, number), set())
        return found

    def _in_order(self, checks: Iterable[str]) -> list[str]:
        """The one that runs the fewest lines first, then the fastest; of each test one, before its others."""
        by_test: defaultdict[str, list[Seen]] = defaultdict(list)
        for one in sorted((self._seen[check] for check in checks), key=rank):
            by_test[one.check.partition("[")[0]].append(one)
        turns = [(turn, one) for own in by_test.values() for turn, one in enumerate(own)]
        return [one.check for _, one in sorted(turns, key=lambda pair: (pair[0], rank(pair[1])))]


def imports_of(text: str) -> frozenset[str]:
    """The names that a module takes from others."""
    statements = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    return frozenset(alias.name for statement in statements for alias in statement.names)


def rank(one: Seen) -> tuple[bool, int, float, str]:
    return one.seconds > SLOW, len(one.lines), one.seconds, one.check


def recorded(crew: Crew, file: Path, state: str) -> Coverage:
    """What each check runs: from `file`, if that is of this state of things, or seen now. Raises Trouble."""
    lines: list[dict[str, Any]] = []
    if file.exists():
        head, *lines = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
        if head != {"state": state}:
            lines = []
    if not lines:
        with closing(crew.do("checks", [{"collect": True}])) as coming:
            (collected,) = coming
        jobs = [{"check": check} for check in collected["checks"]]
        with closing(crew.do("lines of the checks", jobs)) as coming:
            lines = list(coming)
        texts = [json.dumps({"state": state}), *map(json.dumps, lines)]
        file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    for line in lines:
        if line["verdict"] != "PASS":
            said = (line["messages"] or ["no message"])[-1].partition("\n")[0]
            print(f"left out, {line['verdict']} without any mutant: {line['check']}: {said}")
    return Coverage(seen_in(line) for line in lines if line["verdict"] == "PASS")


def seen_in(line: Mapping[str, Any]) -> Seen:
    places = (place.rpartition(":") for place in line["lines"])
    return Seen(line["check"], line["seconds"], frozenset((file, int(number)) for file, _, number in places))
