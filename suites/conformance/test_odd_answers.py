"""LOAD and SECURITY, on answers that don't fit: of a file that is replaced meanwhile, or without an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build
from fixtures.hostile_store import Bait, HostileStore
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_kind
from suites.conformance.tensors import assert_same_tensors
from suites.conformance.test_odd_stores import LONG_HEADER, MODEL, assert_loaded_or_refused

FILE = "odd.safetensors"
#: bytes of a tensor; four of them are more than a reader asks for to see whether a file's end is there
SIZE = 400_000
LARGE = tuple(TensorSpec(f"a.{number}", "U8", (SIZE,)) for number in range(4))
#: a file that the first read of any reader takes whole
SMALL = tuple(TensorSpec(f"a.{number}", "U8", (400,)) for number in range(4))

#: what is odd -> the tensors of the file, and how its store answers
ODD: dict[str, tuple[tuple[TensorSpec, ...], dict[str, Any]]] = {
    "the whole comes for a part of a small file": (SMALL, {"ranged": False}),
    "less than a part comes, and nobody says how much": (
        LONG_HEADER,
        {"brings": 70_000, "unstated": "length"},
    ),
    "the end never comes": (LARGE, {"ends": 3 * SIZE}),
}


@requirement("SECURITY-033")
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.replace(" ", "-"))
def test_odd_parts(check: Check, subject: Bench, seed: int, odd: str) -> None:
    assert_loaded_or_refused(check, subject, seed, *ODD[odd])


def one_file(seed: int, many: tuple[TensorSpec, ...]) -> Checkpoint:
    return build([ShardSpec(FILE, many)], seed=seed)


def assert_right_or_of_kind(
    check: Check,
    subject: Bench,
    worker: Worker,
    operation: str,
    checkpoint: Checkpoint,
    right: set[str],
    *,
    where: str,
    **arguments: Any,
) -> None:
    """The tensors are those of the checkpoint, or the error is of one of these kinds."""
    __tracebackhide__ = True
    try:
        answer = worker.ask(operation, settings={}, **arguments)
    except SubjectRaised as error:
        assert_kind(check, subject, error, right, where=where)
    else:
        assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)


#: by what a file is replaced once a part of it was sent -> its tensors, and how many bytes come instead
REPLACED: dict[str, tuple[tuple[TensorSpec, ...], int]] = {
    "by something as long": (LONG_HEADER, 1 << 20),
    "by something short": (LARGE, 600),
}


@requirement("LOAD-057")
@pytest.mark.parametrize("replaced", REPLACED, ids=lambda replaced: replaced.replace(" ", "-"))
def test_the_kind_of_a_replaced_object(check: Check, subject: Bench, seed: int, replaced: str) -> None:
    tensors, most = REPLACED[replaced]
    checkpoint = one_file(seed, tensors)
    content = checkpoint.files[FILE]
    other = Bait(bytes(min(len(content), most)), version="other")
    with HostileStore({f"{MODEL}/{FILE}": Bait(content, then=other)}) as store:
        worker = subject.worker(**store.environment)
        where = f"the file is replaced {replaced}"
        files = [store.uri(f"{MODEL}/{FILE}")]
        assert_right_or_of_kind(
            check, subject, worker, "tensors", checkpoint, {"changed"}, where=where, files=files
        )


@requirement("LOAD-057")
def test_the_kind_of_a_file_that_gets_shorter(
    check: Check, subject: Bench, seed: int, tmp_path: Path
) -> None:
    checkpoint = one_file(seed, LARGE)
    old, new = tmp_path / FILE, tmp_path / "new"
    old.write_bytes(checkpoint.files[FILE])
    new.write_bytes(bytes(600))
    # room for one tensor at a time: the last ones can't have been read when the first is taken
    worker = subject.worker(RUNAI_STREAMER_MEMORY_LIMIT=str(SIZE + 4096))
    assert_right_or_of_kind(
        check,
        subject,
        worker,
        "take_across",
        checkpoint,
        {"changed", "cut"},
        where="the file is cut after its first tensor",
        files=[str(old)],
        old=str(old),
        new=str(new),
    )


@requirement("LOAD-057")
def test_the_kind_of_a_part_that_brings_more(check: Check, subject: Bench, seed: int) -> None:
    checkpoint = one_file(seed, LARGE)
    with HostileStore({f"{MODEL}/{FILE}": Bait(checkpoint.files[FILE], surplus=7)}) as store:
        worker = subject.worker(**store.environment)
        where = "more comes than was asked for"
        files = [store.uri(f"{MODEL}/{FILE}")]
        assert_right_or_of_kind(
            check, subject, worker, "tensors", checkpoint, {"", "corrupt"}, where=where, files=files
        )
