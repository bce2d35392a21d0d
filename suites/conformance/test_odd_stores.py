"""SECURITY, META, LOAD and WEIGHT, on stores that only look like S3, and models in odd places of a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.checkpoints import INDEX_FILE, ShardSpec, TensorSpec, build, sharded
from fixtures.hostile_store import Bait, HostileStore
from fixtures.stores import Place
from fixtures.stores.bucket import BUCKET
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, answer_of, assert_names
from suites.conformance.folders import tree_of
from suites.conformance.refusals import assert_deliberate
from suites.conformance.tensors import assert_same_tensors

MODEL = "org/model"
CONFIG, VOCABULARY = b'{"model_type": "made-up"}', b'["a", "b"]'
#: what is odd about one object
ODD: dict[str, dict[str, Any]] = {
    "no size is listed": {"unstated": "listed size"},
    "no version is listed": {"unstated": "listed version"},
    "no version is stated": {"unstated": "version"},
    "no length is stated": {"unstated": "length"},
    "less comes than was promised": {"brings": 5},
    "the body breaks off": {"breaks": 5},
}
#: of what is read whole: more than its listing says
ODD_WHOLE = {**ODD, "more comes than was listed": {"more": b"]}"}}
#: of what is read in parts
ODD_PARTS = {
    **ODD,
    "the whole comes for a part": {"ranged": False},
    "less than a part comes": {"brings": 250_000},
    "a part breaks off": {"breaks": 250_000},
}


def bait(content: bytes, *, more: bytes = b"", **odd: Any) -> Bait:
    """`more`: comes behind the content, and isn't listed."""
    if more:
        return Bait(content + more, listed=len(content), sized=len(content + more))
    return Bait(content, **odd)


def assert_right_or_refused(
    check: Check, worker: Worker, operation: str, right: Callable[[Any], None], *, name: str, **arguments: Any
) -> None:
    """The answer is `right`, or an error that somebody meant and that names `name`."""
    __tracebackhide__ = True
    try:
        answer = worker.ask(operation, **arguments)
    except SubjectRaised as error:
        assert_deliberate(check, error)
        assert_names(check, error, name)
    else:
        right(answer)


@requirement("SECURITY-032")
@pytest.mark.parametrize("odd", ODD_WHOLE, ids=lambda odd: odd.replace(" ", "-"))
def test_odd_metadata(check: Check, subject: Bench, odd: str) -> None:
    objects = {
        f"{MODEL}/config.json": Bait(CONFIG),
        f"{MODEL}/vocab.json": bait(VOCABULARY, **ODD_WHOLE[odd]),
    }

    def right(folder: str) -> None:
        tree = {"config.json": CONFIG, "vocab.json": VOCABULARY}
        check.equal(expected=tree, actual=tree_of(folder), what=f"the tree of a store where {odd}")

    with HostileStore(objects) as store:
        worker = subject.worker(**store.environment)
        uri = store.uri(MODEL)
        assert_right_or_refused(check, worker, "pull_metadata", right, name="vocab.json", uri=uri)


#: a header of 170 KB, longer than what readers take at first, with 400 KB of data
LONG_HEADER = tuple(TensorSpec(f"{'a' * 100}.{number}", "U8", (400,)) for number in range(1_000))
#: as many bytes of data behind a header that comes with the first read
SHORT_HEADER = tuple(TensorSpec(f"a.{number}", "U8", (100_000,)) for number in range(4))


@requirement("SECURITY-033")
@pytest.mark.parametrize("odd", ODD_PARTS, ids=lambda odd: odd.replace(" ", "-"))
def test_odd_weights(check: Check, subject: Bench, seed: int, odd: str) -> None:
    assert_loaded_or_refused(check, subject, seed, LONG_HEADER, ODD_PARTS[odd])


@requirement("SECURITY-033")
@pytest.mark.parametrize("odd", ["the whole comes for a part", "less than a part comes", "a part breaks off"])
def test_odd_data(check: Check, subject: Bench, seed: int, odd: str) -> None:
    assert_loaded_or_refused(check, subject, seed, SHORT_HEADER, ODD_PARTS[odd])


