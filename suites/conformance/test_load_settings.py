"""LOAD, fourth part: settings of one load, beside those of the process and of the next load."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import MappingProxyType

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build, sharded
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, answer_of, assert_names
from suites.conformance.tensors import assert_same_tensors

#: bytes; enough for the tensors of `sharded`, too little for the larger one below
LIMIT = 4096
LARGER = 65_536
#: as many as one client of the streamer has under way at a time, three times
SHARDS = 66
#: looks without another request, after which none is expected, and those for more requests than that. They
#: are counted, not timed: where nobody gets the processor, requests and looks are late together
QUIET, PATIENCE = 100, 2000
#: pairs of loads that are compared before one has too many requests under way
TRIES = 3
#: seconds between two looks
PAUSE = 0.01


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


@requirement("LOAD-024")
def test_a_limit_above_the_variables(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = larger(seed)
    place.put_all(checkpoint.files)
    worker = subject.worker(RUNAI_STREAMER_MEMORY_LIMIT=str(LIMIT))
    what = f"a load without a limit where the variable says {LIMIT}"
    settings = {"memory_limit": -1}
    answer = answer_of(check, worker, "model_tensors", what=what, uri=place.uri, settings=settings)
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)


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


@requirement("LOAD-053")
def test_concurrency_has_an_effect(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    checkpoint = sharded(seed, SHARDS)
    place.put_all(checkpoint.files)
    ask = partial(requests_at_once, check, subject, place, wire, checkpoint)
    few = ask(concurrency=1, enough=SHARDS + 1)
    # by half: how many of all shards' requests are seen to be under way differs by a few from load to load
    enough = few + max(1, few // 2)
    many = ask(concurrency=16, enough=enough)
    check.true(
        many >= enough,
        what="requests for data under way at once with a concurrency of 16",
        expected=f"{enough} or more, for there are {few} with a concurrency of 1",
        actual=many,
    )


@requirement("LOAD-053")
def test_concurrency_beside_the_variables(
    check: Check, subject: Bench, place: Place, seed: int, wire: Wire
) -> None:
    checkpoint = sharded(seed, SHARDS)
    place.put_all(checkpoint.files)
    # the streamer takes the second where a store is read, and the first where it is not set
    variables = {"RUNAI_STREAMER_CONCURRENCY": "16", "RUNAI_STREAMER_OBJ_CONCURRENCY": "16"}
    ask = partial(requests_at_once, check, subject, place, wire, checkpoint, concurrency=1, enough=SHARDS + 1)
    for _ in range(TRIES):  # where nobody gets the processor, fewer are seen than there are
        few, beside = ask(), ask(variables=variables)
        if beside < few + max(1, few // 2):
            break
    check.true(
        beside < few + max(1, few // 2),
        what="requests for data under way at once with a concurrency of 1 where the variables say 16",
        expected=f"about {few}, as without them",
        actual=beside,
    )


def requests_at_once(
    check: Check,
    subject: Bench,
    place: Place,
    wire: Wire,
    checkpoint: Checkpoint,
    *,
    concurrency: int,
    enough: int,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """How many requests for data come before the first has its answer; stops counting at `enough`.

    `variables`: those of the user's environment.
    """
    __tracebackhide__ = True
    answered = threading.Event()
    held = wire.inject(Fault(match=".safetensors", begins=1, until=answered))
    worker = subject.worker(**variables)
    settings = {"concurrency": concurrency}
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(worker.ask, "model_tensors", uri=place.uri, settings=settings)
        try:
            while not load.done() and held.hits == 0:
                time.sleep(PAUSE)
            count, looks = held.hits, 0
            # the lower number is what has come when nothing more comes, the higher one is waited for
            rest = QUIET if enough > SHARDS else PATIENCE
            while count < enough and looks < rest:
                time.sleep(PAUSE)
                looks += 1
                if held.hits > count:
                    count, looks = held.hits, 0
        finally:
            answered.set()
        answer = load.result()
    wire.heal()
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)
    return count
