"""A worker that misbehaves ends in the failure that says how, in time, and leaves no process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.subjects.client import SubjectServer, Worker, inherited, spec_of
from fixtures.subjects.protocol import (
    SubjectDied,
    SubjectGarbled,
    SubjectHung,
    SubjectLacks,
    SubjectRaised,
)
from suites.selftest.processes import descendants, exists, wait_until

ADAPTERS = Path(__file__).with_name("adapters")
ROOT = Path(__file__).parents[2]


def server_of(name: str) -> SubjectServer:
    return SubjectServer(spec_of(str(ADAPTERS / f"{name}.py")), deadline=20)


@pytest.fixture(scope="module")
def unruly() -> Iterator[SubjectServer]:
    server = server_of("unruly")
    yield server
    server.stop()


@pytest.fixture
def worker(unruly: SubjectServer) -> Iterator[Worker]:
    with unruly.worker({}) as worker:
        yield worker


def gone(pid: int, patience: float = 5.0) -> bool:
    return wait_until(lambda: not exists(pid), patience)


def test_a_check_asks_for_what_its_requirement_names(worker: Worker) -> None:
    worker.capabilities = ("uri", "list")
    with pytest.raises(LookupError, match="pull_metadata needs 'metadata'"):
        worker.ask("pull_metadata", uri="s3://bucket/model")
    with pytest.raises(SubjectLacks):
        worker.ask("is_object_uri", value="s3://bucket/model")


def test_hanging_ends_at_the_deadline() -> None:
    server = server_of("hanging")
    try:
        with server.worker({}) as worker:
            began = time.monotonic()
            with pytest.raises(SubjectHung, match=r"tensors gave no answer within 0\.3 s.*about to hang"):
                worker.ask("tensors", files=[], settings={}, deadline=0.3)
            assert 0.3 <= time.monotonic() - began < 2
            assert not exists(worker.pid)
        with server.worker({}) as another:
            assert another.ask("is_object_uri", value="s3://b/k") is True
    finally:
        server.stop()


def test_killed_from_outside(worker: Worker) -> None:
    worker.send("wait", seconds=600)
    os.kill(worker.pid, 9)
    with pytest.raises(SubjectDied, match="worker was killed by SIGKILL during wait"):
        worker.receive("wait")
    with pytest.raises(SubjectDied, match="was killed by SIGKILL"):
        worker.ask("wait", seconds=0)


@pytest.mark.parametrize(
    ("operation", "arguments", "signal"),
    [("tensors", {"files": [], "settings": {}}, "SIGSEGV"), ("abort", {}, "SIGABRT")],
)
def test_native_crash(operation: str, arguments: dict[str, Any], signal: str) -> None:
    server = server_of("crashing")
    try:
        with server.worker({}) as worker, pytest.raises(SubjectDied, match=f"was killed by {signal}"):
            worker.ask(operation, **arguments)
    finally:
        server.stop()


@pytest.mark.parametrize("politely", [True, False])
@pytest.mark.parametrize("code", [0, 3])
def test_early_exit(worker: Worker, code: int, politely: bool) -> None:
    with pytest.raises(SubjectDied, match=f"worker exited with {code} during leave"):
        worker.ask("leave", code=code, politely=politely)


def test_a_closed_connection(worker: Worker) -> None:
    with pytest.raises(SubjectDied, match="closed its connection"):
        worker.ask("close_connection")
    assert not exists(worker.pid)


@pytest.mark.parametrize(
    "garbage",
    [
        "what?\n",
        '{"id": 7, "value": 1}\n',
        '{"id": 1}\n',
        "[]\n",
        "\xff\xfe\n",
        '{"id": 1, "error": ["x"]}\n',
        '{"id": 1, "error": [[], "", ""]}\n',
        "[" * 100_000 + "\n",
    ],
)
def test_garbage_is_no_answer(worker: Worker, garbage: str) -> None:
    with pytest.raises(SubjectGarbled, match="garble was answered with"):
        worker.ask("garble", text=garbage)
    assert not exists(worker.pid)


@pytest.mark.parametrize(
    ("operation", "arguments"), [("unspeakable_value", {}), ("tensors", {"files": [], "settings": {}})]
)
def test_an_adapters_mistake_is_no_refusal(worker: Worker, operation: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(SubjectGarbled, match="no JSON|can't be digested"):
        worker.ask(operation, **arguments)
    assert worker.ask("echo", value=1) == 1


def test_output_does_not_disturb(worker: Worker) -> None:
    assert worker.ask("flood", megabytes=8) == "answered"
    assert worker.ask("echo", value="still there") == "still there"
    assert len(worker.log()) > 8_000_000
    with pytest.raises(SubjectDied) as died:
        worker.ask("leave", code=1, politely=False)
    assert len(str(died.value)) < 1500


def test_an_exception_travels_whole(worker: Worker) -> None:
    with pytest.raises(SubjectRaised) as raised:
        worker.ask("fail")
    error = raised.value
    assert error.type == "subject_unruly.LoadError"
    assert error.lineage[1:] == [f"builtins.{one.__name__}" for one in OSError.__mro__]
    assert error.message == "can't load s3://bucket/møde\nl"
    assert "in fail" in error.traceback
    with pytest.raises(SubjectRaised, match="RuntimeError"):
        worker.ask("fail_unspeakably")


def test_values_travel_unchanged(worker: Worker) -> None:
    values: tuple[Any, ...] = (
        "\ud800 \u2028 \n \x00",
        2**70,
        -0.5,
        None,
        [],
        {"a": [1, {"b": "é"}]},
        "x" * 3_000_000,
    )
    for value in values:
        assert worker.ask("echo", value=value) == value


def test_questions_asked_ahead_are_answered_in_order(worker: Worker) -> None:
    for number in range(3):
        worker.send("echo", value=number)
    assert [worker.receive("echo") for _ in range(3)] == [0, 1, 2]


def test_a_lacking_operation_is_no_refusal(worker: Worker) -> None:
    with pytest.raises(SubjectLacks, match="no method list_weights"):
        worker.ask("list_weights", uri="s3://b/k")
    with pytest.raises(SubjectRaised, match="some day"):
        worker.ask("not_implemented")
    worker.if_lacking = LookupError
    for operation in ("list_weights", "not_implemented"):
        with pytest.raises(LookupError, match=operation):
            worker.ask(operation)


def test_the_environment_is_the_workers_own(unruly: SubjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere")
    with unruly.worker({"MINE": "1"}) as first, unruly.worker({}) as second:
        seen = first.ask("environment")
        assert seen["MINE"] == "1"
        assert seen["IMPORTED_FIRST_BY"] == str(first.pid)
        assert seen.keys() == inherited().keys() | {"HOME", "TMPDIR", "MINE", "IMPORTED_FIRST_BY"}
        first.ask("change_environment", MINE="2", LEFT_BEHIND="x")
        with unruly.worker({}) as third:
            assert {"MINE", "LEFT_BEHIND"}.isdisjoint(third.ask("environment"))
        homes = [worker.ask("environment")["HOME"] for worker in (first, second)]
        folders = [worker.ask("temporary_folder") for worker in (first, second)]
    assert homes[0] != homes[1]
    assert os.environ.get("HOME") not in homes
    assert [str(Path(folder).parent) for folder in folders] == homes


def test_descriptors_are_the_workers_own(unruly: SubjectServer) -> None:
    with unruly.worker({}) as first, unruly.worker({}) as second:
        assert [worker.ask("descriptors") for worker in (first, second)] == [4, 4]  # 0, 1, 2, the connection


def test_a_hash_seed_takes_effect(unruly: SubjectServer) -> None:
    hashes = set()
    for seed in ("0", "1", "1"):
        with unruly.worker({"PYTHONHASHSEED": seed}) as worker:
            hashes.add(worker.ask("hash_of", text="s3://bucket/model"))
    assert len(hashes) == 2


@pytest.mark.parametrize("start", [("fork", False), ("fork", True), ("daemon", None)])
def test_what_a_worker_started_dies_with_it(unruly: SubjectServer, start: tuple[str, bool | None]) -> None:
    operation, detached = start
    arguments = {} if detached is None else {"detached": detached}
    with unruly.worker({}) as bystander:
        left = bystander.ask("daemon")
        before = descendants(unruly.pid)
        worker = unruly.worker({})
        child = worker.ask(operation, **arguments)
        assert exists(child) or detached
        started = descendants(unruly.pid) - before
        assert len(started) == 2
        # its children hold the connection, so only the process itself tells of its death
        os.kill(worker.pid, 9)
        with pytest.raises(SubjectDied, match="SIGKILL"):
            worker.ask("echo", value=1, deadline=5)
        assert all(gone(pid) for pid in started)
        assert exists(left)
        worker.close()
    assert gone(left)