def assert_loaded_or_refused(
    check: Check, subject: Bench, seed: int, many: tuple[TensorSpec, ...], odd: dict[str, Any]
) -> None:
    """What comes of a file with these tensors, beside a longer one that is as it should be."""
    __tracebackhide__ = True
    names = ("odd.safetensors", "right.safetensors")
    shards = (ShardSpec(names[0], many), ShardSpec(names[1], (TensorSpec("b", "U8", (1_000_000,)),)))
    checkpoint = build(shards, seed=seed)
    objects = {f"{MODEL}/{name}": Bait(checkpoint.files[name]) for name in names}
    objects[f"{MODEL}/{names[0]}"] = bait(checkpoint.files[names[0]], **odd)

    def right(answer: Any) -> None:
        assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)

    with HostileStore(objects) as store:
        worker = subject.worker(**store.environment)
        files = [store.uri(f"{MODEL}/{name}") for name in names]
        assert_right_or_refused(check, worker, "tensors", right, name=names[0], files=files, settings={})


@requirement("SECURITY-034")
@pytest.mark.parametrize("odd", ODD_WHOLE, ids=lambda odd: odd.replace(" ", "-"))
def test_odd_index(check: Check, subject: Bench, seed: int, odd: str) -> None:
    checkpoint = sharded(seed)
    objects = {f"{MODEL}/{name}": Bait(content) for name, content in checkpoint.files.items()}
    objects[f"{MODEL}/{INDEX_FILE}"] = bait(checkpoint.files[INDEX_FILE], **ODD_WHOLE[odd])

    def right(answer: Any) -> None:
        assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)

    with HostileStore(objects) as store:
        worker = subject.worker(**store.environment)
        uri = store.uri(MODEL)
        assert_right_or_refused(check, worker, "model_tensors", right, name=INDEX_FILE, uri=uri, settings={})


@requirement("META-037")
def test_metadata_in_the_root_of_a_bucket(check: Check, subject: Bench) -> None:
    tree = {"config.json": CONFIG, "a/b.json": VOCABULARY}
    with HostileStore({name: Bait(content) for name, content in tree.items()}) as store:
        worker = subject.worker(**store.environment)
        for uri in (f"s3://{BUCKET}", f"s3://{BUCKET}/"):
            pulled = tree_of(worker.ask("pull_metadata", uri=uri))
            check.equal(expected=tree, actual=pulled, what=f"the tree pulled from {uri!r}")


@requirement("LOAD-062")
@pytest.mark.parametrize("index", [True, False], ids=["with an index", "without"])
def test_a_model_in_the_root_of_a_bucket(check: Check, subject: Bench, seed: int, index: bool) -> None:
    checkpoint = sharded(seed)
    names = checkpoint.files if index else checkpoint.weight_files
    with HostileStore({name: Bait(checkpoint.files[name]) for name in names}) as store:
        worker = subject.worker(**store.environment)
        for uri in (f"s3://{BUCKET}", f"s3://{BUCKET}/"):
            what = f"the model at {uri!r}"
            answer = answer_of(check, worker, "model_tensors", what=what, uri=uri, settings={})
            assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-062")
@pytest.mark.parametrize("second", ["disk", "bucket"])
def test_two_places(
    check: Check, subject: Bench, place: Place, seed: int, tmp_path: Path, second: str
) -> None:
    names = ("a.safetensors", "b.safetensors")
    whole = build([ShardSpec(name, (TensorSpec(name, "F32", (4,)),)) for name in names], seed=seed)
    # both names lie in the first place: whoever looks for the second there finds other bytes
    place.put_all(build([ShardSpec(n, (TensorSpec(n, "F32", (4,)),)) for n in names], seed=seed + 1).files)
    place.put(names[0], whole.files[names[0]])
    (tmp_path / names[1]).write_bytes(whole.files[names[1]])
    other = str(tmp_path / names[1]) if second == "disk" else f"s3://no-such-bucket/{place.prefix}/{names[1]}"

    def right(answer: Any) -> None:
        check.equal(expected="disk", actual=second, what="where a file was found that only a disk has")
        assert_same_tensors(check, subject.shared, expected=whole.expected, actual=answer)

    files = [f"{place.uri}/{names[0]}", other]
    assert_right_or_refused(check, subject.shared, "tensors", right, name="", files=files, settings={})
