"""SECURITY and LIST, on stores that are no store, or only look like S3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fixtures.checkpoints import INDEX_FILE, ShardSpec, TensorSpec, build, sharded
from fixtures.hostile_store import Bait, HostileStore
from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
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
    "the whole comes for a part": {"ranged": False},
}
#: of weights: a header is whole, and the tensor behind it isn't
ODD_WEIGHTS = {**ODD, "less than a tensor comes": {"brings": 70_000}}


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
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.replace(" ", "-"))
def test_odd_metadata(check: Check, subject: Bench, odd: str) -> None:
    objects = {f"{MODEL}/config.json": Bait(CONFIG), f"{MODEL}/vocab.json": Bait(VOCABULARY, **ODD[odd])}

    def right(folder: str) -> None:
        tree = {"config.json": CONFIG, "vocab.json": VOCABULARY}
        check.equal(expected=tree, actual=tree_of(folder), what=f"the tree of a store where {odd}")

    with HostileStore(objects) as store:
        worker = subject.worker(**store.environment)
        uri = store.uri(MODEL)
        assert_right_or_refused(check, worker, "pull_metadata", right, name="vocab.json", uri=uri)


@requirement("SECURITY-033")
@pytest.mark.parametrize("odd", ODD_WEIGHTS, ids=lambda odd: odd.replace(" ", "-"))
def test_odd_weights(check: Check, subject: Bench, seed: int, odd: str) -> None:
    # longer than what a reader takes for a header's first piece
    name = "model.safetensors"
    checkpoint = build([ShardSpec(name, (TensorSpec("a", "U8", (100_000,)),))], seed=seed)
    (content,) = (checkpoint.files[file] for file in checkpoint.weight_files)

    def right(answer: Any) -> None:
        assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)

    with HostileStore({f"{MODEL}/{name}": Bait(content, **ODD_WEIGHTS[odd])}) as store:
        worker = subject.worker(**store.environment)
        files = [store.uri(f"{MODEL}/{name}")]
        assert_right_or_refused(check, worker, "tensors", right, name=name, files=files, settings={})


@requirement("SECURITY-034")
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.replace(" ", "-"))
def test_odd_index(check: Check, subject: Bench, seed: int, odd: str) -> None:
    checkpoint = sharded(seed)
    objects = {f"{MODEL}/{name}": Bait(content) for name, content in checkpoint.files.items()}
    objects[f"{MODEL}/{INDEX_FILE}"] = Bait(checkpoint.files[INDEX_FILE], **ODD[odd])

    def right(answer: Any) -> None:
        assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)

    with HostileStore(objects) as store:
        worker = subject.worker(**store.environment)
        uri = store.uri(MODEL)
        assert_right_or_refused(check, worker, "model_tensors", right, name=INDEX_FILE, uri=uri, settings={})


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
        error = error_of(check, subject.shared, operation, why="every request is called bad", **arguments)
        assert_deliberate(check, error)
    check.true(bad.hits > 0, what="requests that were called bad", expected="at least one", actual=bad.hits)


#: what a store says -> words of which an error has one, or the name of its class: those of the status, of
#: S3's code for it, or of everyday life. Clients repeat what answers with 429 or more, which takes seconds.
SAID: dict[int, tuple[str, ...]] = {
    403: ("403", "denied", "forbidden"),
    404: ("404", "nosuch", "not found", "notfound", "no such"),
    412: ("412", "precondition", "changed", "version"),
}


@requirement("LIST-044")
@pytest.mark.parametrize("status", SAID)
def test_what_the_store_said(check: Check, subject: Bench, place: Place, wire: Wire, status: int) -> None:
    place.put("model.safetensors", b"x")
    said = wire.inject(Fault(match="", method=None, status=status))
    why = f"the store answers {status}"
    for operation in ("list_weights", "pull_metadata"):
        error = error_of(check, subject.shared, operation, why=why, uri=place.uri)
        # the address of a check holds its name, and with it the status
        text = f"{error.type}: {error.message}".replace(place.prefix, "…")
        check.true(
            any(word in text.lower() for word in SAID[status]),
            what=f"the error where {why}",
            expected=f"one of {', '.join(SAID[status])}",
            actual=text,
        )
    check.true(said.hits > 0, what=f"answers of {status}", expected="at least one", actual=said.hits)


def questions(place: Place, files: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Everything that asks a store."""
    return [
        ("list_weights", {"uri": place.uri}),
        ("pull_metadata", {"uri": place.uri}),
        ("tensors", {"files": files, "settings": {}}),
    ]
