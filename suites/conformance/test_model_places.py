"""LOAD, third part: which files are the model, whatever else lies beside them and however they are named."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

from fixtures.checkpoints import INDEX_FILE, Checkpoint, ShardSpec, TensorSpec, build, one_large, sharded
from fixtures.stores import Place, Store
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, answer_of, assert_names, error_of
from suites.conformance.folders import LARGEST_FILE, bytes_below, tree_of
from suites.conformance.tensors import assert_model, assert_same_tensors


def one_tensor(seed: int, file: str, name: str) -> Checkpoint:
    return build([ShardSpec(file, (TensorSpec(name, "F32", (8, 8)),))], seed=seed, index=False)


@requirement("LOAD-020")
def test_consolidated_without_an_index(check: Check, subject: Bench, place: Place, seed: int) -> None:
    own = one_tensor(seed, "consolidated.safetensors", "layers.0.attention.wq.weight")
    place.put_all(own.files)
    assert_model(check, subject, place.uri, own)  # alone, it is the model
    usual = one_tensor(seed, "model.safetensors", "model.layers.0.self_attn.q_proj.weight")
    place.put_all(usual.files)
    assert_model(check, subject, place.uri, usual)
    part = one_tensor(seed, "consolidated-00001-of-00002.safetensors", "layers.1.attention.wq.weight")
    place.put_all(part.files)
    assert_model(check, subject, place.uri, usual)


@requirement("LOAD-021")
def test_weights_in_subfolders(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = one_tensor(seed, "model.safetensors", "encoder.weight")
    place.put_all(checkpoint.files)
    for folder in ("original", "2_Dense", "onnx", "checkpoint-500"):
        # the same name with other values, and a name of its own
        for number, name in enumerate(("encoder.weight", f"{folder}.weight")):
            file = f"{folder}/{number}.safetensors"
            place.put(file, one_tensor(seed + 1, file, name).files[file])
    assert_model(check, subject, place.uri, checkpoint)


@requirement("LOAD-022")
def test_the_cache_folder_has_no_weights(check: Check, subject: Bench, place: Place, seed: int) -> None:
    for checkpoint in (one_tensor(seed, "model.safetensors", "weight"), sharded(seed)):
        place.put_all(checkpoint.files)
        folder = subject.ask("pull_metadata", uri=place.uri)
        check.equal(
            expected=True, actual="config.json" in tree_of(folder), what="whether metadata was pulled"
        )
        error = error_of(
            check, subject.shared, "model_tensors", why="only metadata is there", uri=folder, settings={}
        )
        assert_names(check, error, folder, ".safetensors")


@requirement("LOAD-023")
def test_no_weights_on_the_disk(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = one_large(seed, 1 << 20)
    place.put_all(checkpoint.files)
    worker = subject.worker()
    home = Path(worker.ask("environment")["HOME"])
    # also what is removed again: a larger file can't be written at all, wherever it lies
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    why = "no large file can be written"
    started = answer_of(
        check, worker, "start", what=f"a start where {why}", arguments={"model_path": place.uri}
    )
    answer = answer_of(
        check,
        worker,
        "model_tensors",
        what=f"a load where {why}",
        uri=started["model_weights"],
        settings={},
    )
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)
    written = bytes_below(home) + bytes_below(subject.cache_root)
    check.true(
        written < LARGEST_FILE,
        what="bytes on the disk after start and load",
        expected=f"fewer than {LARGEST_FILE}, for {1 << 20} of weights",
        actual=written,
    )


@requirement("LOAD-027")
def test_spellings_of_the_address(
    check: Check, subject: Bench, place: Place, store: Store, seed: int
) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    spellings = [f"{place.uri}/", f"{place.uri}//"]
    if store.is_object_store:
        spellings.append("S3" + place.uri.removeprefix("s3"))
    for uri in spellings:
        assert_model(check, subject, uri, checkpoint)


@requirement("LOAD-028")
def test_unusual_shard_names(check: Check, subject: Bench, place: Place, store: Store, seed: int) -> None:
    names = ("a b", "a+b", "a%20b", "a#b", "a?b=c", "größe", "[1]", "x&y")
    shards = [
        ShardSpec(f"{name}.safetensors", (TensorSpec(f"weight.{name}", "F32", (3 + number,)),))
        for number, name in enumerate(names)
    ]
    checkpoint = build(shards, seed=seed, index=True)
    folder = store.place(f"{place.prefix}/my model [v1] #2 50%25 X")
    folder.put_all(checkpoint.files)
    assert_model(check, subject, folder.uri, checkpoint)


@requirement("LOAD-029")
def test_an_index_with_other_fields(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    index = json.loads(checkpoint.files[INDEX_FILE])
    variants: list[dict[str, Any]] = [{"weight_map": index["weight_map"]}]
    variants.append(index | {"metadata": {"total_size": "unknown", "total_parameters": 1}})
    variants.append(
        index | {"metadata": {"total_size": 7.5e9, "mamba": True}, "format": "pt", "author": None}
    )
    place.put_all(checkpoint.files)
    for variant in variants:
        place.put(INDEX_FILE, json.dumps(variant).encode())
        assert_model(check, subject, place.uri, checkpoint)


@requirement("LOAD-058")
def test_a_link_that_leads_back(check: Check, subject: Bench, place: Place, seed: int) -> None:
    names = ("parts/a.safetensors", "parts/b.safetensors")
    shards = [ShardSpec(name, (TensorSpec(name[6], "F32", (9,)),)) for name in names]
    checkpoint = build(shards, seed=seed, index=True)
    place.put_all(checkpoint.files)
    (Path(place.uri) / "parts" / "back").symlink_to("..")
    (Path(place.uri) / "self").symlink_to(".")
    assert_model(check, subject, place.uri, checkpoint)
