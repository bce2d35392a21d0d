"""WEIGHT, what is healthy today and must stay so: threads, forks, retries, strategies, many shards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build, shard_name, sharded
from fixtures.faults import Fault
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Wire
from reports.marks import Check, NotRun, requirement
from suites.conformance.bench import Bench, assert_names
from suites.conformance.tensors import assert_same_names, assert_same_tensors, place_checkpoint, tensors_of
from suites.conformance.test_streaming import LIMIT
from suites.conformance.test_weights import assert_loads, by_name

THREADS = 6
#: descriptors that the process may have, and more shards than that
FEW = 64
SHARDS = 300
#: seconds; the long tier's loads take some of them on a busy machine
PATIENCE = 300.0


def assert_same_digests(check: Check, *, expected: Checkpoint, actual: Mapping[str, Any], what: str) -> None:
    """As `assert_same_tensors`, for tensors that the worker doesn't keep."""
    __tracebackhide__ = True
    assert_same_names(check, expected=expected.expected, actual=actual)
    right = {name: (t.dtype, list(t.shape), t.sha256) for name, t in expected.expected.items()}
    check.equal(expected=right, actual=by_name(actual), what=what)


def without_elements(seed: int) -> Checkpoint:
    """Shards without tensors, and shards whose tensors have no bytes, first, in between and last."""

    def tensors(number: int, kind: str) -> tuple[TensorSpec, ...]:
        nothing = TensorSpec(f"{number}.nothing", "F32", (0, 7))
        weight = TensorSpec(f"{number}.weight", "BF16", (300, 500))
        scalar = TensorSpec(f"{number}.scalar", "F64", ())
        return {"none": (), "nothing": (nothing,), "some": (weight, nothing, scalar)}[kind]

    kinds = ("none", "nothing", "some", "none", "some", "nothing", "none")
    shards = [
        ShardSpec(shard_name(number, len(kinds)), tensors(number, kind))
        for number, kind in enumerate(kinds, 1)
    ]
    return build(shards, seed=seed, index=False)


def assert_threads_load(check: Check, subject: Bench, store: Store, place: Place, seed: int) -> None:
    __tracebackhide__ = True
    # the same names with other bytes: what one thread gets of another's is seen
    checkpoints = [sharded(seed + number, 2) for number in range(THREADS)]
    places = [store.place(f"{place.prefix}/{number}") for number in range(THREADS)]
    loads = [place_checkpoint(own, checkpoint) for own, checkpoint in zip(places, checkpoints, strict=True)]
    answers = subject.ask("load_at_once", loads=loads, settings={})
    for number, (checkpoint, answer) in enumerate(zip(checkpoints, answers, strict=True)):
        check.equal(expected=None, actual=answer.get("error"), what=f"error of thread {number}")
        assert_same_digests(check, expected=checkpoint, actual=answer, what=f"digests of thread {number}")


@requirement("WEIGHT-040")
def test_threads_load_at_once(check: Check, subject: Bench, store: Store, place: Place, seed: int) -> None:
    assert_threads_load(check, subject, store, place, seed)


@pytest.mark.long  # a subject that hangs takes its whole deadline
@requirement("WEIGHT-048")
def test_threads_load_from_a_store(
    check: Check, subject: Bench, store: Store, place: Place, seed: int
) -> None:
    assert_threads_load(check, subject, store, place, seed)


@requirement("WEIGHT-041")
def test_fork_after_use(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed, 2)
    files = place_checkpoint(place, checkpoint)
    for operation in ("tensors", "load_in_child", "tensors"):
        answer = subject.ask(operation, files=files, settings={})
        assert_same_digests(check, expected=checkpoint, actual=answer, what=f"digests by {operation}")


@pytest.mark.long  # as above
@requirement("WEIGHT-049")
def test_fork_after_use_of_a_store(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed, 2)
    files = place_checkpoint(place, checkpoint)
    subject.ask("tensors", files=files, settings={})
    try:
        answer = subject.ask("load_in_child", files=files, settings={})
    except SubjectRaised as error:
        assert_names(check, error, "fork")
    else:
        assert_same_digests(check, expected=checkpoint, actual=answer, what="digests in the child")
    answer = subject.ask("tensors", files=files, settings={})
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-042")
@pytest.mark.parametrize("limit", ["-1", "0", str(LIMIT)])
def test_nothing_to_read(check: Check, subject: Bench, place: Place, seed: int, limit: str) -> None:
    assert_loads(check, subject, place, without_elements(seed), RUNAI_STREAMER_MEMORY_LIMIT=limit)


@requirement("WEIGHT-043")
def test_503_and_then_good(
    check: Check, subject: Bench, place: Place, seed: int, wire: Wire, examples: Callable[[int, int], int]
) -> None:
    checkpoint = sharded(seed, 4)
    files = place_checkpoint(place, checkpoint)
    times = examples(1, 3)  # three on one object take a client some seconds of patience
    refusals = [
        wire.inject(Fault(match=f"model-{number:05d}-of", status=503, times=times)) for number in (1, 2, 4)
    ]
    answer = tensors_of(check, subject.shared, files, where="with answers of 503 that good ones follow")
    check.equal(expected=[times] * 3, actual=[one.hits for one in refusals], what="answers of 503")
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@pytest.mark.long
@requirement("WEIGHT-044")
def test_late_answers(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    checkpoint = sharded(seed, 3)
    files = place_checkpoint(place, checkpoint)
    late = wire.inject(Fault(match="model-00002-of", delay=2.5))
    answer = tensors_of(check, subject.shared, files, where="with late answers", deadline=PATIENCE)
    check.true(late.hits > 0, what="late answers", expected="at least one", actual=late.hits)
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@pytest.mark.long
@requirement("WEIGHT-045")
def test_1500_shards(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed, 1500)
    files = place_checkpoint(place, checkpoint)
    answer = subject.shared.ask("tensors", files=files, settings={}, deadline=PATIENCE)
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-046")
def test_more_shards_than_descriptors(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed, SHARDS)
    files = place_checkpoint(place, checkpoint)
    subject.ask("limit_descriptors", most=FEW)
    try:
        answer = subject.ask("tensors", files=files, settings={})
    except SubjectRaised as error:
        assert_names(check, error, "too many open files")
        return
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-047")
@pytest.mark.parametrize("strategy", ["io_uring_direct", "libaio_direct", "sync_buffered"])
def test_strategies(check: Check, subject: Bench, place: Place, seed: int, strategy: str) -> None:
    checkpoint = odd_places(seed)
    try:
        assert_loads(check, subject, place, checkpoint, RUNAI_STREAMER_FS_STRATEGY=strategy)
    except SubjectRaised as error:
        if strategy == "sync_buffered":
            raise
        # a kernel or container may refuse it: then buffered reads have to do, and the report says so
        in_order = f"{strategy},sync_buffered"
        assert_loads(check, subject, place, checkpoint, RUNAI_STREAMER_FS_STRATEGY=in_order)
        raise NotRun(
            f"{strategy} does not start here: {error}", "a kernel, file system and container that allow it"
        ) from None


def odd_places(seed: int) -> Checkpoint:
    """Headers of odd lengths, and tensors that end anywhere, in the first block or behind a chunk."""
    sizes = (1, 511, 513, 4095, 4097, (2 << 20) + 13)
    shards = [
        ShardSpec(
            shard_name(number + 1, 3),
            tuple(TensorSpec(f"{number}.{size}", "U8", (size + number,)) for size in sizes),
            header_residue=residue,
        )
        for number, residue in enumerate((0, 3, 5))
    ]
    return build(shards, seed=seed)
