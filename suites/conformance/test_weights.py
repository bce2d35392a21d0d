"""WEIGHT, first part: what is in the files is what is handed out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings

from fixtures import checkpoints
from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build
from fixtures.stores import STORES, Place, Store
from fixtures.strategies import checkpoints as generated_checkpoints
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.tensors import assert_same_names, assert_same_tensors, place_checkpoint

#: types that not every loader knows; each group has a requirement of its own
PACKED = {"F4"}
FNUZ = {"F8_E4M3FNUZ", "F8_E5M2FNUZ"}
COMMON = tuple(name for name in checkpoints.DTYPES if name not in PACKED | FNUZ)


def load(
    subject: Bench, place: Place, checkpoint: Checkpoint, **environment: str
) -> tuple[Any, dict[str, Any]]:
    """Places and loads the checkpoint in a fresh process; that worker and its answer."""
    files = place_checkpoint(place, checkpoint)
    worker = subject.worker(**environment)
    return worker, worker.ask("tensors", files=files, settings={})


def assert_loads(
    check: Check, subject: Bench, place: Place, checkpoint: Checkpoint, **environment: str
) -> None:
    __tracebackhide__ = True
    worker, answer = load(subject, place, checkpoint, **environment)
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)


def one_file(seed: int, *tensors: TensorSpec) -> Checkpoint:
    return build([ShardSpec("model.safetensors", tensors)], seed=seed)


@pytest.mark.quick
@requirement("WEIGHT-001")
def test_names(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = checkpoints.sharded(seed)
    _, answer = load(subject, place, checkpoint)
    assert_same_names(check, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-001")
def test_files_of_one_name(check: Check, subject: Bench, place: Place, seed: int) -> None:
    folders = ("", "a/", "a/b/", "b/")
    shards = [
        ShardSpec(f"{folder}model.safetensors", (TensorSpec(f"{folder}weight", "F32", (5,)),))
        for folder in folders
    ]
    assert_loads(check, subject, place, build(shards, seed=seed, index=False))


@requirement("WEIGHT-002")
def test_common_types(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.dtype_matrix(seed, COMMON))


@requirement("WEIGHT-003")
@pytest.mark.parametrize("dtype", sorted(PACKED))
def test_packed_types(check: Check, subject: Bench, place: Place, seed: int, dtype: str) -> None:
    shapes = [(8,), (4, 8), (2, 3, 4)]
    specs = [TensorSpec(f"packed.{number}", dtype, shape) for number, shape in enumerate(shapes)]
    assert_loads(check, subject, place, one_file(seed, *specs))


@requirement("WEIGHT-004")
@pytest.mark.parametrize("dtype", sorted(FNUZ))
def test_fnuz_types(check: Check, subject: Bench, place: Place, seed: int, dtype: str) -> None:
    assert_loads(check, subject, place, one_file(seed, TensorSpec("fnuz", dtype, (4, 8))))


@requirement("WEIGHT-005")
def test_scalars_and_empty_tensors(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.scalars_and_empty(seed, COMMON))


@requirement("WEIGHT-006")
def test_random_bits(check: Check, subject: Bench, place: Place, seed: int) -> None:
    tensors = (TensorSpec(f"layers.{n}.weight", "BF16", (257, 64)) for n in range(8))
    assert_loads(check, subject, place, one_file(seed, *tensors))


@requirement("WEIGHT-007")
def test_special_values(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.special_values(seed, COMMON))


@requirement("WEIGHT-008")
def test_odd_neighbours(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.misaligned(seed, COMMON))


@requirement("WEIGHT-009")
def test_aligned_addresses(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = checkpoints.misaligned(seed, COMMON)
    _, answer = load(subject, place, checkpoint)
    assert_same_names(check, expected=checkpoint.expected, actual=answer)
    for tensor in answer["tensors"]:
        check.equal(expected=True, actual=tensor["aligned"], what="alignment", tensor=tensor["name"])


@requirement("WEIGHT-010")
def test_larger_than_chunk_and_limit(check: Check, subject: Bench, place: Place, seed: int) -> None:
    limits = {"RUNAI_STREAMER_CHUNK_BYTESIZE": str(5 << 20), "RUNAI_STREAMER_MEMORY_LIMIT": "0"}
    assert_loads(check, subject, place, checkpoints.one_large(seed), **limits)


@requirement("WEIGHT-011")
def test_thousands_of_tiny_tensors(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.many_tiny(seed))


@requirement("WEIGHT-012")
def test_names_in_any_script(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.names(seed))


@requirement("WEIGHT-013")
def test_order_of_the_header(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.shuffled_headers(seed))
    # tensors of one form can be taken for each other; so many stay in order under no seed
    alike = tuple(TensorSpec(f"alike.{number}", "F32", (5, 3)) for number in range(16))
    shard = ShardSpec("model.safetensors", alike, shuffle_header=True)
    assert_loads(check, subject, place, build([shard], seed=seed))


@requirement("WEIGHT-014")
def test_metadata_in_the_header(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.metadata_header(seed))


@requirement("WEIGHT-015")
def test_many_shards(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.sharded(seed, 24))


@pytest.mark.quick
@requirement("WEIGHT-016")
def test_empty_shards(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_loads(check, subject, place, checkpoints.empty_shards(seed))


@requirement("WEIGHT-021")
def test_store_equals_disk(
    check: Check, subject: Bench, place: Place, seed: int, request: pytest.FixtureRequest
) -> None:
    checkpoint = checkpoints.sharded(seed, 3)
    _, from_store = load(subject, place, checkpoint)
    disk: Store = STORES["disk"]()
    disk.start()
    request.addfinalizer(disk.stop)
    _, from_disk = load(subject, disk.place("model"), checkpoint)
    assert_same_names(check, expected=checkpoint.expected, actual=from_store)
    check.equal(
        expected=by_name(from_disk), actual=by_name(from_store), what="digests from the store and from a disk"
    )


def by_name(answer: Mapping[str, Any]) -> dict[str, tuple[str, list[int], str]]:
    return {t["name"]: (t["dtype"], t["shape"], t["sha256"]) for t in answer["tensors"]}


@requirement("WEIGHT-022")
def test_any_checkpoint(
    check: Check, subject: Bench, store: Store, place: Place, examples: Callable[[int, int], int]
) -> None:
    number = 0

    @settings(max_examples=examples(15, 300))
    @given(generated_checkpoints(dtypes=COMMON))
    def loads(checkpoint: Checkpoint) -> None:
        nonlocal number
        number += 1
        files = place_checkpoint(store.place(f"{place.prefix}/{number}"), checkpoint)
        answer = subject.ask("tensors", files=files, settings={})
        assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)

    loads()


def build_varied(seed: int) -> Checkpoint:
    """Two shards of tensors from 1 byte to 400 KB, so that every setting cuts somewhere inside."""
    sizes = (1, 3, 40_000, 7, 100_000, 0, 65_536, 11, 12_345, 2)
    shards = [
        ShardSpec(
            checkpoints.shard_name(number, 2),
            tuple(
                TensorSpec(f"{number}.{place}.{size}", "U8" if size % 2 else "F32", (size,))
                for place, size in enumerate(sizes)
            ),
        )
        for number in (1, 2)
    ]
    return build(shards, seed=seed)
