"""SECURITY, third part: headers and indices that cost more than they bring."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.checkpoints import INDEX_FILE, sharded
from fixtures.official import judge
from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectDied, SubjectHung, SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.memory import MiB, Peak
from suites.conformance.refusals import assert_deliberate
from suites.conformance.tensors import assert_same_tensors, tensors_of

FILE = "model.safetensors"
#: bytes that a refused file may make a worker take; enough for the longest header the format allows, twice
MOST = 256 * MiB
#: bytes for a header of a million tensors, which takes some 70 MB as text
MOST_FOR_A_MILLION = 2 << 30
DEADLINE = 30.0
#: lists or objects: 24 MB of text, and some 650 MB as Python's objects
MANY = 8_000_000
#: bytes; the official library, which parses what it refuses, takes 288 MB
MOST_FOR_MANY = 400 * MiB


def container(header: bytes, data: bytes = b"", claimed: int | None = None) -> bytes:
    length = len(header) if claimed is None else claimed
    return length.to_bytes(8, "little") + header + data


def entry(start: int, end: int, shape: list[int], dtype: str = "U8") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def assert_refused(
    check: Check, worker: Worker, file: str, *, why: str, most: int = MOST, deadline: float = DEADLINE
) -> SubjectRaised:
    """The file is refused on purpose, in bounded time, memory that grows by at most `most` bytes."""
    __tracebackhide__ = True
    peak = Peak(worker)
    try:
        error = error_of(check, worker, "tensors", why=why, files=[file], settings={}, deadline=deadline)
    except (SubjectDied, SubjectHung) as end:
        # what a parser without bounds comes to
        check.true(False, what=f"tensors where {why}", expected="an error", actual=str(end))
        raise
    grown = peak.growth()
    assert_deliberate(check, error)
    check.true(
        grown <= most,
        what=f"growth of the worker's memory where {why}",
        expected=f"at most {most}",
        actual=grown,
    )
    return error


def assert_index_refused(check: Check, worker: Worker, uri: str, *, why: str, most: int) -> None:
    """A model's index is refused on purpose, by its name, in memory that grows by at most `most` bytes."""
    __tracebackhide__ = True
    peak = Peak(worker)
    error = error_of(check, worker, "model_tensors", why=why, uri=uri, settings={})
    grown = peak.growth()
    assert_deliberate(check, error)
    assert_names(check, error, INDEX_FILE)
    what = f"growth of the worker's memory where {why}"
    check.true(grown <= most, what=what, expected=f"at most {most}", actual=grown)


@requirement("SECURITY-012")
def test_a_header_that_claims_too_much(check: Check, subject: Bench, place: Place) -> None:
    content = b'{"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
    most = (1 << 64) - 1
    for claimed in (*(number for power in (28, 40, 63) for number in ((1 << power) - 1, 1 << power)), most):
        place.put(FILE, container(content, b"abcd", claimed))
        why = f"the header claims {claimed} bytes"
        error = assert_refused(check, subject.shared, f"{place.uri}/{FILE}", why=why)
        assert_names(check, error, FILE)


@requirement("SECURITY-013")
@pytest.mark.parametrize("fill", [b"\0", b"[", b"{"], ids=["zeros", "brackets", "braces"])
def test_a_header_that_is_too_long(check: Check, subject: Bench, place: Place, fill: bytes) -> None:
    place.put(FILE, container(b'{"t":' + fill * 4096, claimed=400 * MiB))
    os.truncate(Path(place.uri, FILE), 400 * MiB + 16)  # sparse: what isn't written takes no room
    assert_refused(check, subject.shared, f"{place.uri}/{FILE}", why="the header has 400 MiB")


@requirement("SECURITY-013")
def test_headers_at_the_bound(check: Check, subject: Bench, place: Place) -> None:
    longest = 100_000_000
    header, file = json.dumps({"t": entry(0, 4, [4])}).encode(), f"{place.uri}/{FILE}"
    right, wrong = (container(header.ljust(length), b"abcd") for length in (longest, longest + 1))
    assert judge(wrong).refusal, "the official library takes a longer header"
    place.put(FILE, right)
    answer = tensors_of(check, subject.shared, [file], where=f"of a file whose header has {longest} bytes")
    assert_same_tensors(check, subject.shared, expected=judge(right).tensors, actual=answer)
    place.put(FILE, wrong)
    error = assert_refused(check, subject.shared, file, why=f"the header has {longest + 1} bytes")
    assert_names(check, error, FILE)


@requirement("SECURITY-036")
@pytest.mark.parametrize("one", [b"[]", b"{}"], ids=["lists", "objects"])
def test_a_header_of_many_brackets(check: Check, subject: Bench, place: Place, one: bytes) -> None:
    place.put(FILE, container(b'{"t":[' + b",".join([one] * MANY) + b"]}"))
    why = f"the header is a list of {MANY} times {one.decode()}"
    error = assert_refused(check, subject.shared, f"{place.uri}/{FILE}", why=why, most=MOST_FOR_MANY)
    assert_names(check, error, FILE)


