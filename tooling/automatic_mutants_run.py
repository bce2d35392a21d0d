"""Chooses mutants, has their checks asked in two rounds, and keeps each result as it comes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from reports.automatic import Mutant, Pairs, Result, as_line, matches, read_results, result_of
from reports.automatic_entries import Entry, Outside, as_toml, read_entries
from tooling.automatic_mutants_generation import all_mutants, modules
from tooling.automatic_mutants_jobs import Crew
from tooling.automatic_mutants_lines import Coverage, recorded
from tooling.automatic_mutants_state import digest_of, state_of
from tooling.sampling import drawn
from tooling.trouble import Trouble

#: killers of neighbours in the same function that are asked first
NEIGHBOURS = 10
INTRODUCTION = """What survived a published run and is not equivalent; `reason`: why no check kills it.
Written by `python -m tooling automatic-mutants --publish FOLDER`, which keeps the reasons and leaves those of
new ones to be written; it should only get shorter."""


def generated(
    only: Sequence[str], folder: Path, scope: Iterable[Outside] = ()
) -> tuple[dict[str, Mutant], dict[str, Counter[str]]]:
    """All mutants by name, their sources in `folder`, and what was not made, by module and reason.

    :raises Trouble: there is no such module.
    """
    there = modules()
    if unknown := [name for name in only if name not in there]:
        raise Trouble(f"no module {unknown[0]!r}", f"one of {', '.join(there)}", code=2)
    folder.mkdir(parents=True, exist_ok=True)
    mutants: dict[str, Mutant] = {}
    left_out: dict[str, Counter[str]] = {}
    for module, made in all_mutants(only=only):
        left_out[module] = made.left_out
        for mutant, source in made.sources.items():
            if outside := next((one for one in scope if one.holds(module, mutant.function)), None):
                made.left_out[outside.reason] += 1
                continue
            mutants[mutant.name] = mutant
            place(folder / f"{mutant.name}.py", source)
    for path in folder.glob("*.py"):
        if path.stem not in mutants and (not only or path.stem.rpartition("-")[0] in only):
            path.unlink()
    return mutants, left_out


def place(path: Path, text: str) -> None:
    """All at once, and only where it is another: a second run may be reading it."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)


