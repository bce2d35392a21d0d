"""A pytest plugin that leaves each mutant the checks that it is held against, and takes the others out.

Those are all checks of the areas that the mutant touches, on its stores, and a random sample of the others.
"""

from __future__ import annotations

import random
from functools import cache

import hypothesis
import pytest

from fixtures.subjects.explanation import EXPLANATIONS
from fixtures.subjects.mutants import MUTANTS, Mutant
from reports.attempt import ATTEMPT
from reports.catalogue import NO_STORE, Requirement
from reports.recorder import EXAMPLES_SHARE, RUN
from reports.run import Run

#: of the cases of a property that a mutant must leave green it meets one of so many
FEWER = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("loadproof").addoption(
        "--mutant-sample",
        type=int,
        default=0,
        help="how many checks of other areas a mutant must pass; -1: all of them",
    )


def pytest_configure(config: pytest.Config) -> None:
    """That a property fails is all that counts here: its smallest failing case would cost minutes."""
    phases = [phase for phase in hypothesis.Phase if phase.name not in ("shrink", "explain")]
    hypothesis.settings.register_profile("mutants", phases=phases)
    hypothesis.settings.load_profile("mutants")


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """After the recorder has read the catalogue. To collect every check for every mutant takes minutes."""
    run = session.config.stash[RUN]
    size: int = session.config.getoption("--mutant-sample")

    @cache
    def others(subject: str) -> frozenset[str]:
        return requirements_of_sample(subject, run, size)

    def is_wanted(subject: str, requirement: Requirement, store: str) -> bool:
        mutant = mutant_of(subject)
        if store not in (*mutant.stores, NO_STORE):
            return False
        if EXPLANATIONS in requirement.capabilities:
            return False  # what mutants don't claim
        return requirement.area in mutant.areas or requirement.id in others(subject)

    run.wanted = is_wanted


def requirements_of_sample(subject: str, run: Run, size: int) -> frozenset[str]:
    """Ids of requirements of other areas, one for each check of the sample; more, since not all may do."""
    mutant = mutant_of(subject)
    ids = sorted(
        one.id
        for one in run.catalogue.values()
        if one.area not in mutant.areas and set(one.stores) & {*mutant.stores, NO_STORE}
    )
    wanted = len(ids) if size < 0 else min(4 * size, len(ids))
    return frozenset(random.Random(f"{run.seed} {subject}").sample(ids, wanted))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """After the recorder has given every check its attempt."""
    size: int = config.getoption("--mutant-sample")
    seed: int = config.getoption("--seed")
    by_subject: dict[str, list[pytest.Item]] = {}
    for item in items:
        if ATTEMPT in item.stash:
            by_subject.setdefault(item.stash[ATTEMPT].subject, []).append(item)
    chosen: set[str] = set()
    for subject, own in by_subject.items():
        mutant = mutant_of(subject)
        touched = {item.nodeid for item in own if touches(mutant, item)}
        quick = [item for item in own if item.get_closest_marker("long") is None]
        others = [item.nodeid for item in quick if item.nodeid not in touched]
        wanted = len(others) if size < 0 else min(size, len(others))
        chosen |= touched | set(random.Random(f"{seed} {subject}").sample(others, wanted))
        for item in own:
            if item.stash[ATTEMPT].requirement.id not in mutant.red:
                item.stash[EXAMPLES_SHARE] = FEWER
    left_out = [item for item in items if item.nodeid not in chosen]
    items[:] = [item for item in items if item.nodeid in chosen]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def mutant_of(subject: str) -> Mutant:
    """The mutant that goes by this name among the subjects."""
    return MUTANTS[subject.removeprefix("mutants/")]


def touches(mutant: Mutant, item: pytest.Item) -> bool:
    """Whether the check belongs to an area in which the mutant turns something red, and to its tier."""
    is_long = item.get_closest_marker("long") is not None
    return item.stash[ATTEMPT].requirement.area in mutant.areas and is_long == mutant.long
