"""Spreads each check over subjects and stores, and refuses a suite in which rules and tests don't pair up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reports.attempt import ATTEMPT, Attempt
from reports.catalogue import NO_STORE, Requirement
from reports.run import Run

NAMES = ("subject_name", "store_name")


@dataclass(frozen=True)
class Claim:
    """What a test says that it checks: its requirement, or what is wrong with its mark."""

    requirement: Requirement | None
    problem: str | None


def claim_of(node: pytest.Item | pytest.Function, run: Run) -> Claim:
    """Reads a test's `requirement` marks, its own and its class's."""
    marks = list(node.iter_markers("requirement"))
    if len(marks) != 1 or len(marks[0].args) != 1 or marks[0].kwargs:
        names = [str(argument) for mark in marks for argument in mark.args]
        return Claim(None, f"needs exactly one requirement, has {', '.join(names) or 'none'}")
    identity = marks[0].args[0]
    requirement = run.catalogue.get(identity) if isinstance(identity, str) else None
    if requirement is None:
        return Claim(None, f"requirement {identity!r} isn't in the catalogue")
    return Claim(requirement, None)


def in_conformance(path: Path, run: Run) -> bool:
    """Whether a test file belongs to the conformance suite."""
    return run.active and run.conformance in path.resolve().parents


def spread(metafunc: pytest.Metafunc, run: Run) -> None:
    """Parametrises over the subjects and the requirement's stores, with ids such as `reference-moto`.

    Function scope on purpose: a wider one would make pytest reorder the checks of a file.
    """
    requirement = claim_of(metafunc.definition, run).requirement
    if requirement is None:
        return
    pairs = [
        (subject, store)
        for subject in run.subjects
        for store in stores_of(requirement, run)
        if run.wanted is None or run.wanted(subject, requirement, store)
    ]
    if not pairs:
        return  # an empty parameter set would be reported as a skip; see `pair_up`
    for name in NAMES:
        if name not in metafunc.fixturenames:
            metafunc.fixturenames.append(name)
    metafunc.parametrize(NAMES, pairs, ids=["-".join(pair) for pair in pairs], scope="function")


def stores_of(requirement: Requirement, run: Run) -> tuple[str, ...]:
    """The requirement's stores that were asked for; a rule without stores always runs."""
    if requirement.stores == (NO_STORE,):
        return requirement.stores
    return tuple(store for store in run.stores if store in requirement.stores)


def pair_up(items: list[pytest.Item], run: Run) -> list[pytest.Item]:
    """Prepares each check's attempt and takes out those of another tier or of no asked-for store.

    Returns what was taken out. Raises pytest.UsageError, with all names, for tests without a requirement and,
    where the whole suite was collected, requirements without a test.
    """
    problems: dict[str, str] = {}
    claimed: set[str] = set()
    in_tier: set[str] = set()
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        if not in_conformance(item.path, run):
            kept.append(item)
            continue
        claim = claim_of(item, run)
        if claim.requirement is None:
            name = item.nodeid.partition("[")[0]
            problems[name] = f"{name}: {claim.problem}"
            continue
        claimed.add(claim.requirement.id)
        parameters = (
            item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        if item.get_closest_marker("long") is not None and not run.long:
            dropped.append(item)
            continue
        in_tier.add(claim.requirement.id)
        if NAMES[0] not in parameters:
            dropped.append(item)
            continue
        subject, store = (str(parameters[name]) for name in NAMES)
        item.stash[ATTEMPT] = Attempt(claim.requirement, subject, store, long=run.long)
        kept.append(item)
    if run.covers_all:
        for identity in sorted(set(run.catalogue) - claimed):
            problems[identity] = f"{identity}: requirement without a test"
    refuse(problems.values())
    run.left_to_long = frozenset(claimed - in_tier)
    items[:] = kept
    return dropped


def refuse(problems: Iterable[str]) -> None:
    """Raises pytest.UsageError that lists all problems, where there are any."""
    lines = list(problems)
    if lines:
        raise pytest.UsageError("requirements and tests don't pair up:\n  " + "\n  ".join(lines))
