"""LIST, META and WEIGHT, on what real buckets hold beside a model, and on how they were filled."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build, single_file
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, error_of
from suites.conformance.folders import tree_of
from suites.conformance.tensors import assert_same_tensors, tensors_of

WEIGHTS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
#: how an AppleDouble file begins; read as the length of a header it is two terabytes
APPLE_DOUBLE = bytes.fromhex("0005160700020000") + b"Mac OS X".ljust(24)


@requirement("LIST-030")
def test_sidecars(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(dict.fromkeys(WEIGHTS, b"x") | {f"._{name}": APPLE_DOUBLE for name in WEIGHTS})
    check.equal(
        expected=[f"{place.uri}/{name}" for name in WEIGHTS],
        actual=sorted(subject.ask("list_weights", uri=place.uri)),
        what="the files listed where each has a sidecar",
    )


@requirement("LIST-031")
def test_the_root_of_a_bucket(check: Check, subject: Bench, place: Place, store: Store) -> None:
    place.put("deeper.safetensors", b"x")
    with in_the_root(store, place, b"x") as (root, name):
        for uri in (root, f"{root}/"):
            listed = subject.ask("list_weights", uri=uri)
            check.equal(expected=[f"{root}/{name}"], actual=listed, what=f"list_weights({uri!r})")


@requirement("WEIGHT-063")
def test_weights_in_the_root_of_a_bucket(
    check: Check, subject: Bench, place: Place, store: Store, seed: int
) -> None:
    checkpoint = single_file(seed)
    (file,) = checkpoint.weight_files
    with in_the_root(store, place, checkpoint.files[file]) as (root, name):
        answer = tensors_of(check, subject.shared, [f"{root}/{name}"], where="in the root of a bucket")
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@contextmanager
def in_the_root(store: Store, place: Place, data: bytes) -> Iterator[tuple[str, str]]:
    """A file of weights in the root of the bucket: the root's address, and a name that is this place's."""
    root, name = store.place(""), f"{place.prefix.partition('/')[0]}.safetensors"
    root.put(name, data)
    try:
        yield root.uri, name
    finally:
        root.delete(name)


@requirement("LIST-032")
def test_a_second_listing(check: Check, subject: Bench, place: Place) -> None:
    def assert_listed(expected: str, what: str) -> None:
        listed = subject.ask("list_weights", uri=place.uri)
        check.equal(expected=[f"{place.uri}/{expected}"], actual=listed, what=what)

    place.put(WEIGHTS[0], b"x")
    assert_listed(WEIGHTS[0], "the first listing")
    place.put(WEIGHTS[1], b"x")
    place.delete(WEIGHTS[0])
    assert_listed(WEIGHTS[1], "the listing after one file came and one went")


@requirement("LIST-033")
def test_a_refused_listing(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put(WEIGHTS[0], b"x")
    refusal = wire.inject(Fault(match="list-type=2", status=403))
    error = error_of(check, subject.shared, "list_weights", why="the listing is refused", uri=place.uri)
    check.true(refusal.hits > 0, what="refused listings", expected="at least one", actual=refusal.hits)
    says_so = any(word in error.message.lower() for word in ("403", "denied", "forbidden"))
    check.true(says_so, what="the error's message", expected="that access is denied", actual=error.message)


@requirement("META-030")
def test_names_that_repeat_the_models(check: Check, subject: Bench, place: Place) -> None:
    name = place.prefix.rpartition("/")[2]
    tree = {
        "config.json": b"{}",
        f"{name}/config.json": b"[1]",
        f"{name}/{name}.json": b"[2]",
        f"a/{name}.txt": b"3",
        f"a/{place.prefix}/b.txt": b"4",
    }
    place.put_all(tree)
    check.equal(
        expected=tree, actual=tree_of(subject.ask("pull_metadata", uri=place.uri)), what="the pulled tree"
    )


@requirement("META-031")
def test_trailing_slashes(check: Check, subject: Bench, place: Place) -> None:
    tree = {"config.json": b"{}", "1_Pooling/config.json": b"[1]"}
    place.put_all(tree)
    for slashes in ("/", "//"):
        with subject.root(f"cache-{len(slashes)}") as worker:
            pulled = tree_of(worker.ask("pull_metadata", uri=place.uri + slashes))
        check.equal(expected=tree, actual=pulled, what=f"the tree pulled from {place.uri + slashes!r}")


@requirement("META-032")
def test_labelled_metadata(check: Check, subject: Bench, place: Place) -> None:
    tree = {"config.json": gzip.compress(b'{"a": 1}', mtime=0), "vocab.json": b'{"b": 2}'}
    for key, data in tree.items():  # the second label is a lie, as tools that copy metadata leave behind
        place.put_labelled(key, data, "gzip")
    check.equal(
        expected=tree, actual=tree_of(subject.ask("pull_metadata", uri=place.uri)), what="the pulled tree"
    )


@requirement("WEIGHT-050")
def test_labelled_weights(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = single_file(seed)
    (file,) = checkpoint.weight_files
    place.put_labelled(file, checkpoint.files[file], "gzip")
    answer = tensors_of(check, subject.shared, [f"{place.uri}/{file}"], where="of a labelled object")
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-051")
def test_a_file_replaced_during_its_load(
    check: Check, subject: Bench, place: Place, wire: Wire, seed: int
) -> None:
    # of one size, names and types, but the tensors lie the other way round: a header of the one and data of
    # the other give what neither is
    old, new = two_tensors(seed, "a", "b"), two_tensors(seed + 1, "b", "a")
    (file,) = old.weight_files
    place.put(file, old.files[file])
    data_begins = len(old.files[file]) - sum(tensor.nbytes for tensor in old.expected.values())
    # what asks for the header passes, what asks for the data waits until the file has been replaced
    replaced = threading.Event()
    held_back = wire.inject(Fault(match=file, until=replaced, begins=data_begins))
    worker = subject.shared
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(worker.ask, "tensors", files=[f"{place.uri}/{file}"], settings={})
        while not load.done() and held_back.hits == 0:
            time.sleep(0.005)
        place.put(file, new.files[file])
        replaced.set()
        try:
            answer = load.result()
        except SubjectRaised as error:
            check.true(True, what="a load", expected="one version or an error", actual=error.message)
            return
    versions = [{n: t.sha256 for n, t in checkpoint.expected.items()} for checkpoint in (old, new)]
    actual = {tensor["name"]: tensor["sha256"] for tensor in answer["tensors"]}
    check.true(
        actual in versions,
        what="digests after the file was replaced",
        expected=f"those of one version: {versions[0]} or {versions[1]}",
        actual=actual,
    )


def two_tensors(seed: int, *names: str) -> Checkpoint:
    return build(
        [ShardSpec("model.safetensors", tuple(TensorSpec(n, "F32", (999,)) for n in names))], seed=seed
    )
