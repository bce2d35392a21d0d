"""WEIGHT, fourth part: files are found by the addresses that they have, and through one endpoint."""

from __future__ import annotations

from pathlib import Path

from fixtures.checkpoints import ShardSpec, TensorSpec, build, sharded, single_file
from fixtures.stores import Place, Store
from fixtures.wire import Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.tensors import assert_same_tensors, place_checkpoint, tensors_of

ODD_NAMES = ("a b", "a+b", "a%20b", "a#b", "a?b=c&d", "größe", "权重", "[1]", "it's", "a,b;c@d!$(e)")


@requirement("WEIGHT-033")
def test_order_of_the_files(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed, 5)
    files = place_checkpoint(place, checkpoint)
    for order in (files[::-1], files[2:] + files[:2]):
        answer = subject.ask("tensors", files=order, settings={})
        assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-034")
def test_unusual_keys(check: Check, subject: Bench, place: Place, seed: int) -> None:
    shards = [
        ShardSpec(f"{name}/{name}.safetensors", (TensorSpec(name, "F32", (3 + number,)),))
        for number, name in enumerate(ODD_NAMES)
    ]
    checkpoint = build(shards, seed=seed, index=False)
    files = place_checkpoint(place, checkpoint)
    answer = subject.ask("tensors", files=files, settings={})
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-037")
def test_one_endpoint(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    checkpoint = sharded(seed)
    place_checkpoint(place, checkpoint)
    files = subject.ask("list_weights", uri=place.uri)
    check.true(
        any("list-type=2" in request.query for request in wire.requests),
        what="requests at the configured endpoint while files are listed",
        expected="a listing",
        actual=[request.query for request in wire.requests],
    )
    wire.forget()
    answer = tensors_of(check, subject.shared, files, where="of the files that were listed")
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
    sent = {request.key.rpartition("/")[2] for request in wire.gets() if request.body_bytes}
    check.equal(
        expected=set(checkpoint.weight_files), actual=sent, what="files read at the configured endpoint"
    )


@requirement("WEIGHT-039")
def test_files_behind_links(check: Check, subject: Bench, store: Store, place: Place, seed: int) -> None:
    # as in a cache of Hugging Face: snapshots/… holds links to blobs/…, which are named by their digest
    checkpoint = single_file(seed)
    store.place(f"{place.prefix}/blobs").put("0123abcd", checkpoint.files["model.safetensors"])
    snapshot = Path(place.uri) / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to("../../blobs/0123abcd")
    files = subject.ask("list_weights", uri=str(snapshot))
    check.equal(expected=[f"{snapshot}/model.safetensors"], actual=files, what="the listed files")
    answer = subject.ask("tensors", files=files, settings={})
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
