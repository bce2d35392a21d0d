"""RESOURCE, first part: what a load takes of the system is given back, also when it fails or is given up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build, shard_name
from fixtures.faults import Fault
from fixtures.stores import Place, Store
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.series import (
    Series,
    assert_environment_is_kept,
    assert_memory_is_given_back,
    assert_nothing_grows,
    assert_nothing_is_left,
    load_many,
)
from suites.conformance.tensors import assert_same_tensors, place_checkpoint

#: tensors after which a load is given up, of ten
SOME = 3


def four_mebibytes(seed: int) -> Checkpoint:
    """Two shards with tensors of every magnitude, all of which have bytes."""
    shards = [
        ShardSpec(
            shard_name(number, 2),
            (
                *(TensorSpec(f"{number}.{one}.weight", "BF16", (256, 1024)) for one in range(4)),
                TensorSpec(f"{number}.bias", "F32", (100,)),
            ),
        )
        for number in (1, 2)
    ]
    return build(shards, seed=seed)


def load(worker: Worker, files: list[str]) -> str | None:
    """Loads and drops everything; the text of the error, if one came."""
    try:
        worker.ask("tensors", files=files, settings={})
    except SubjectRaised as error:
        return error.message
    return None


@pytest.fixture(scope="module")
def recorded() -> dict[tuple[str, str, str], Series]:
    """Good loads by subject and store: five requirements look at the same ones."""
    return {}


@pytest.fixture
def good_loads(
    recorded: dict[tuple[str, str, str], Series],
    check: Check,
    subject: Bench,
    subject_name: str,
    store_name: str,
    place: Place,
    seed: int,
    examples: Callable[[int, int], int],
) -> Callable[[], Series]:
    """Loads of one model in one process, all of them right, when a check asks for them."""

    def loads() -> Series:
        key = subject_name, store_name, str(seed)
        if key not in recorded:
            checkpoint = four_mebibytes(seed)
            files = place_checkpoint(place, checkpoint)
            load(subject.shared, files)
            series = load_many(subject.shared, examples(8, 200), lambda worker, _: load(worker, files))
            answer = subject.ask("tensors", files=files, settings={})
            assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
            recorded[key] = series
        check.equal(expected=[], actual=recorded[key].errors, what="errors of good loads")
        return recorded[key]

    return loads


@requirement("RESOURCE-001")
def test_descriptors(check: Check, good_loads: Callable[[], Series]) -> None:
    assert_nothing_grows(check, good_loads(), "descriptors")


@requirement("RESOURCE-002")
def test_threads(check: Check, good_loads: Callable[[], Series]) -> None:
    assert_nothing_grows(check, good_loads(), "threads")


@requirement("RESOURCE-003")
def test_children_and_temporary_files(check: Check, good_loads: Callable[[], Series]) -> None:
    assert_nothing_is_left(check, good_loads())


@requirement("RESOURCE-004")
def test_environment(check: Check, subject: Bench, place: Place, seed: int) -> None:
    files = place_checkpoint(place, four_mebibytes(seed))
    missing = f"{place.uri}/model-00009-of-00009.safetensors"

    def in_turn(worker: Worker, number: int) -> str | None:
        return give_up(worker, files) if number == 2 else load(worker, [*files, missing][: 2 + number])

    series = load_many(subject.shared, 3, in_turn)
    loads = len(series.environments) - 1
    check.equal(expected=loads // 3, actual=len(series.errors), what=f"loads that failed, of {loads}")
    assert_environment_is_kept(check, series)


@requirement("RESOURCE-005")
def test_memory_in_use(check: Check, good_loads: Callable[[], Series]) -> None:
    assert_memory_is_given_back(check, good_loads())


@requirement("RESOURCE-006")
def test_loads_that_fail(
    check: Check,
    subject: Bench,
    store: Store,
    place: Place,
    seed: int,
    examples: Callable[[int, int], int],
    request: pytest.FixtureRequest,
) -> None:
    checkpoint = four_mebibytes(seed)
    files = place_checkpoint(place, checkpoint)
    content = checkpoint.files["model-00002-of-00002.safetensors"]
    place.put("short.safetensors", content[: len(content) // 2])
    wrong = [f"{place.uri}/{name}.safetensors" for name in ("missing", "short")]
    wire: Wire | None = request.getfixturevalue("wire") if store.is_object_store else None
    due = 0

    def fail(worker: Worker, number: int) -> str | None:
        nonlocal due
        if wire is None or number % 2:
            due += 1
            return load(worker, [files[0], wrong[number // 2 % 2]])
        # refused at once, or after one or two reads of the same file have passed, late but whole
        wire.heal()
        if number % 3:
            wire.inject(Fault(match="model-00002-of", delay=0.001, times=number % 3))
        refusal = wire.inject(Fault(match="model-00002-of", status=403))
        error = load(worker, files)
        due += refusal.hits > 0
        return error

    load(subject.shared, files)
    series = load_many(subject.shared, examples(6, 200), fail)
    loads = len(series.environments) - 1
    check.true(due > loads // 2, what="loads that met a failure", expected=f"most of {loads}", actual=due)
    check.equal(expected=due, actual=len(series.errors), what="loads that failed")
    assert_all_is_given_back(check, series)


@requirement("RESOURCE-007")
def test_loads_given_up(
    check: Check, subject: Bench, place: Place, seed: int, examples: Callable[[int, int], int]
) -> None:
    checkpoint = four_mebibytes(seed)
    files = place_checkpoint(place, checkpoint)
    load(subject.shared, files)
    series = load_many(subject.shared, examples(6, 200), lambda worker, _: give_up(worker, files))
    check.equal(expected=[], actual=series.errors, what="errors of loads given up")
    assert_all_is_given_back(check, series)
    answer = subject.ask("tensors", files=files, settings={})
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


def give_up(worker: Worker, files: list[str]) -> str | None:
    """Takes the first tensors, closes the iterator and drops everything; the text of the error, if any."""
    try:
        taken = worker.ask("take", files=files, settings={}, most=SOME)["tensors"]
    except SubjectRaised as error:
        return error.message
    return None if len(taken) == SOME else f"{len(taken)} tensors came"


def assert_all_is_given_back(check: Check, series: Series) -> None:
    __tracebackhide__ = True
    assert_nothing_grows(check, series, "descriptors", "threads")
    assert_nothing_is_left(check, series)
    assert_memory_is_given_back(check, series)
