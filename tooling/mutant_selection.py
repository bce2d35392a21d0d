"""A pytest plugin that leaves each mutant the checks that it is held against, and takes the others out.

Those are, on its stores, all checks of the files in which it turns a check red, a random sample of the other
checks of its areas, and one of all the others. With whole areas, every check of them.
"""

from __future__ import annotations

from functools import cache

import hypothesis
import pytest

from fixtures.subjects.explanation import EXPLANATIONS
from fixtures.subjects.mutants import MUTANTS, Mutant
from reports.attempt import ATTEMPT
from reports.catalogue import NO_STORE, Requirement
from reports.recorder import RUN
from reports.run import Run
from tooling.sampling import drawn


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("loadproof").addoption(
        "--mutant-sample",
        type=int,
        default=0,
        help="how many other checks of its areas, and of other areas, a mutant must pass; -1: all of them",
    )
    parser.getgroup("loadproof").addoption(
        "--mutant-areas", action="store_true", help="ask each mutant every check of the areas that it touches"
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
    wanted = len(ids) if size < 0 else 4 * size
    return frozenset(drawn(ids, wanted, f"{run.seed} {subject}"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """After the recorder has given every check its attempt."""
    size: int = config.getoption("--mutant-sample")
    seed: int = config.getoption("--seed")
    whole_areas: bool = config.getoption("--mutant-areas")
    by_subject: dict[str, list[pytest.Item]] = {}
    for item in items:
        if ATTEMPT in item.stash:
            by_subject.setdefault(item.stash[ATTEMPT].subject, []).append(item)
    chosen: set[str] = set()
    for subject, own in by_subject.items():
        mutant = mutant_of(subject)
        chosen |= chosen_for(mutant, own, size, f"{seed} {subject}", whole_areas)
    for item in items:
        if ATTEMPT in item.stash and item.get_closest_marker("long") is None:
            # beside a mutant that takes the long tier, too: two hundred loads instead of eight show no more
            item.stash[ATTEMPT].long = False
    left_out = [item for item in items if item.nodeid not in chosen]
    items[:] = [item for item in items if item.nodeid in chosen]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def mutant_of(subject: str) -> Mutant:
    """The mutant that goes by this name among the subjects."""
    return MUTANTS[subject.removeprefix("mutants/")]


def chosen_for(mutant: Mutant, items: list[pytest.Item], size: int, salt: str, whole_areas: bool) -> set[str]:
    """Ids of the checks that the mutant is asked: of the files that it turns red, and samples of the others.

    One sample is of its own areas, where a mistake is likelier to show, and one of all the others.
    """
    of_tier = [one for one in items if (one.get_closest_marker("long") is not None) == mutant.long]
    near = {one.nodeid for one in items if one.stash[ATTEMPT].requirement.area in mutant.areas}
    files = {one.path for one in of_tier if one.stash[ATTEMPT].requirement.id in mutant.red}
    touched = {one.nodeid for one in of_tier if one.nodeid in near and (whole_areas or one.path in files)}
    quick = [one.nodeid for one in items if one.get_closest_marker("long") is None]
    left = [one for one in quick if one not in touched]
    pools = [[one for one in left if one in near], [one for one in left if one not in near]]
    return touched.union(*(drawn(pool, len(pool) if size < 0 else size, salt) for pool in pools))
