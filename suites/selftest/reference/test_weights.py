"""Listing, index and stream: exactly the tensors that count, whole and their own."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import torch

from fixtures import checkpoints
from fixtures.checkpoints import ShardSpec, TensorSpec, build
from fixtures.faults import Fault
from fixtures.reference import (
    AccessDenied,
    ChangedDuringLoad,
    CorruptIndex,
    DuplicateTensor,
    InvalidConfig,
    LoadError,
    MissingShard,
    MissingTensor,
    NotFound,
    NoWeights,
    TooLarge,
    Truncated,
    UnexpectedTensor,
    UnsafeName,
    bounds,
    list_safetensors,
    runai_safetensors_weights_iterator,
)
from fixtures.reference.backends import Body, DiskBackend, ObjectInfo, s3
from fixtures.reference.config import LoadConfig
from fixtures.reference.loader import RunaiModelStreamerLoader
from fixtures.wire import Wire
from suites.selftest.reference.conftest import BUCKET, Model

INDEX = "model.safetensors.index.json"


def our_threads() -> list[str]:
    """The proxy under test has threads of its own, which come and go with connections."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("headers", "tqdm"))]


def shard(name: str, *tensors: str) -> ShardSpec:
    return ShardSpec(name, tuple(TensorSpec(tensor, "F32", (5,)) for tensor in tensors))


def files_of(*shards: ShardSpec) -> dict[str, bytes]:
    return {name: data for one in shards for name, data in build([one], seed=1, index=False).files.items()}


def index_of(**weight_map: str) -> bytes:
    return json.dumps({"weight_map": weight_map}).encode()


def assert_equal(tensors: Iterable[tuple[str, torch.Tensor]], expected: checkpoints.Checkpoint) -> None:
    got = list(tensors)  # all of them are kept before one is looked at
    assert sorted(name for name, _ in got) == sorted(expected.expected)
    for name, tensor in got:
        want = expected.expected[name]
        raw = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        assert (tuple(tensor.shape), hashlib.sha256(raw).hexdigest()) == (tuple(want.shape), want.sha256), (
            name
        )
        assert tensor.data_ptr() % tensor.itemsize == 0, name


@pytest.mark.parametrize("place", ["disk", "bucket"])
@pytest.mark.parametrize(
    "maker",
    ["dtype_matrix", "misaligned", "scalars_and_empty", "special_values", "empty_shards", "names"]
    + ["shuffled_headers", "many_tiny"],
)
def test_tensors_are_the_oracles(model: Model, tmp_path: Path, maker: str, place: str) -> None:
    checkpoint = checkpoints.READY_MADE[maker](seed=3)
    folder = tmp_path / "odd [1] *"
    checkpoint.write(folder) if place == "disk" else model.put_all(checkpoint.files)
    source = str(folder) if place == "disk" else model.uri
    assert_equal(runai_safetensors_weights_iterator(list_safetensors(source)), checkpoint)


@pytest.mark.parametrize(("concurrency", "memory_limit"), [(1, 0), (8, -1), (2, 2 << 20)])
def test_settings_change_nothing_but_speed(model: Model, concurrency: int, memory_limit: int) -> None:
    checkpoint = checkpoints.one_large(seed=3, nbytes=1 << 20)
    model.put_all(checkpoint.files)
    before, threads = dict(os.environ), our_threads()
    config = LoadConfig(model_loader_extra_config={"concurrency": concurrency, "memory_limit": memory_limit})
    assert_equal(RunaiModelStreamerLoader(config)._get_weights_iterator(model.uri), checkpoint)
    assert dict(os.environ) == before and our_threads() == threads


def test_a_limit_below_the_largest_tensor(model: Model) -> None:
    model.put_all(files_of(shard("a.safetensors", "x")))
    before = dict(os.environ)
    with pytest.raises(InvalidConfig, match="memory_limit"):
        list(runai_safetensors_weights_iterator([f"{model.uri}/a.safetensors"], memory_limit=19))
    assert dict(os.environ) == before


def test_an_abandoned_iterator_leaves_nothing(model: Model) -> None:
    model.put_all(checkpoints.many_tiny(seed=1, count=50).files)
    before, threads = dict(os.environ), our_threads()
    iterator = runai_safetensors_weights_iterator(list_safetensors(model.uri), concurrency=2)
    next(iter(iterator))
    del iterator
    assert dict(os.environ) == before and our_threads() == threads


