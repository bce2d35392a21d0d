"""WEIGHT, what becomes of a file that is written while it is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench

FILE = "model.safetensors"
#: bytes of a tensor
SIZE = 1 << 18
#: behind the end of what readers take first of a file
NOTES = "x" * 300_000


def version(seed: int, *names: str, size: int = 999, notes: str = "") -> Checkpoint:
    tensors = tuple(TensorSpec(name, "U8", (size,)) for name in names)
    return build([ShardSpec(FILE, tensors, {"notes": notes})], seed=seed)


def assert_one_version(
    check: Check, load: Callable[[], dict[str, Any]], *versions: Checkpoint, when: str
) -> None:
    """All that came is of one version, or nothing came and an error said so."""
    __tracebackhide__ = True
    try:
        answer = load()
    except SubjectRaised as error:
        check.true(True, what=f"a load {when}", expected="one version or an error", actual=error.message)
        return
    words = {
        (name, tensor.sha256): word
        for word, one in zip(("old", "new"), versions, strict=True)
        for name, tensor in one.expected.items()
    }
    came = {t["name"]: words.get((t["name"], t["sha256"]), "neither") for t in answer["tensors"]}
    names = versions[0].expected
    check.true(
        came in [dict.fromkeys(names, word) for word in ("old", "new")],
        what=f"the versions of the tensors of a load {when}",
        expected="one for all",
        actual=came,
    )


@requirement("WEIGHT-060")
def test_a_file_overwritten_during_its_load(
    check: Check, subject: Bench, store: Store, place: Place, seed: int
) -> None:
    names = [str(number) for number in range(8)]
    old, new = (version(seed + number, *names, size=SIZE) for number in (0, 1))
    other = store.place(f"{place.prefix}/other")
    place.put(FILE, old.files[FILE])
    other.put(FILE, new.files[FILE])
    path = f"{place.uri}/{FILE}"
    # room for one tensor at a time: the last ones can't have been read when the first is taken
    worker = subject.worker(RUNAI_STREAMER_MEMORY_LIMIT=str(SIZE + 4096))

    def load() -> dict[str, Any]:
        answer: dict[str, Any] = worker.ask(
            "take_across", files=[path], settings={}, old=path, new=f"{other.uri}/{FILE}"
        )
        return answer

    assert_one_version(check, load, old, new, when="of a file that is overwritten after its first tensor")


@requirement("WEIGHT-051")
def test_an_object_replaced_and_put_back(
    check: Check, subject: Bench, place: Place, wire: Wire, seed: int
) -> None:
    # the second read of a long header meets the other version, in which the tensors lie the other way round
    old, new = (version(seed, *names, notes=NOTES) for names in ("ab", "ba"))
    assert len(old.files[FILE]) == len(new.files[FILE])
    place.put(FILE, old.files[FILE])
    replaced, put_back = threading.Event(), threading.Event()
    second = wire.inject(Fault(match=FILE, until=replaced, begins=1, times=1))
    later = wire.inject(Fault(match=FILE, until=put_back, begins=1))
    worker = subject.shared
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(worker.ask, "tensors", files=[f"{place.uri}/{FILE}"], settings={})
        try:
            while not job.done() and second.hits == 0:
                time.sleep(0.005)
            place.put(FILE, new.files[FILE])
            replaced.set()
            # the next request comes when the second has been answered, unless that was the last one
            while not job.done() and later.hits == 0:
                time.sleep(0.005)
            place.put(FILE, old.files[FILE])
        finally:
            replaced.set()
            put_back.set()
        assert_one_version(check, job.result, old, new, when="of an object that was replaced and put back")