class Hunt:
    """One run of the command over some of the mutants."""

    def __init__(
        self,
        options: argparse.Namespace,
        published: Path,
        mutants: Mapping[str, Mutant],
        settled: frozenset[str],
    ) -> None:
        """`settled` names the mutants that may survive: a sample looks no further for their killers."""
        self._options = options
        self._kills = published / "kills.json"
        self._survivors = published / "survivors.toml"
        self._mutants = mutants
        self._settled = settled
        self._out: Path = options.out
        self._out.mkdir(parents=True, exist_ok=True)
        self._file = self._out / "results.jsonl"
        self._state = state_of(modules().values(), options.deadline)
        self._earlier = read_results(self._file)
        self._crew = Crew(self._out / "jobs", options.processes, options.deadline)

    def results(self) -> dict[str, Result]:
        """Of the wanted mutants; with `survivors` those of all others as they were, too.

        :raises Trouble: there is no such mutant, or no survivor of this state of things to go by.
        """
        current = {name: one for name, one in self._earlier.items() if self._is_current(one)}
        wanted = self._wanted(current)
        done = current if self._options.resume and not self._options.survivors else {}
        done = {name: one for name, one in done.items() if self._is_whole(one)}
        left = [name for name in wanted if name not in done]
        if self._options.resume:
            print(f"{len(wanted) - len(left)} of {len(wanted)} were done before", flush=True)
        killers = self._killers()
        found: dict[str, Result] = {}
        if self._options.sample and killers:
            found |= self._by_known_killers(left, killers)
            left = [name for name in left if name not in found]
        if left:
            coverage: Coverage = recorded(self._crew, self._out / "lines.jsonl", self._state.whole)
            # what a check is red for without any mutant, it says nothing of
            left += [name for name, one in done.items() if one.check and one.check not in coverage]
            found |= self._by_lines(left, killers, coverage)
        known = current if self._options.survivors else done
        every = self._mutants if self._options.survivors else wanted
        return {name: one for name in every if (one := found.get(name) or known.get(name))}

    def publish(self, pairs: Pairs, explained: Mapping[str, Entry]) -> None:
        """Writes which check kills which mutant, and who survives without being equivalent.

        What is known of others, of which this run says nothing, stays.
        """
        others = self._mutants.keys() - {mutant.name for mutant, _ in pairs}
        killed = {name: check for name, check in self._published_killers().items() if name in others}
        killed |= {mutant.name: result.check for mutant, result in pairs if result.check}
        checks = sorted(set(killed.values()))
        numbers = {check: number for number, check in enumerate(checks)}
        content = {
            "checks": checks,
            "kills": {name: numbers[killed[name]] for name in sorted(killed)},
        }
        self._kills.parent.mkdir(exist_ok=True)
        self._kills.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")
        alive = [m for m, result in pairs if not result.killed and m.name not in explained]
        before = read_entries(self._survivors, with_reasons=False)
        reasons = {entry.identity: entry.reason for entry in before}
        entries = list(matches(before, (self._mutants[name] for name in others)).values())
        entries += [Entry(*mutant.identity, reason=reasons.get(mutant.identity, "")) for mutant in alive]
        self._survivors.write_text(as_toml(entries, INTRODUCTION), encoding="utf-8")
        print(self._kills, self._survivors, sep="\n")

    def _wanted(self, current: Mapping[str, Result]) -> list[str]:
        options = self._options
        if unknown := [name for name in options.names if name not in self._mutants]:
            raise Trouble(f"no mutant {unknown[0]!r}", "--generate, and look into its sources", code=2)
        wanted = options.names or sorted(self._mutants)
        if options.survivors:
            if not current:
                reason = f"{self._file} has no result of this loader, suite and deadline"
                raise Trouble(reason, "leave out --survivors, and run all of them first", code=2)
            # also of an earlier suite: what it lacked may be there now
            alive = {name for name, one in self._earlier.items() if not one.killed}
            wanted = [name for name in wanted if name in alive]
        if options.sample:
            wanted = drawn(wanted, options.sample, f"{options.seed}")
        # neighbours together: one's killer is asked first for the next
        return sorted(wanted, key=lambda name: (self._mutants[name].module, self._mutants[name].lines, name))

    def _is_current(self, result: Result) -> bool:
        mutant = self._mutants.get(result.mutant)
        return mutant is not None and bool(result.key) and result == self._keyed(result)

    def _keyed(self, result: Result) -> Result:
        """With the digest of what decided it: its killer alone, or all that a survivor could have met."""
        state: str | None = self._state.whole
        if result.check and result.requirement:
            state = self._state.of_kill(result.check, result.requirement)
        return dataclasses.replace(result, key=digest_of([result.mutant, state])[:16] if state else "")

    def _is_whole(self, result: Result) -> bool:
        """Whether it was asked all that this run would ask; an earlier one may have had a lower `most`."""
        most = self._options.most or result.candidates
        return result.killed or result.asked >= min(result.candidates, most)

    def _killers(self) -> dict[str, str]:
        """Name -> the check that killed it earlier: here, or in the published run."""
        return self._published_killers() | {n: one.check for n, one in self._earlier.items() if one.check}

    def _published_killers(self) -> dict[str, str]:
        if not self._kills.exists():
            return {}
        content = json.loads(self._kills.read_text(encoding="utf-8"))
        return {name: content["checks"][number] for name, number in content["kills"].items()}

    def _by_known_killers(self, names: Iterable[str], killers: Mapping[str, str]) -> dict[str, Result]:
        """The results of those that such a check kills, and of those that may survive."""
        plan = self._by_neighbours(names, killers)
        # only kills are kept: these are too few checks to say that one survives
        found = self._asked("known killers", plan, plan, final=frozenset())
        return {name: one for name, one in found.items() if one.killed or name in self._settled}

    def _by_neighbours(self, names: Iterable[str], killers: Mapping[str, str]) -> dict[str, list[str]]:
        """The check that killed each before, then those that killed most in its function."""
        neighbours: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for name, check in killers.items():
            if mutant := self._mutants.get(name):
                neighbours[mutant.module, mutant.function][check] += 1
        plan: dict[str, list[str]] = {}
        for name in names:
            mutant = self._mutants[name]
            often = neighbours[mutant.module, mutant.function].most_common(NEIGHBOURS)
            own = [killers[name]] if name in killers else []
            plan[name] = list(dict.fromkeys([*own, *(check for check, _ in often)]))
        return plan

    def _by_lines(
        self, names: Sequence[str], killers: Mapping[str, str], coverage: Coverage
    ) -> dict[str, Result]:
        """First some checks for each, then all others for those that survive."""
        kills = Counter(killers.values())
        plan: dict[str, list[str]] = {}
        for name, known in self._by_neighbours(names, killers).items():
            checks = coverage.checks(self._mutants[name], kills)
            reach = set(checks)
            # its own killer whatever its lines say: who takes all room on a disk is not recorded to the end
            own = [check for check in known if check == killers.get(name) and check in coverage]
            plan[name] = list(dict.fromkeys([*own, *(one for one in known if one in reach), *checks]))
        first = {name: checks[: self._options.first] for name, checks in plan.items()}
        rest = {name: checks[len(first[name]) : self._options.most] for name, checks in plan.items()}
        short = frozenset(name for name in plan if not rest[name])
        found = self._asked("first checks", first, plan, final=short)
        # the cheapest first, so that an interruption leaves the fewest undone
        left = sorted(
            (n for n, one in found.items() if not one.killed and rest[n]), key=lambda n: len(rest[n])
        )
        others = {name: rest[name] for name in left}
        more = self._asked("all other checks", others, plan, final=frozenset(others), before=found)
        return found | more

    def _asked(
        self,
        title: str,
        plan: Mapping[str, Sequence[str]],
        whole: Mapping[str, Sequence[str]],
        *,
        final: frozenset[str],
        before: Mapping[str, Result] | None = None,
    ) -> dict[str, Result]:
        """Has these checks asked; keeps what is killed, and what has no other check left (`final`)."""
        found: dict[str, Result] = {}
        jobs = []
        for name, checks in plan.items():
            mutant = self._mutants[name]
            function = f"{mutant.module} {mutant.function}"
            found[name] = self._keyed(Result(mutant=name, key="", killed=False))
            if checks:
                jobs.append({"mutant": name, "function": function, "checks": list(checks)})
            elif name in final:
                self._keep(found[name])
        if not jobs:
            return found
        with closing(self._crew.do(title, jobs)) as coming:  # an interruption ends the processes at once
            for values in coming:
                name = values["mutant"]
                result = dataclasses.replace(result_of({**values, "key": ""}), candidates=len(whole[name]))
                if before and name in before:
                    result = together(before[name], result)
                found[name] = result = self._keyed(result)
                if result.killed or name in final:
                    self._keep(result)
        return found

    def _keep(self, result: Result) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(as_line(result, self._mutants[result.mutant]))


def together(first: Result, second: Result) -> Result:
    """The second round's result with the first round's counts."""
    counts = {
        name: getattr(first, name) + getattr(second, name)
        for name in ("asked", "errors", "unstable", "seconds")
    }
    return dataclasses.replace(second, **counts)