def test_listing_is_sorted_direct_and_ours(model: Model) -> None:
    model.put_all(dict.fromkeys(["b.safetensors", "a.safetensors", "sub/c.safetensors", "x.json"], b""))
    model.client.put_object(Bucket=BUCKET, Key=f"{model.prefix}2/n.safetensors", Body=b"")
    assert list_safetensors(model.uri + "/") == [f"{model.uri}/{n}.safetensors" for n in "ab"]
    assert list_safetensors(f"{model.uri}/sub") == [f"{model.uri}/sub/c.safetensors"]
    with pytest.raises(NotFound, match=model.uri[:-1]):
        list_safetensors(model.uri[:-1])


def names(source: str) -> list[str]:
    return sorted(name for name, _ in RunaiModelStreamerLoader()._get_weights_iterator(source))


def test_the_index_decides(model: Model, tmp_path: Path) -> None:
    shards = [shard("model-1.safetensors", "a"), shard("sub/model-2.safetensors", "b")]
    stale = [shard("consolidated.safetensors", "a", "b"), shard("old.safetensors", "c")]
    files = files_of(*shards) | files_of(*stale)
    files[INDEX] = index_of(a="model-1.safetensors", b="sub/model-2.safetensors")
    model.put_all(files)
    assert names(model.uri) == ["a", "b"]
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert names(str(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize(
    ("weight_map", "error", "named"),
    [
        ({"a": "m.safetensors", "b": "gone.safetensors"}, MissingShard, "gone.safetensors"),
        ({"a": "m.safetensors", "b": "no/gone.safetensors"}, MissingShard, "no/gone.safetensors"),
        ({"a": "m.safetensors", "b": "m.safetensors"}, MissingTensor, "'b'"),
        ({"a": "m.safetensors", "c": "twice.safetensors"}, DuplicateTensor, "'a'"),
        ({"a": "m.safetensors", "x": "m.safetensors", "y": "two.safetensors"}, MissingTensor, "'x'"),
        ({"x": "two.safetensors", "a": "two.safetensors"}, MissingTensor, "'a'"),
        ({"a": "m.safetensors", "x": "two.safetensors"}, UnexpectedTensor, "'y'"),
        ({}, NoWeights, INDEX),
        ({"a": 3}, CorruptIndex, INDEX),
        ({"a": "../m.safetensors"}, UnsafeName, "../m"),
        ({"a": "/etc/m.safetensors"}, UnsafeName, "/etc"),
        ({"a": "s3://other/m.safetensors"}, UnsafeName, "s3:"),
        ({"a": "%2e%2e/m.safetensors"}, UnsafeName, ".."),
        ({"a": "%252e%252e%252fm.safetensors"}, UnsafeName, ".."),
        ({"a": "%252525252e./m.safetensors"}, UnsafeName, ".."),
        ({"a": "%" + "25" * 50 + "2e./m.safetensors"}, UnsafeName, "times"),
        ({"a": "..\\m.safetensors"}, UnsafeName, "m.safetensors"),
        ({"a": "C:/m.safetensors"}, UnsafeName, "C:"),
        ({"a": "m.bin"}, UnsafeName, "m.bin"),
    ],
)
def test_bad_indices(
    model: Model, wire: Wire, weight_map: dict[str, str], error: type[LoadError], named: str
) -> None:
    model.put_all(
        files_of(
            shard("m.safetensors", "a"),
            shard("two.safetensors", "x", "y"),
            shard("twice.safetensors", "a", "c"),
        )
    )
    model.put(INDEX, json.dumps({"weight_map": weight_map}).encode())
    with pytest.raises(error) as caught:
        names(model.uri)
    assert named in str(caught.value) and model.uri in str(caught.value)
    if error is UnsafeName:
        assert [request.key.rpartition("/")[2] for request in wire.gets()] == [INDEX]


def test_places_without_weights(model: Model, tmp_path: Path) -> None:
    model.put("config.json", b"{}")
    for source, error in ((model.uri, NoWeights), (str(tmp_path), NoWeights), (f"{model.uri}x", NotFound)):
        with pytest.raises(error) as caught:
            names(source)
        assert source in str(caught.value)
    with pytest.raises(NotFound, match="/no/such/folder"):
        names("/no/such/folder")


def test_a_shard_that_is_refused_is_named(model: Model, wire: Wire) -> None:
    model.put_all(files_of(*(shard(f"m{n}.safetensors", f"t{n}") for n in range(3))))
    wire.inject(Fault(match="m1.safetensors", method="GET", status=403))
    with pytest.raises(AccessDenied, match=r"m1\.safetensors"):
        names(model.uri)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(match="m.safetensors", status=403), AccessDenied),
        (Fault(match="m.safetensors", status=404), NotFound),
        (Fault(match="m.safetensors", truncate=7), Truncated),
    ],
    ids=["denied", "gone", "truncated"],
)
def test_a_broken_stream_says_why(
    model: Model, wire: Wire, monkeypatch: pytest.MonkeyPatch, fault: Fault, error: type[LoadError]
) -> None:
    monkeypatch.setattr(s3, "ATTEMPTS", 2)
    first = TensorSpec("first", "F32", (0,))
    model.put_all(files_of(ShardSpec("m.safetensors", (first, TensorSpec("then", "F32", (5000,))))))
    before = dict(os.environ)
    stream = RunaiModelStreamerLoader()._get_weights_iterator(model.uri)
    assert next(iter(stream))[0] == "first"
    wire.inject(fault)
    with pytest.raises(error, match=r"m\.safetensors"):
        list(stream)
    assert fault.hits and dict(os.environ) == before


