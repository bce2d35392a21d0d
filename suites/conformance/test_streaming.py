"""WEIGHT, second part: the same whatever the settings, and an error where a stream fails."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from fixtures.checkpoints import ShardSpec, TensorSpec, build, one_large, sharded, single_file
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.folders import LARGEST_FILE, bytes_below
from suites.conformance.tensors import assert_same_tensors, place_checkpoint, tensors_of
from suites.conformance.test_weights import assert_loads, build_varied

GB = 10**9
#: bytes; just above the largest tensor, which is the least that the streamer accepts
LIMIT = 400_100


@pytest.mark.quick
@requirement("WEIGHT-017")
@pytest.mark.parametrize("limit", ["0", str(LIMIT)])
def test_tensors_stay_valid(check: Check, subject: Bench, place: Place, seed: int, limit: str) -> None:
    # the worker digests only when the iteration has ended: a reused buffer then holds other tensors
    assert_loads(check, subject, place, build_varied(seed), RUNAI_STREAMER_MEMORY_LIMIT=limit)


@requirement("WEIGHT-018")
@pytest.mark.parametrize("concurrency", ["1", "3", "16", "64"])
def test_concurrency(check: Check, subject: Bench, place: Place, seed: int, concurrency: str) -> None:
    assert_loads(check, subject, place, build_varied(seed), RUNAI_STREAMER_CONCURRENCY=concurrency)


@requirement("WEIGHT-019")
@pytest.mark.parametrize("chunk", ["1000", "65536", "5242880", "16777216"])
def test_chunk_size(check: Check, subject: Bench, place: Place, seed: int, chunk: str) -> None:
    assert_loads(check, subject, place, build_varied(seed), RUNAI_STREAMER_CHUNK_BYTESIZE=chunk)


@requirement("WEIGHT-020")
@pytest.mark.parametrize("limit", ["-1", "0", str(LIMIT), str(2 * GB)])
def test_memory_limit(check: Check, subject: Bench, place: Place, seed: int, limit: str) -> None:
    assert_loads(check, subject, place, build_varied(seed), RUNAI_STREAMER_MEMORY_LIMIT=limit)


@requirement("WEIGHT-023")
def test_a_file_that_does_not_exist(check: Check, subject: Bench, place: Place, seed: int) -> None:
    files = place_checkpoint(place, sharded(seed))
    missing = f"{place.uri}/model-00009-of-00009.safetensors"
    for list_of_files in ([missing], [*files, missing], [missing, *files]):
        with subject.worker() as worker:
            error_of(check, worker, "tensors", why="one file is missing", files=list_of_files, settings={})


@pytest.mark.quick
@requirement("WEIGHT-024")
def test_a_refused_object(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    files = place_checkpoint(place, sharded(seed))
    wire.inject(Fault(match="model-00002-of", method="GET", status=403))
    error_of(check, subject.shared, "tensors", why="one shard is refused", files=files, settings={})


@requirement("WEIGHT-024")
def test_an_object_refused_later(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    # as when credentials expire: by then a loader may have read the header and found it good
    checkpoint = sharded(seed)
    files = place_checkpoint(place, checkpoint)
    # the first read passes, late but whole: the first fault spends itself on it
    wire.inject(Fault(match="model-00002-of", method="GET", delay=0.01, times=1))
    refusal = wire.inject(Fault(match="model-00002-of", method="GET", status=403))
    try:
        answer = subject.ask("tensors", files=files, settings={})
    except SubjectRaised as error:
        check.true(refusal.hits > 0, what="a load", expected="tensors or a refusal", actual=error.message)
        return
    if refusal.hits:
        arrived = f"{len(answer['tensors'])} of {len(checkpoint.expected)} tensors"
        check.true(False, what="a load with a refused read", expected="an error", actual=arrived)
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-025")
def test_a_truncated_file(check: Check, subject: Bench, store: Store, place: Place, seed: int) -> None:
    checkpoint = single_file(seed)
    content = checkpoint.files["model.safetensors"]
    for kept in (0, 4, 8, 40, len(content) // 2, len(content) - 1):
        cut = store.place(f"{place.prefix}/{kept}")
        cut.put("model.safetensors", content[:kept])
        files = [f"{cut.uri}/model.safetensors"]
        why = f"{kept} of {len(content)} bytes are left"
        with subject.worker() as worker:
            error_of(check, worker, "tensors", why=why, files=files, settings={})


@requirement("WEIGHT-026")
def test_bytes_behind_the_last_tensor(check: Check, subject: Bench, place: Place, seed: int) -> None:
    content = single_file(seed).files["model.safetensors"]
    place.put("model.safetensors", content + b"\x00")
    files = [f"{place.uri}/model.safetensors"]
    error_of(check, subject.shared, "tensors", why="one byte trails", files=files, settings={})


@requirement("WEIGHT-027")
def test_two_loads_in_one_process(
    check: Check, subject: Bench, store: Store, place: Place, seed: int
) -> None:
    for number, checkpoint in enumerate((sharded(seed), single_file(seed), sharded(seed + 1))):
        files = place_checkpoint(store.place(f"{place.prefix}/{number}"), checkpoint)
        answer = subject.ask("tensors", files=files, settings={})
        assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-028")
def test_the_error_names_the_key(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    files = place_checkpoint(place, sharded(seed))
    wire.inject(Fault(match="model-00002-of", method="GET", status=403))
    error = error_of(check, subject.shared, "tensors", why="one shard is refused", files=files, settings={})
    assert_names(check, error, "model-00002-of-00004.safetensors")


@requirement("WEIGHT-028")
def test_the_error_names_the_key_later(
    check: Check, subject: Bench, place: Place, seed: int, wire: Wire
) -> None:
    # the headers pass, so that the refusal meets the stream of the data, with healthy shards around it
    checkpoint = sharded(seed, 8)
    files = place_checkpoint(place, checkpoint)
    refusal = wire.inject(Fault(match="model-00005-of", method="GET", status=403, begins=1))
    try:
        answer = subject.ask("tensors", files=files, settings={})
    except SubjectRaised as raised:
        error = raised
    else:  # a loader that reads each object in one request meets the refusal there
        check.equal(expected=0, actual=refusal.hits, what="refused requests of a load that succeeded")
        assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
        wire.heal()
        refusal = wire.inject(Fault(match="model-00005-of", method="GET", status=403))
        error = error_of(
            check, subject.shared, "tensors", why="an object is refused", files=files, settings={}
        )
    assert refusal.hits, "no data were asked for"
    named = [file.rpartition("/")[2] for file in files if file.rpartition("/")[2] in error.message]
    check.equal(
        expected=["model-00005-of-00008.safetensors"], actual=named, what="shards that the error names"
    )


@requirement("WEIGHT-035")
def test_a_header_larger_than_the_limit(check: Check, subject: Bench, place: Place, seed: int) -> None:
    # 40 tensors of 256 bytes; the header, with the training notes that some tools leave there, has 100 KB
    tensors = tuple(TensorSpec(f"layers.{number}.weight", "F32", (64,)) for number in range(40))
    checkpoint = build([ShardSpec("model.safetensors", tensors, {"notes": "x" * 100_000})], seed=seed)
    files = place_checkpoint(place, checkpoint)
    worker = subject.worker(RUNAI_STREAMER_MEMORY_LIMIT="4096")
    answer = tensors_of(check, worker, files, where="where the header is larger than the memory limit")
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-036")
def test_absent_and_refused_differ(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    files = place_checkpoint(place, sharded(seed))
    absent = error_of(
        check, subject.shared, "tensors", why="a file is absent", files=[f"{files[0]}.gone"], settings={}
    )
    wire.inject(Fault(match="model-00002-of", method="GET", status=403))
    refused = error_of(check, subject.shared, "tensors", why="a file is refused", files=files, settings={})
    for error, words in (
        (absent, ("not found", "nosuchkey", "404", "no such", "does not exist")),
        (refused, ("denied", "403", "forbidden")),
    ):
        says_so = any(word in error.message.lower() for word in words)
        check.true(
            says_so,
            what="the error's message",
            expected=f"a text with one of {', '.join(words)}",
            actual=error.message,
        )


@requirement("WEIGHT-038")
def test_nothing_is_written(check: Check, subject: Bench, place: Place, seed: int) -> None:
    files = place_checkpoint(place, checkpoint := one_large(seed, 1 << 20))
    worker = subject.worker()
    home = Path(worker.ask("environment")["HOME"])
    # also what is removed again: a larger file can't be written at all, wherever it lies
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    answer = tensors_of(check, worker, files, where="that can write no large file")
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)
    written = bytes_below(home) + bytes_below(subject.cache_root)
    check.true(
        written < LARGEST_FILE,
        what="bytes left on the disk after the load",
        expected=f"fewer than {LARGEST_FILE}",
        actual=written,
    )
