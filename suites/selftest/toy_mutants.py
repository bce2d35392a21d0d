"""A small module, three of its mutants, and a run over these in which no check is really asked."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reports.automatic import Mutant, Result
from reports.automatic_entries import Entry
from tooling import automatic_mutants_run
from tooling.automatic_mutants_generation import mutants_of
from tooling.automatic_mutants_jobs import Crew
from tooling.automatic_mutants_run import Hunt
from tooling.automatic_mutants_state import State

TOY = '''"""A module."""
__all__ = ["LIMIT"]
LIMIT = 3


class Box:
    depth = 1

    @property
    def half(self) -> int:
        return self.depth / 2

    def check(self, size: int) -> None:
        if size > LIMIT:
            raise ValueError(f"too large by {size - LIMIT}")
        if size < 0:
            raise Refused(size, cause="negative" + " size")
'''
MADE = mutants_of("toy", TOY)


def toy(function: str, added: str) -> Mutant:
    return next(one for one in MADE.sources if (one.function, one.added) == (function, added))


def result(mutant: Mutant, **values: Any) -> Result:
    return Result(**{"mutant": mutant.name, "key": "k", "killed": False, "candidates": 1, **values})


LIMIT = toy("", "LIMIT = 4")
HALF = toy("Box.half", "return self.depth * 2")
LARGE = toy("Box.check", "if size >= LIMIT:")


def entry(mutant: Mutant, reason: str = "") -> Entry:
    return Entry(*mutant.identity, reason=reason)


class Rehearsal:
    """A hunt over the toy's mutants in which the named ones die of the named checks."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, deadly: dict[str, str]) -> None:
        self.folder = folder
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.deadly = deadly
        checks = [f"test_{number}[a]" for number in range(4)]
        #: a check -> what it looks like now
        self.texts = dict.fromkeys(checks, "as it was")
        #: checks that fail without any mutant, too
        self.red: set[str] = set()
        #: what every check depends on, beside the deadline
        self.common = "the same"

        def do(crew: Crew, title: str, jobs: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
            for job in jobs:
                self.asked.append((title, tuple(job["checks"])))
                check = self.deadly.get(job["mutant"])
                killed = check in job["checks"]
                killer = {"check": check, "requirement": "TOY-001"} if killed else {}
                outcome = {"killed": killed, "by": "comparison", **killer}
                yield {"mutant": job["mutant"], "asked": len(job["checks"]), "seconds": 1.0, **outcome}

        class Every:
            def __contains__(_, check: str) -> bool:
                return check not in self.red

            def checks(self, mutant: Mutant, kills: Mapping[str, int]) -> list[str]:
                return checks

        monkeypatch.setattr(Crew, "do", do)
        monkeypatch.setattr(automatic_mutants_run, "recorded", lambda *_: Every())
        monkeypatch.setattr(automatic_mutants_run, "state_of", self._state)
        monkeypatch.setattr(automatic_mutants_run, "modules", lambda: {"toy": Path(__file__)})

    def _state(self, loader: Iterable[Path], deadline: float) -> State:
        return State(f"{self.common} {deadline}", dict(self.texts), {"TOY-001": "a rule"})

    def run(self, settled: frozenset[str] = frozenset(), **options: Any) -> dict[str, Result]:
        plain: dict[str, Any] = {"names": [], "sample": None, "seed": 1, "first": 2, "most": None}
        plain |= {"survivors": False, "resume": False, "processes": 1, "deadline": 1.0}
        values = plain | {"out": self.folder} | options
        mutants = {mutant.name: mutant for mutant in (LIMIT, HALF, LARGE)}
        self.asked.clear()
        self.hunt = Hunt(argparse.Namespace(**values), self.folder / "published", mutants, settled)
        return self.hunt.results()