def test_an_overwritten_shard_is_noticed(model: Model) -> None:
    model.put_all(files_of(shard("m.safetensors", "a", "b")))
    stream = RunaiModelStreamerLoader()._get_weights_iterator(model.uri)
    next(iter(stream))
    other = dict(build([shard("m.safetensors", "a", "b")], seed=2, index=False).files)
    model.put_all(other)
    with pytest.raises(ChangedDuringLoad, match=r"m\.safetensors"):
        list(stream)


def test_files_of_two_places_are_refused() -> None:
    with pytest.raises(InvalidConfig, match="one bucket"):
        list(runai_safetensors_weights_iterator(["s3://a/x.safetensors", "s3://b/x.safetensors"]))


def test_local_files_may_be_named_in_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "deep/b", "c"):
        place = tmp_path / f"{name}.safetensors"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(files_of(shard("m.safetensors", name[-1]))["m.safetensors"])
    (tmp_path / "link").symlink_to("deep")
    monkeypatch.chdir(tmp_path)
    named = ["a.safetensors", "link//b.safetensors", f"{tmp_path}/./c.safetensors"]
    for some in ([named[0]], [named[1]], named):
        tensors = list(runai_safetensors_weights_iterator(some))
        assert sorted(name for name, _ in tensors) == ["a", "b", "c"][named.index(some[0]) :][: len(some)]


def test_files_far_apart_list_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / "x" / "a.safetensors", tmp_path / "y" / "z" / "b.safetensors"]
    for path in files:
        path.parent.mkdir(parents=True)
        path.write_bytes(files_of(shard("m.safetensors", path.stem))["m.safetensors"])
    listed: list[tuple[str, bool]] = []
    right = DiskBackend.list

    def spy(self: DiskBackend, folder: str, *, recursive: bool = True) -> Iterator[ObjectInfo]:
        listed.append((folder, recursive))
        return right(self, folder, recursive=recursive)

    monkeypatch.setattr(DiskBackend, "list", spy)
    assert len(list(runai_safetensors_weights_iterator(files))) == 2
    assert listed == [(str(path.parent), False) for path in files]


def test_listings_are_bounded(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in files_of(*(shard(f"m{n}.safetensors", f"t{n}") for n in range(3))).items():
        model.put(name, data)
        (tmp_path / name).write_bytes(data)
    listed = {f"{tmp_path}/{key.rpartition('/')[2]}" for key in list_safetensors(model.uri)}
    assert listed == set(list_safetensors(tmp_path))
    monkeypatch.setattr(bounds, "MAX_LISTED", len(list(tmp_path.iterdir())))
    assert names(model.uri) == names(str(tmp_path)) == ["t0", "t1", "t2"]
    monkeypatch.setattr(bounds, "MAX_LISTED", 2)
    for source in (model.uri, str(tmp_path)):
        for look in (list_safetensors, names):
            with pytest.raises(TooLarge, match="2 objects"):
                look(source)


@pytest.mark.parametrize("name", ["m.safetensors", INDEX])
def test_a_body_that_does_not_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for file, data in files_of(shard("m.safetensors", "a")).items():
        (tmp_path / file).write_bytes(data)
    (tmp_path / INDEX).write_bytes(index_of(a="m.safetensors"))
    right = DiskBackend.read

    @contextmanager
    def endless(self: DiskBackend, key: str, **how: Any) -> Iterator[Body]:
        with right(self, key, **how) as body:
            yield Body(body.size, body.etag, repeat(b" " * 999)) if key.endswith(f"/{name}") else body

    monkeypatch.setattr(DiskBackend, "read", endless)
    with pytest.raises(TooLarge, match=name):
        names(str(tmp_path))
