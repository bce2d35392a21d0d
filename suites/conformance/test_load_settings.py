"""LOAD, fourth part: settings of one load, beside those of the process and of the next load."""

from __future__ import annotations

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build, sharded
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names
from suites.conformance.tensors import assert_same_tensors

#: bytes; enough for the tensors of `sharded`, too little for the larger one below
LIMIT = 4096
LARGER = 65_536


def larger(seed: int) -> Checkpoint:
    return build([ShardSpec("model.safetensors", (TensorSpec("w", "U8", (LARGER,)),))], seed=seed)


@requirement("LOAD-024")
def test_the_users_own_variables(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    own = {"RUNAI_STREAMER_CONCURRENCY": "7", "RUNAI_STREAMER_MEMORY_LIMIT": "1000000"}
    worker = subject.worker(**own)
    for settings in ({"concurrency": 2, "memory_limit": LIMIT}, {}):
        answer = worker.ask("model_tensors", uri=place.uri, settings=settings)
        assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)
        after = worker.ask("environment")
        check.equal(
            expected=own,
            actual={name: after.get(name) for name in own},
            what="variables that the user has set",
        )


@requirement("LOAD-025")
def test_the_next_load(check: Check, subject: Bench, store: Store, place: Place, seed: int) -> None:
    small = sharded(seed)
    large = larger(seed)
    places = [store.place(f"{place.prefix}/{name}") for name in ("small", "large")]
    for one, checkpoint in zip(places, (small, large), strict=True):
        one.put_all(checkpoint.files)
    for settings in ({"memory_limit": LIMIT, "concurrency": 1}, {"memory_limit": LIMIT}):
        answer = subject.ask("model_tensors", uri=places[0].uri, settings=settings)
        assert_same_tensors(check, subject.shared, expected=small.expected, actual=answer)
        try:
            answer = subject.ask("model_tensors", uri=places[1].uri, settings={})
        except SubjectRaised as error:  # the limit of the load before would refuse it
            check.true(False, what="a load without settings", expected="tensors", actual=error.message)
        assert_same_tensors(check, subject.shared, expected=large.expected, actual=answer)


@requirement("LOAD-026")
def test_a_limit_below_the_largest_tensor(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = larger(seed)
    place.put_all(checkpoint.files)
    try:
        answer = subject.ask("model_tensors", uri=place.uri, settings={"memory_limit": LIMIT})
    except SubjectRaised as error:
        assert_names(check, error, "memory_limit", str(LIMIT), str(LARGER))
    else:  # a loader whose buffers don't hold whole tensors has nothing to refuse
        assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
