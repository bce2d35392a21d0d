"""RESOURCE, second part: how much memory a load takes, and how much is read before its first tensor."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build, shard_name
from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.subjects.footprint import footprint, reset_peak
from fixtures.wire import Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.tensors import assert_same_names, place_checkpoint

MiB = 1 << 20
#: On a disk: the worker's own copy while it digests a tensor (16 MiB), and twice what was measured beside it.
DISK_ALLOWANCE = 32 * MiB
#: From a store, S3's client adds parts on their way (8 MiB each, from blocks of 16 in its pool) and code: 160
#: MiB in all were measured at most, whatever the model's size.
STORE_ALLOWANCE = 224 * MiB
#: seconds; the long tier's models take tens of them on a busy machine
PATIENCE = 300.0


def model_of(seed: int, size: int, tensor: int) -> Checkpoint:
    """`size` bytes in three shards, in tensors of `tensor` bytes with one of 400 bytes behind each."""
    each = size // tensor // 3
    shards = [
        ShardSpec(
            shard_name(number, 3),
            tuple(
                one
                for place in range(each)
                for one in (
                    TensorSpec(f"{number}.{place}.weight", "U8", (tensor,)),
                    TensorSpec(f"{number}.{place}.norm", "F32", (100,)),
                )
            ),
        )
        for number in (1, 2, 3)
    ]
    return build(shards, seed=seed)


def small_names(checkpoint: Checkpoint) -> list[str]:
    return [name for name in checkpoint.expected if name.endswith(".norm")]


def warm(subject: Bench, place: Place, seed: int, **environment: str) -> Worker:
    """A worker that has loaded once: code, clients and pools that last are there already."""
    tiny = build([ShardSpec("warm/model.safetensors", (TensorSpec("one", "F32", (100,)),))], seed=seed)
    worker = subject.worker(**environment)
    worker.ask("tensors", files=place_checkpoint(place, tiny), settings={})
    worker.ask("rest")
    return worker


def peak_of(worker: Worker, operation: str, files: list[str]) -> tuple[int, Any]:
    """Bytes by which the memory in use rose at most during a load, and the load's answer."""
    before = footprint(worker.pid).resident
    reset_peak(worker.pid)
    answer = worker.ask(operation, files=files, settings={}, deadline=PATIENCE)
    return footprint(worker.pid).peak - before, answer


def assert_peak(
    check: Check, subject: Bench, place: Place, seed: int, *, operation: str, size: int, limit: int
) -> None:
    """The peak of `operation` on `size` bytes stays within its budget, and the load was right."""
    __tracebackhide__ = True
    tensor = 8 * MiB
    checkpoint = model_of(seed, size, tensor)
    files = place_checkpoint(place, checkpoint)
    worker = warm(subject, place, seed, RUNAI_STREAMER_MEMORY_LIMIT=str(limit))
    peak, answer = peak_of(worker, operation, files)
    assert_same_names(check, expected=checkpoint.expected, actual=answer)
    kept = size if operation == "tensors" else tensor
    budget = kept + limit + (STORE_ALLOWANCE if place.bucket else DISK_ALLOWANCE)
    check.true(
        peak <= budget,
        what=f"peak of memory above what was in use, for a model of {size >> 20} MiB",
        expected=f"at most {budget >> 20} MiB",
        actual=f"{peak / MiB:.1f} MiB",
    )


@requirement("RESOURCE-008")
def test_peak_when_all_is_kept(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_peak(check, subject, place, seed, operation="tensors", size=96 * MiB, limit=16 * MiB)


@requirement("RESOURCE-009")
def test_peak_when_nothing_is_kept(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_peak(check, subject, place, seed, operation="take", size=96 * MiB, limit=16 * MiB)


@pytest.mark.quick
@requirement("RESOURCE-010")
def test_small_tensors_kept(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = model_of(seed, 96 * MiB, 4 * MiB)
    files = place_checkpoint(place, checkpoint)
    worker = warm(subject, place, seed)
    before = footprint(worker.pid).own
    small = small_names(checkpoint)
    answer = worker.ask("take", files=files, settings={}, keep=small)
    assert_same_names(check, expected=checkpoint.expected, actual=answer)
    growth = footprint(worker.pid).own - before
    check.true(
        growth <= DISK_ALLOWANCE,
        what=f"memory in use after a load of 96 MiB, of which {400 * len(small)} bytes are kept",
        expected=f"at most {DISK_ALLOWANCE >> 20} MiB",
        actual=f"{growth / MiB:.1f} MiB",
    )


@requirement("RESOURCE-011")
def test_bytes_before_the_first_tensor(
    check: Check, subject: Bench, place: Place, seed: int, wire: Wire
) -> None:
    size, limit = 24 * MiB, 6 * MiB
    files = place_checkpoint(place, model_of(seed, size, 2 * MiB))
    worker = subject.worker(RUNAI_STREAMER_MEMORY_LIMIT=str(limit))
    taken = worker.ask("take", files=files, settings={}, most=1)["tensors"]
    check.equal(expected=1, actual=len(taken), what="tensors taken")
    read = sum(request.body_bytes for request in wire.gets(".safetensors"))
    check.true(
        read < size // 2,
        what=f"bytes of a model of {size >> 20} MiB read until the first tensor was taken and dropped",
        expected=f"less than {size >> 21} MiB, the limit being {limit >> 20} MiB",
        actual=f"{read / MiB:.1f} MiB",
    )


@pytest.mark.long
@requirement("RESOURCE-012")
def test_peak_from_a_store_when_all_is_kept(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_peak(check, subject, place, seed, operation="tensors", size=384 * MiB, limit=32 * MiB)


@pytest.mark.long
@requirement("RESOURCE-013")
def test_peak_from_a_store_when_nothing_is_kept(
    check: Check, subject: Bench, place: Place, seed: int
) -> None:
    assert_peak(check, subject, place, seed, operation="take", size=384 * MiB, limit=32 * MiB)
