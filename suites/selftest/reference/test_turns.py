"""Streams from object stores never overlap between threads, and nobody waits for ever for another's end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from fixtures.checkpoints import Checkpoint, sharded
from fixtures.faults import Fault
from fixtures.reference import LoadError, StreamFailed, runai_safetensors_weights_iterator, turns
from fixtures.reference.turns import turn
from fixtures.wire import Wire
from suites.selftest.reference.conftest import Model

ADDRESS = "s3://bucket/model.safetensors"


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.4)


def in_a_thread(work: Callable[[], object]) -> object:
    """What `work` returns or raises in another thread; a thread that hangs fails the test."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001  it is handed on
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert results, "the other thread waits for ever"
    return results[0]


def enter() -> str:
    with turn(ADDRESS):
        return "in"


def names_in(checkpoint: Checkpoint, model: Model) -> list[str]:
    files = [f"{model.uri}/{file}" for file in checkpoint.weight_files]
    return sorted(name for name, _ in runai_safetensors_weights_iterator(files))


def test_a_turn_lasts_until_the_threads_last_stream_ends() -> None:
    with ExitStack() as second:
        with turn(ADDRESS):
            second.enter_context(turn(ADDRESS))
        refused = in_a_thread(enter)
        assert isinstance(refused, StreamFailed)
        assert "another thread" in str(refused) and ADDRESS in str(refused)
    assert in_a_thread(enter) == "in"


def test_an_error_ends_the_turn() -> None:
    with pytest.raises(KeyError), turn(ADDRESS):
        raise KeyError
    assert in_a_thread(enter) == "in"


def test_whoever_moves_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def stream() -> None:
        with turn(ADDRESS) as moved:
            started.set()
            while not done.wait(0.05):
                moved()

    started = threading.Event()
    busy = threading.Thread(target=stream)
    busy.start()
    started.wait(10)
    timer = threading.Timer(1.2, done.set)  # three times the patience
    timer.start()
    assert in_a_thread(enter) == "in"
    assert done.is_set()
    busy.join()


def test_a_failed_load_that_is_kept_ends_the_turn(model: Model, wire: Wire) -> None:
    checkpoint = sharded(1)
    model.put_all(checkpoint.files)
    # behind the headers, which are read from byte 0 on
    fault = wire.inject(Fault(match=checkpoint.weight_files[-1], begins=8, status=403))
    files = [f"{model.uri}/{file}" for file in checkpoint.weight_files]
    kept = runai_safetensors_weights_iterator(files)
    with pytest.raises(LoadError):
        list(kept)
    assert fault.hits
    wire.heal()
    assert in_a_thread(lambda: names_in(checkpoint, model)) == sorted(checkpoint.expected)


def test_an_iterator_that_was_given_up_and_kept(model: Model) -> None:
    checkpoint = sharded(1)
    model.put_all(checkpoint.files)
    files = [f"{model.uri}/{file}" for file in checkpoint.weight_files]
    kept = runai_safetensors_weights_iterator(files)
    next(iter(kept))
    assert isinstance(in_a_thread(lambda: names_in(checkpoint, model)), StreamFailed)
    kept.close()  # type: ignore[attr-defined]  # it is a generator
    assert in_a_thread(lambda: names_in(checkpoint, model)) == sorted(checkpoint.expected)


def test_two_interleaved_loads_in_one_thread(model: Model) -> None:
    checkpoint = sharded(1)
    model.put_all(checkpoint.files)
    files = [f"{model.uri}/{file}" for file in checkpoint.weight_files]
    first, second = (runai_safetensors_weights_iterator(files) for _ in range(2))
    names = [next(second)[0]]
    assert sorted(name for name, _ in first) == sorted(checkpoint.expected)
    assert isinstance(in_a_thread(lambda: names_in(checkpoint, model)), StreamFailed)
    names += [name for name, _ in second]
    assert sorted(names) == sorted(checkpoint.expected)
    assert in_a_thread(lambda: names_in(checkpoint, model)) == sorted(checkpoint.expected)