@requirement("SECURITY-037")
@pytest.mark.parametrize("one", [b"[]", b"{}"], ids=["lists", "objects"])
def test_an_index_of_many_brackets(check: Check, subject: Bench, place: Place, seed: int, one: bytes) -> None:
    place.put_all(sharded(seed).files)
    place.put(INDEX_FILE, b'{"weight_map":[' + b",".join([one] * MANY) + b"]}")
    why = f"the index is a list of {MANY} times {one.decode()}"
    assert_index_refused(check, subject.shared, place.uri, why=why, most=MOST_FOR_MANY)


@requirement("SECURITY-014")
@pytest.mark.parametrize("level", [b"[0]", b'{"a":0}'], ids=["lists", "objects"])
def test_a_nested_header(check: Check, subject: Bench, place: Place, level: bytes) -> None:
    opening, closing = level.split(b"0")
    around = ((b'{"t":', b"}"), (b'{"t":{"dtype":"U8","shape":', b"}}"), (b'{"__metadata__":', b"}"))
    for depth, (begin, end) in [*((10_000, outer) for outer in around), (1_000_000, around[0])]:
        place.put(FILE, container(begin + opening * depth + b"0" + closing * depth + end))
        why = f"the header is nested {depth} deep"
        assert_refused(check, subject.shared, f"{place.uri}/{FILE}", why=why)


@requirement("SECURITY-015")
def test_a_nested_index(check: Check, subject: Bench, place: Place, seed: int) -> None:
    place.put_all(sharded(seed).files)
    for opening in (b"[", b'{"a":'):
        for begin in (b"", b'{"weight_map":', b'{"weight_map":{"t":', b'{"metadata":'):
            place.put(INDEX_FILE, begin + opening * 100_000)
            assert_index_refused(check, subject.shared, place.uri, why="the index is nested", most=MOST)


@requirement("SECURITY-016")
def test_numbers_near_the_end_of_64_bits(check: Check, subject: Bench, place: Place) -> None:
    huge = [(1 << 63) - 1, 1 << 63, (1 << 64) - 1]
    headers: list[dict[str, Any]] = []
    for number in huge:
        headers += [
            {"t": entry(0, number, [number])},
            {"t": entry(number - 4, number, [4])},
            {"t": entry(number, number, [0])},
            {"t": entry(0, 4, [number, 4])},
            {"t": entry(0, 4, [number, number, 1])},
            # multiplied in 64 bits, these wrap to 4
            {"t": entry(0, 4, [1 << 32, 1 << 32, 4])},
            {"t": entry(0, 4, [4, (1 << 62) + 1])},
            {"a": entry(0, number, [number]), "t": entry(number, number + 4, [4])},
        ]
    for header in headers:
        place.put(FILE, container(json.dumps(header).encode(), b"abcd"))
        why = f"the header is {json.dumps(header)}"
        assert_refused(check, subject.shared, f"{place.uri}/{FILE}", why=why)


@requirement("SECURITY-017")
def test_many_tensors_and_a_hole(
    check: Check, subject: Bench, place: Place, examples: Callable[[int, int], int]
) -> None:
    count = examples(20_000, 1_000_000)
    entries = (
        f'"tensor.{number}":{{"dtype":"U8","shape":[1],"data_offsets":[{number},{number + 1}]}}'
        for number in range(count)
    )
    last = f'"tensor.last":{{"dtype":"U8","shape":[1],"data_offsets":[{count + 1},{count + 2}]}}'
    header = f"{{{','.join(entries)},{last}}}".encode()
    place.put(FILE, container(header, bytes(count + 2)))
    why = f"there is a hole behind {count} tensors"
    file = f"{place.uri}/{FILE}"
    assert_refused(check, subject.shared, file, why=why, most=MOST_FOR_A_MILLION, deadline=60)


LONG = "n" * 1_000_000
NUMBER = f"-{'9' * 1_000_000}"
#: what is wrong -> a header that says so at length
WORDY: dict[str, str] = {
    "a name without an entry": f'{{"{LONG}":1}}',
    "a type of its own": f'{{"t":{{"dtype":"{LONG}","shape":[0],"data_offsets":[0,0]}}}}',
    "a number that is none": f'{{"t":{{"dtype":"U8","shape":[0],"data_offsets":[0,{NUMBER}]}}}}',
}


@requirement("SECURITY-035")
@pytest.mark.parametrize("wordy", WORDY, ids=lambda wordy: wordy.replace(" ", "-"))
def test_an_error_that_is_too_long(check: Check, subject: Bench, place: Place, wordy: str) -> None:
    place.put(FILE, container(WORDY[wordy].encode()))
    error = assert_refused(check, subject.shared, f"{place.uri}/{FILE}", why=f"the header has {wordy}")
    length = len(error.message)
    check.true(length <= 10_000, what="characters of the error", expected="at most 10,000", actual=length)
