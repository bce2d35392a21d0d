"""LOAD, second part: indices that contradict themselves or their shards."""

from __future__ import annotations

import json

from fixtures.checkpoints import INDEX_FILE, build, sharded
from fixtures.stores import Place
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.tensors import assert_model
from suites.conformance.test_loader import shard, with_index

SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


@requirement("LOAD-030")
def test_a_name_that_the_index_has_twice(check: Check, subject: Bench, place: Place, seed: int) -> None:
    # both shards hold the name, so that whichever entry a loader takes, it finds a tensor
    first, second = (build([shard(f, "twice")], seed=seed + n).files[f] for n, f in enumerate(SHARDS))
    place.put_all(dict(zip(SHARDS, (first, second), strict=True)))
    entries = ", ".join(f'"twice": {json.dumps(file)}' for file in SHARDS)
    place.put(INDEX_FILE, f'{{"metadata": {{}}, "weight_map": {{{entries}}}}}'.encode())
    error = error_of(
        check,
        subject.shared,
        "model_tensors",
        why="the index has a name twice",
        uri=place.uri,
        settings={},
    )
    assert_names(check, error, INDEX_FILE)


@requirement("LOAD-031")
def test_a_tensor_that_the_index_leaves_out(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    place.put_all(with_index(checkpoint, {"layers.1.bias": None}))
    error = error_of(
        check,
        subject.shared,
        "model_tensors",
        why="a shard holds a tensor that the index leaves out",
        uri=place.uri,
        settings={},
    )
    assert_names(check, error, "layers.1.bias")


OTHER_INDEX = "diffusion_pytorch_model.safetensors.index.json"
VARIANT_INDEX = "diffusion_pytorch_model.fp16.safetensors.index.json"


@requirement("LOAD-050")
def test_the_only_index_has_another_name(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    stale = build([shard("model-00009-of-00009.safetensors", "layers.1.weight")], seed=seed + 1)
    place.put_all({file: data for file, data in checkpoint.files.items() if file != INDEX_FILE})
    place.put_all({file: stale.files[file] for file in stale.weight_files})
    place.put(OTHER_INDEX, checkpoint.files[INDEX_FILE])
    assert_model(check, subject, place.uri, checkpoint)


@requirement("LOAD-051")
def test_two_indices(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed, 2)
    variant = build([shard(f"variant-{n}.safetensors", f"layers.{n}.weight") for n in (0, 1)], seed=seed)
    place.put_all({**variant.files, **checkpoint.files})
    # the default one decides, whichever comes first in a listing
    for name in ("a.safetensors.index.json", VARIANT_INDEX, "z.safetensors.index.json"):
        place.put(name, variant.files[INDEX_FILE])
    assert_model(check, subject, place.uri, checkpoint)
    # without it nobody knows which model is meant
    place.delete(INDEX_FILE)
    place.put(OTHER_INDEX, checkpoint.files[INDEX_FILE])
    error_of(
        check,
        subject.shared,
        "model_tensors",
        why="of two indices for the same tensors none has the default name",
        uri=place.uri,
        settings={},
    )


@requirement("LOAD-052")
def test_a_tensor_in_another_shard(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    lies, said = "model-00002-of-00004.safetensors", "model-00004-of-00004.safetensors"
    assert json.loads(checkpoint.files[INDEX_FILE])["weight_map"]["layers.1.weight"] == lies
    place.put_all(with_index(checkpoint, {"layers.1.weight": said}))
    error = error_of(
        check,
        subject.shared,
        "model_tensors",
        why="a tensor lies in another shard than the index says",
        uri=place.uri,
        settings={},
    )
    assert_names(check, error, "layers.1.weight", lies, said)
