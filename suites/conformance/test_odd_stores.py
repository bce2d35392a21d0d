"""SECURITY and LIST, on stores that are no store, or only look like S3."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fixtures.checkpoints import INDEX_FILE, ShardSpec, TensorSpec, build, sharded
from fixtures.hostile_store import Bait, HostileStore
from fixtures.stores import Place
from fixtures.stores.bucket import BUCKET
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, answer_of, assert_kind, assert_names, error_of
from suites.conformance.folders import tree_of
from suites.conformance.refusals import assert_deliberate
from suites.conformance.tensors import assert_same_tensors, place_checkpoint

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
    assert_loaded_or_refused(check, subject, seed, odd, LONG_HEADER)


@requirement("SECURITY-033")
@pytest.mark.parametrize("odd", ["the whole comes for a part", "less than a part comes", "a part breaks off"])
def test_odd_data(check: Check, subject: Bench, seed: int, odd: str) -> None:
    assert_loaded_or_refused(check, subject, seed, odd, SHORT_HEADER)


def assert_loaded_or_refused(
    check: Check, subject: Bench, seed: int, odd: str, many: tuple[TensorSpec, ...]
) -> None:
    """What comes of a file with these tensors, beside a longer one that is as it should be."""
    __tracebackhide__ = True
    names = ("odd.safetensors", "right.safetensors")
    shards = (ShardSpec(names[0], many), ShardSpec(names[1], (TensorSpec("b", "U8", (1_000_000,)),)))
    checkpoint = build(shards, seed=seed)
    objects = {f"{MODEL}/{name}": Bait(checkpoint.files[name]) for name in names}
    objects[f"{MODEL}/{names[0]}"] = bait(checkpoint.files[names[0]], **ODD_PARTS[odd])

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


#: what is the matter -> the variables that make it so
UNUSABLE: dict[str, dict[str, str | None]] = {
    "there are no credentials": {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
    "there is half of the credentials": {"AWS_SECRET_ACCESS_KEY": None},
    "the endpoint is no address": {"AWS_ENDPOINT_URL": "not-an-address"},
}


@requirement("LIST-043")
@pytest.mark.parametrize("trouble", UNUSABLE, ids=lambda trouble: trouble.replace(" ", "-"))
def test_a_store_that_cannot_be_asked(
    check: Check, subject: Bench, place: Place, seed: int, trouble: str
) -> None:
    files = place_checkpoint(place, sharded(seed))
    for operation, arguments in questions(place, files):
        with subject.worker(**UNUSABLE[trouble]) as worker:
            error = error_of(check, worker, operation, why=trouble, **arguments)
        assert_deliberate(check, error)


@requirement("LIST-043")
def test_a_bad_request(check: Check, subject: Bench, place: Place, wire: Wire, seed: int) -> None:
    files = place_checkpoint(place, sharded(seed))
    bad = wire.inject(Fault(match="", method=None, status=400))
    for operation, arguments in questions(place, files):
        before = bad.hits
        error = error_of(check, subject.shared, operation, why="every request is called bad", **arguments)
        assert_deliberate(check, error)
        what = f"requests of {operation} that were called bad"
        check.true(bad.hits > before, what=what, expected="at least one", actual=bad.hits - before)


#: what a store says -> what an error may say of it: the status, S3's code for it, or words of everyday life.
#: Clients repeat what was answered with 429 or more, which takes seconds.
SAID: dict[int, str] = {
    403: r"\b403\b|denied|forbidden",
    404: r"\b404\b|nosuch|not ?found|no such",
    412: r"\b412\b|precondition|changed|\bversion",
}


@requirement("LIST-044")
@pytest.mark.parametrize("status", SAID)
def test_what_the_store_said(check: Check, subject: Bench, place: Place, wire: Wire, status: int) -> None:
    place.put("model.safetensors", b"x")
    said = wire.inject(Fault(match="", method=None, status=status))
    why = f"the store answers {status}"
    for operation in ("list_weights", "pull_metadata"):
        before = said.hits
        error = error_of(check, subject.shared, operation, why=why, uri=place.uri)
        # addresses and paths hold the check's name, and with it the status
        words = [word for word in error.message.split() if "/" not in word and place.prefix[:9] not in word]
        text = f"{error.type.rpartition('.')[2]}: {' '.join(words)}"
        check.true(
            bool(re.search(SAID[status], text, re.IGNORECASE)),
            what=f"the error where {why}",
            expected=f"a text that says so: {SAID[status]}",
            actual=text,
        )
        what = f"answers of {status} to {operation}"
        check.true(said.hits > before, what=what, expected="at least one", actual=said.hits - before)


#: what S3 answers -> what an error may call it; "": none of those kinds. Source: its list of error codes, see
#: LIST-045. A code that nobody knows leaves the status to go by.
KINDS: dict[tuple[int, str], set[str]] = {
    (404, "NoSuchBucket"): {"missing"},
    (404, "NoSuchKey"): {"missing"},
    (404, "Unheard"): {"missing"},
    (401, "Unheard"): {"refused"},
    (403, "AccessDenied"): {"refused"},
    (403, "InvalidAccessKeyId"): {"refused"},
    (403, "Unheard"): {"refused"},
    (400, "InvalidRequest"): {""},
    (400, "Unheard"): {""},
    (405, "MethodNotAllowed"): {""},
    (413, "Unheard"): {""},
}
#: the same of what clients ask for again, with pauses that grow; the codes with 400 are boto3's
#: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
KINDS_AFTER_PAUSES: dict[tuple[int, str], set[str]] = {
    (429, "Unheard"): {"overloaded"},
    (503, "SlowDown"): {"overloaded"},
    (503, "ServiceUnavailable"): {"overloaded", "down"},
    (500, "InternalError"): {"down", ""},
    (502, "Unheard"): {"down"},
    (504, "Unheard"): {"down"},
    (400, "SlowDown"): {"overloaded"},
    (400, "Throttling"): {"overloaded"},
    (400, "ThrottlingException"): {"overloaded"},
    (400, "ThrottledException"): {"overloaded"},
    (400, "RequestLimitExceeded"): {"overloaded"},
    (400, "RequestThrottled"): {"overloaded"},
    (400, "RequestThrottledException"): {"overloaded"},
    (400, "TooManyRequestsException"): {"overloaded"},
    (400, "BandwidthLimitExceeded"): {"overloaded"},
}
#: of an object that a listing has just named: one that is gone has changed, too
KINDS_OF_LISTED: dict[int, set[str]] = {403: {"refused"}, 404: {"missing", "changed"}, 412: {"changed"}}
PATIENCE_SECONDS = 120.0


@requirement("LIST-045")
@pytest.mark.parametrize("kinds", [KINDS, KINDS_AFTER_PAUSES], ids=["at-once", "after-pauses"])
def test_kinds_of_trouble(
    check: Check, subject: Bench, place: Place, wire: Wire, kinds: dict[tuple[int, str], set[str]]
) -> None:
    def ask(case: tuple[Worker, Fault]) -> Any:
        worker, said = case
        try:
            return worker.ask("list_weights", deadline=PATIENCE_SECONDS, uri=f"{place.uri}{said.match}")
        except SubjectRaised as error:
            return error

    said = [
        wire.inject(Fault(match=f"/{status}-{code}/", method=None, status=status, code=code))
        for status, code in kinds
    ]
    workers = [subject.worker() for _ in said]
    # the pauses of clients that repeat are all that takes time
    with ThreadPoolExecutor(len(kinds)) as pool:
        outcomes = list(pool.map(ask, zip(workers, said, strict=True)))
    check.true(all(one.hits for one in said), what="the answers", expected="all given", actual=said)
    for ((status, code), right), error in zip(kinds.items(), outcomes, strict=True):
        answered = f"the store answers {status} {code}"
        if not isinstance(error, SubjectRaised):
            check.true(False, what=f"a listing where {answered}", expected="an error", actual=error)
        assert_kind(check, subject, error, right, where=answered)


@requirement("LIST-045")
@pytest.mark.parametrize("status", KINDS_OF_LISTED)
def test_kinds_in_the_middle_of_a_pull(
    check: Check, subject: Bench, place: Place, wire: Wire, status: int
) -> None:
    place.put("config.json", CONFIG)
    said = wire.inject(Fault(match="config.json", status=status))
    why = f"the store answers {status} for one of a listing's objects"
    error = error_of(check, subject.shared, "pull_metadata", why=why, uri=place.uri)
    check.true(said.hits > 0, what=f"answers of {status}", expected="at least one", actual=said.hits)
    assert_kind(check, subject, error, KINDS_OF_LISTED[status], where=why)


def questions(place: Place, files: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Everything that asks a store."""
    return [
        ("list_weights", {"uri": place.uri}),
        ("pull_metadata", {"uri": place.uri}),
        ("tensors", {"files": files, "settings": {}}),
    ]
