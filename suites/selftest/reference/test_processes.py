"""Many processes, one cold cache: one pull, one tree; and a pull that is killed in between is repaired."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from fixtures.faults import Fault
from fixtures.reference import ObjectStorageModel
from fixtures.wire import Wire
from suites.selftest.reference.conftest import Model, tree

FILES = {f"f{number}.json": bytes([number]) * 1000 for number in range(5)} | {"sub/g.txt": b"g"}
PROCESSES = 16
fork = multiprocessing.get_context("fork")


def pull_and_read(uri: str) -> None:
    folder = ObjectStorageModel.download_and_get_path(uri)
    os._exit(0 if tree(folder) == FILES else 1)


def pull_until_told(uri: str) -> None:
    ObjectStorageModel.download_and_get_path(uri)


def test_a_cold_start_of_many_makes_one_pull(model: Model, wire: Wire) -> None:
    model.put_all(FILES)
    processes = [fork.Process(target=pull_and_read, args=(model.uri,)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert sorted(request.key for request in wire.gets()) == sorted(
        f"{model.prefix}/{name}" for name in FILES
    )


@pytest.mark.parametrize("warm", [False, True])
def test_a_killed_pull_is_repaired(model: Model, wire: Wire, cache: Path, warm: bool) -> None:
    model.put_all(FILES)
    if warm:
        ObjectStorageModel.download_and_get_path(model.uri)
        model.put_all(dict.fromkeys(FILES, b"old"))
        ObjectStorageModel.download_and_get_path(model.uri)
        model.put_all(FILES)
    wire.forget()
    fault = wire.inject(Fault(match="f3.json", method="GET", delay=30.0))
    process = fork.Process(target=pull_until_told, args=(model.uri,))
    process.start()
    deadline = time.monotonic() + 20
    while len(wire.gets()) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    wire.heal()
    folder = Path(ObjectStorageModel.get_path(model.uri))
    assert (tree(folder) == dict.fromkeys(FILES, b"old")) if warm else not folder.exists()
    assert tree(ObjectStorageModel.download_and_get_path(model.uri)) == FILES
    trees = cache / "model_streamer" / ".state" / folder.name / "trees"
    assert len(list(trees.iterdir())) == (2 if warm else 1)
    assert fault.delay == 30.0


def test_readers_never_see_half_a_tree(model: Model) -> None:
    first = dict.fromkeys(FILES, b"first")
    second = dict.fromkeys(FILES, b"second, and longer")
    model.put_all(first)
    folder = ObjectStorageModel.download_and_get_path(model.uri)
    model.put_all(second)
    process = fork.Process(target=pull_until_told, args=(model.uri,))
    process.start()
    while process.is_alive():
        inside = Path(folder).resolve()
        assert tree(inside) in (first, second)
    process.join()
    assert process.exitcode == 0 and tree(folder) == second
