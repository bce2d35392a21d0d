"""LOAD: from a model's address to its tensors and a filled module."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from fixtures.checkpoints import (
    INDEX_FILE,
    Checkpoint,
    ShardSpec,
    TensorSpec,
    build,
    dtype_names,
    sharded,
    single_file,
)
from fixtures.stores import KeyRefused, Place, Store
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Wire
from fixtures.witness import Witness
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.tensors import assert_model, assert_same_tensors

MiB = 1 << 20


def shard(file: str, *names: str) -> ShardSpec:
    return ShardSpec(file, tuple(TensorSpec(name, "F32", (64,)) for name in names))


def with_index(checkpoint: Checkpoint, changes: dict[str, str | None]) -> dict[str, bytes]:
    """The checkpoint's files with some of the index's entries changed, added or (None) taken out."""
    index = json.loads(checkpoint.files[INDEX_FILE])
    weight_map = {**index["weight_map"], **changes}
    index["weight_map"] = {name: file for name, file in weight_map.items() if file is not None}
    return {**checkpoint.files, INDEX_FILE: json.dumps(index).encode()}


@pytest.mark.quick
@requirement("LOAD-001")
def test_the_index_decides(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    consolidated = build([shard("consolidated.safetensors", *checkpoint.expected)], seed=seed + 1)
    stale = build([shard("model-00005-of-00005.safetensors", "layers.9.weight")], seed=seed + 2)
    for extra in (consolidated, stale):
        place.put_all({file: data for file, data in extra.files.items() if file.endswith(".safetensors")})
    place.put_all(checkpoint.files)
    assert_model(check, subject, place.uri, checkpoint)


@requirement("LOAD-002")
def test_a_shard_in_a_subfolder(check: Check, subject: Bench, place: Place, seed: int) -> None:
    shards = [
        shard("model-00001-of-00002.safetensors", "a"),
        shard("more/model-00002-of-00002.safetensors", "b", "c"),
        shard("more/and/even/deeper.safetensors", "d"),
    ]
    checkpoint = build(shards, seed=seed, index=True)
    place.put_all(checkpoint.files)
    assert_model(check, subject, place.uri, checkpoint)


@pytest.mark.quick
@requirement("LOAD-003")
def test_a_missing_shard(check: Check, subject: Bench, place: Place, seed: int) -> None:
    place.put_all(sharded(seed).files)
    place.delete("model-00003-of-00004.safetensors")
    error = error_of(
        check, subject.shared, "model_tensors", why="a shard is missing", uri=place.uri, settings={}
    )
    assert_names(check, error, "model-00003-of-00004.safetensors")


@requirement("LOAD-003")
def test_a_missing_folder(check: Check, subject: Bench, place: Place, seed: int) -> None:
    # the folder that is there comes later than the missing one, and its file earlier than the missing one's
    there, missing = "a-b/there.safetensors", "a/missing.safetensors"
    files = build([shard(there, "one"), shard(missing, "two")], seed=seed, index=True).files
    place.put_all({name: content for name, content in files.items() if name != missing})
    ask = {"uri": place.uri, "settings": {}}
    error = error_of(check, subject.shared, "model_tensors", why="a folder is missing", **ask)
    assert_names(check, error, missing)


@requirement("LOAD-004")
def test_a_missing_tensor(check: Check, subject: Bench, place: Place, seed: int) -> None:
    file = "model-00002-of-00004.safetensors"
    place.put_all(with_index(sharded(seed), {"layers.77.weight": file}))
    error = error_of(
        check, subject.shared, "model_tensors", why="a tensor is missing", uri=place.uri, settings={}
    )
    assert_names(check, error, "layers.77.weight")


@requirement("LOAD-005")
def test_a_tensor_that_arrives_twice(check: Check, subject: Bench, place: Place, seed: int) -> None:
    place.put_all(
        build([shard("a.safetensors", "one"), shard("b.safetensors", "two")], seed=seed, index=False).files
    )
    twice = build([shard("c.safetensors", "two")], seed=seed + 1, index=False)
    place.put("c.safetensors", twice.files["c.safetensors"])
    error = error_of(
        check, subject.shared, "model_tensors", why="a tensor is there twice", uri=place.uri, settings={}
    )
    assert_names(check, error, "two", "b.safetensors", "c.safetensors")


@requirement("LOAD-006")
def test_a_folder_without_weights(check: Check, subject: Bench, place: Place) -> None:
    place.put_all({"config.json": b"{}", "pytorch_model.bin": b"no safetensors"})
    error = error_of(
        check, subject.shared, "model_tensors", why="there are no weights", uri=place.uri, settings={}
    )
    assert_names(check, error, place.uri)


@requirement("LOAD-006")
def test_an_index_without_entries(check: Check, subject: Bench, place: Place, seed: int) -> None:
    place.put_all(with_index(sharded(seed), dict.fromkeys(sharded(seed).expected)))
    error = error_of(
        check, subject.shared, "model_tensors", why="the index names nothing", uri=place.uri, settings={}
    )
    assert_names(check, error, place.uri)


def module_spec(checkpoint: Checkpoint) -> dict[str, tuple[str, tuple[int, ...]]]:
    torch_names = dtype_names()
    return {name: (torch_names[tensor.dtype], tensor.shape) for name, tensor in checkpoint.expected.items()}


@pytest.mark.quick
@requirement("LOAD-007")
def test_a_filled_module(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    began = time.monotonic()
    answer = subject.ask("load_module", uri=place.uri, spec=module_spec(checkpoint), settings={})
    took = time.monotonic() - began
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
    right = {
        "files": len(checkpoint.weight_files),
        "tensors": len(checkpoint.expected),
        "bytes": sum(tensor.nbytes for tensor in checkpoint.expected.values()),
    }
    check.equal(
        expected=right, actual={key: answer["stats"][key] for key in right}, what="the loader's report"
    )
    seconds, rate = answer["stats"]["seconds"], answer["stats"]["gib_per_s"]
    is_time = type(seconds) in (int, float) and 0 < seconds <= took + ROUNDED
    check.true(is_time, what="reported seconds", expected=f"above 0, up to {took}", actual=seconds)
    off = abs(rate * seconds * (1 << 30) / right["bytes"] - 1)
    check.true(off < 0.01, what="reported GiB/s", expected="bytes ÷ seconds", actual=rate)


@requirement("LOAD-061")
def test_how_far_a_load_is(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    subject.ask("load_module", uri=place.uri, spec=module_spec(checkpoint), settings={})
    count, said = len(checkpoint.expected), subject.shared.log()
    check.true(
        re.search(rf"\b{count} ?(/|of) ?{count}\b", said) is not None,
        what="what the load said on its way",
        expected=f"how many of {count} tensors there are, up to the last",
        actual=said[-500:],
    )


@requirement("LOAD-008")
def test_a_module_of_another_shape(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = single_file(seed)
    place.put_all(checkpoint.files)
    spec = module_spec(checkpoint)
    more = {**spec, "layers.9.bias": ("float32", (4,))}
    error = error_of(
        check,
        subject.shared,
        "load_module",
        why="a parameter has no tensor",
        uri=place.uri,
        spec=more,
        settings={},
    )
    assert_names(check, error, "layers.9.bias")
    fewer = {name: value for name, value in spec.items() if name != "head.weight"}
    error = error_of(
        check,
        subject.shared,
        "load_module",
        why="a tensor has no parameter",
        uri=place.uri,
        spec=fewer,
        settings={},
    )
    assert_names(check, error, "head.weight")


#: seconds by which a report may be rounded
ROUNDED = 0.01
#: ways out, or nothing but odd names inside of the model: that depends on who decodes them
LITERAL = ("%2e%2e/other/model.safetensors", "..\\other\\model.safetensors")


@requirement("LOAD-009")
@pytest.mark.parametrize(
    "target",
    [
        "../other/model.safetensors",
        "/etc/model.safetensors",
        "s3://other/model.safetensors",
        "a/../../x.safetensors",
        "file:///tmp/x.safetensors",
        *LITERAL,
    ],
)
def test_an_index_that_points_outside(
    check: Check,
    subject: Bench,
    place: Place,
    store: Store,
    seed: int,
    target: str,
    request: pytest.FixtureRequest,
) -> None:
    checkpoint = sharded(seed)
    outside, inside = (build([shard("model.safetensors", "stranger")], seed=seed + more) for more in (0, 1))
    place.put_all(with_index(checkpoint, {"stranger": target}))
    neighbour = f"{place.prefix.rpartition('/')[0]}/other/model.safetensors"
    place.put_raw(neighbour, outside.files["model.safetensors"])
    # where the store can hold that key, a loader that follows the index finds something
    with contextlib.suppress(KeyRefused):
        if target in LITERAL:
            place.put_raw(f"{place.prefix}/{target}", inside.files["model.safetensors"])
        else:
            place.put_raw(f"{place.prefix}/{target}", outside.files["model.safetensors"])
    wire: Wire | None = request.getfixturevalue("wire") if store.is_object_store else None
    with Witness(*([] if wire else [Path(place.uri, file) for file in checkpoint.weight_files])) as witness:
        if target in LITERAL:
            with contextlib.suppress(SubjectRaised):
                answer = subject.ask("model_tensors", uri=place.uri, settings={})
                # the file of just that name, which lies in the model, and never the neighbour's
                right = {**checkpoint.expected, **inside.expected}
                assert_same_tensors(check, subject.shared, expected=right, actual=answer)
                return
        error = error_of(
            check, subject.shared, "model_tensors", why="the index points outside", uri=place.uri, settings={}
        )
        gets = [get.path for get in wire.gets(suffix=".safetensors")] if wire else []
        check.equal(expected=[], actual=gets + witness.seen(), what="weights read before the refusal")
    assert_names(check, error, INDEX_FILE, target.replace("\\", "/").rpartition("/")[2])


@requirement("LOAD-010")
def test_the_environment(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    before = subject.ask("environment")
    for distributed in (False, True):
        settings = {"concurrency": 3, "memory_limit": MiB, "distributed": distributed}
        assert_model(check, subject, place.uri, checkpoint, **settings)
    check.equal(expected=before, actual=subject.ask("environment"), what="the environment after a load")
    error_of(
        check,
        subject.shared,
        "model_tensors",
        why="nothing is there",
        uri=f"{place.uri}/no",
        settings={"concurrency": 2},
    )
    check.equal(
        expected=before, actual=subject.ask("environment"), what="the environment after a failed load"
    )


@requirement("LOAD-011")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"concurrency": 1},
        {"concurrency": 32},
        {"memory_limit": -1},
        {"memory_limit": 0},
        {"memory_limit": 4096},
        {"distributed": True},
    ]
    + [{"concurrency": 4, "memory_limit": MiB, "distributed": False}],
)
def test_settings(check: Check, subject: Bench, place: Place, seed: int, settings: dict[str, Any]) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    assert_model(check, subject, place.uri, checkpoint, **settings)
