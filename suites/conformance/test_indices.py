"""LOAD, second part: indices that contradict themselves or their shards."""

from __future__ import annotations

import json

from fixtures.checkpoints import INDEX_FILE, build, sharded
from fixtures.stores import Place
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
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
