"""HEADER, first part: the corpus of broken, odd and disputed files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from fixtures.malformed import CORPUS, BrokenFile
from fixtures.odd_files import DISPUTED, LEGAL, OddFile
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.refusals import is_typed
from suites.conformance.trials import (
    Outcome,
    Trials,
    assert_loaded_alike,
    described,
    in_words,
    is_refusal,
)

Examples = Callable[[int, int], int]
Fault = Callable[[BrokenFile, Outcome], str | None]


@pytest.fixture(scope="session")
def known() -> defaultdict[tuple[str, str], dict[str, Outcome]]:
    """Outcomes of the corpus by subject and store: six requirements and two more look at the same loads."""
    return defaultdict(dict)


@pytest.fixture
def trials(
    subject: Bench,
    place: Place,
    subject_name: str,
    store_name: str,
    known: defaultdict[tuple[str, str], dict[str, Outcome]],
) -> Trials:
    return Trials(subject, place, known[subject_name, store_name])


def is_chosen(file: BrokenFile | OddFile, store: Store, examples: Examples) -> bool:
    """All files on a disk and in the long tier; else the telling ones, since object stores take time."""
    return file.telling or not store.is_object_store or bool(examples(0, 1))


def outcomes_of(trials: Trials, store: Store, examples: Examples) -> list[tuple[BrokenFile, Outcome]]:
    """The whole corpus, whichever part a check asks for: one worker loads it for all of them."""
    files = [broken for broken in CORPUS if is_chosen(broken, store, examples)]
    outcomes = trials.of({broken.key: broken.file.content for broken in files})
    return [(broken, outcomes[broken.key]) for broken in files]


def assert_none(
    check: Check, outcomes: Iterable[tuple[BrokenFile, Outcome]], fault: Fault, *, what: str, group: str = ""
) -> None:
    """No file (of the group) has the fault; a failure lists all that have, and shows the first of them."""
    __tracebackhide__ = True
    faults: dict[str, str] = {}
    first = ""
    for broken, outcome in outcomes:
        if group and broken.group != group:
            continue
        found = fault(broken, outcome)
        if found is None:
            check.true(True, what=what, expected="no fault", actual="none")
        else:
            first = first or f"; the first is {broken.name}, {broken.wrong}: {described(broken.file)}"
            faults[broken.name] = found
    check.equal(expected={}, actual=faults, what=what + first)


def not_refused(_: BrokenFile, outcome: Outcome) -> str | None:
    return None if is_refusal(outcome) else in_words(outcome)


def not_typed(_: BrokenFile, outcome: Outcome) -> str | None:
    wrong = isinstance(outcome, SubjectRaised) and not is_typed(outcome)
    return in_words(outcome) if wrong else None


def not_named(broken: BrokenFile, outcome: Outcome) -> str | None:
    wrong = isinstance(outcome, SubjectRaised) and broken.key not in outcome.message
    return in_words(outcome) if wrong else None


@requirement("HEADER-001")
def test_lengths(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    outcomes = outcomes_of(trials, store, examples)
    assert_none(check, outcomes, not_refused, group="length", what="files with an impossible length")


@requirement("HEADER-002")
def test_no_json(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    outcomes = outcomes_of(trials, store, examples)
    assert_none(check, outcomes, not_refused, group="json", what="files whose header is no JSON object")


@requirement("HEADER-003")
def test_entries(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    outcomes = outcomes_of(trials, store, examples)
    assert_none(
        check, outcomes, not_refused, group="entry", what="files with a field missing or of a wrong type"
    )


@requirement("HEADER-004")
def test_shapes(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    outcomes = outcomes_of(trials, store, examples)
    assert_none(
        check, outcomes, not_refused, group="shape", what="files with a shape that its bytes don't fit"
    )


@requirement("HEADER-005")
def test_layouts(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    outcomes = outcomes_of(trials, store, examples)
    assert_none(
        check, outcomes, not_refused, group="layout", what="files whose tensors don't fill the data exactly"
    )


@requirement("HEADER-006")
def test_odd_metadata(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    outcomes = outcomes_of(trials, store, examples)
    assert_none(
        check,
        outcomes,
        not_refused,
        group="metadata",
        what="files with metadata that are no object of strings",
    )


@requirement("HEADER-007")
def test_types_of_errors(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    outcomes = outcomes_of(trials, store, examples)
    assert_none(check, outcomes, not_typed, what="errors that blame the program")


@requirement("HEADER-008")
def test_texts_of_errors(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    outcomes = outcomes_of(trials, store, examples)
    assert_none(check, outcomes, not_named, what="errors that don't name the file")


@requirement("HEADER-009")
def test_legal_files(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    for odd in (odd for odd in LEGAL if is_chosen(odd, store, examples)):
        assert_loaded_alike(check, trials, odd.file, trials.load(odd.key, odd.file.content))


@requirement("HEADER-010")
def test_disputed_files(check: Check, trials: Trials, store: Store, examples: Examples) -> None:
    for odd in (odd for odd in DISPUTED if is_chosen(odd, store, examples)):
        outcome = trials.load(odd.key, odd.file.content)
        if is_refusal(outcome):
            check.true(True, what=odd.oddity, expected="an error, or equal", actual=in_words(outcome))
        else:
            assert_loaded_alike(check, trials, odd.file, outcome)


@requirement("HEADER-013")
def test_an_object_is_judged_as_a_file(
    check: Check, subject: Bench, trials: Trials, store: Store, examples: Examples, tmp_path: Path
) -> None:
    differing: dict[str, str] = {}
    first = ""
    for broken, in_store in outcomes_of(trials, store, examples):
        path = tmp_path / broken.key
        path.write_bytes(broken.file.content)
        on_disk = trials.ask(str(path))
        if is_refusal(on_disk) == is_refusal(in_store):
            check.true(True, what=broken.name, expected=in_words(on_disk), actual=in_words(in_store))
        else:
            first = first or f"; the first is {broken.name}, {broken.wrong}: {described(broken.file)}"
            differing[broken.name] = f"file: {in_words(on_disk)}; object: {in_words(in_store)}"
    check.equal(expected={}, actual=differing, what="files that a store's loader judges otherwise" + first)
