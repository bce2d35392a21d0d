"""SECURITY, first part: entries of the index, which are the bucket's words and not the user's."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from fixtures.checkpoints import INDEX_FILE, ShardSpec, TensorSpec, build, sharded
from fixtures.stores import Place, Store
from fixtures.wire import Wire
from fixtures.witness import Witness
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.refusals import assert_deliberate, assert_untouched

STRANGER = "model.safetensors"


class Outside:
    """Weights beside the model, in its store and on this machine, and whatever watches over them."""

    def __init__(self, store: Store, place: Place, folder: Path, wire: Wire | None, seed: int) -> None:
        data = build([ShardSpec(STRANGER, (TensorSpec("stranger", "F32", (4,)),))], seed=seed).files[STRANGER]
        self.neighbour = store.place(f"{place.prefix.rpartition('/')[0]}/other")
        self.neighbour.put(STRANGER, data)
        folder.mkdir()
        self.file = folder / STRANGER
        self.file.write_bytes(data)
        self.wire = wire
        self._model = place.prefix
        on_disk = [] if store.is_object_store else [Path(self.neighbour.uri)]
        inside = (
            [] if store.is_object_store else [Path(place.uri, file) for file in sharded(seed).weight_files]
        )
        self.witness = Witness(folder, *on_disk, *inside)

    def entries(self) -> list[str]:
        """Ways out of the model, each of which leads to weights that are there."""
        climbing = f"../other/{STRANGER}"
        return [
            climbing, f"./{climbing}", f"a/../{climbing}", f"a/b/../../{climbing}",
            climbing.replace("..", "%2e%2e"), climbing.replace("/", "%2F"),
            climbing.replace("..", "%252E%252e"), climbing.replace("/", "\\"), f"a\\..\\..\\{STRANGER}",
            str(self.file), f"/{self.file}", f"file://{self.file}", f"FILE:{self.file}", f"C:\\{STRANGER}",
            f"C:{STRANGER}", climbing.replace("..", f"%{'25' * 12}2e%{'25' * 12}2e"),
            f"{self.neighbour.uri}/{STRANGER}", f"S3://loadproof/other/{STRANGER}",
            f"s3://another-bucket/{STRANGER}", f"~/{STRANGER}/../../{STRANGER}",
        ]  # fmt: skip

    def asked(self) -> list[str]:
        """Requests for objects or listings of anything but the model's own, and for any weights."""
        if self.wire is None:
            return []
        strange = []
        for request in self.wire.requests:
            key = request.key or unquote(request.query.partition("prefix=")[2].partition("&")[0])
            if not key.startswith(f"{self._model}/") or key.endswith(".safetensors"):
                strange.append(f"{request.method} {request.path}?{request.query}")
        return strange


@pytest.fixture
def outside(
    request: pytest.FixtureRequest, subject: Bench, store: Store, place: Place, seed: int
) -> Iterator[Outside]:
    place.put_all(sharded(seed).files)
    wire: Wire | None = request.getfixturevalue("wire") if store.is_object_store else None
    outside = Outside(store, place, subject.cache_root.parent / "outside", wire, seed)
    with outside.witness:
        yield outside


def put_entry(place: Place, seed: int, entry: Any) -> None:
    """The index of the placed checkpoint, with one tensor more."""
    index = json.loads(sharded(seed).files[INDEX_FILE])
    index["weight_map"]["stranger"] = entry
    place.put(INDEX_FILE, json.dumps(index).encode())


def assert_refused(check: Check, subject: Bench, place: Place, outside: Outside, *, why: str) -> None:
    """A load ends in an error that names the index, and nothing outside was asked for or touched."""
    __tracebackhide__ = True
    error = error_of(check, subject.shared, "model_tensors", why=why, uri=place.uri, settings={})
    assert_names(check, error, INDEX_FILE)
    assert_deliberate(check, error)
    check.equal(expected=[], actual=outside.asked(), what=f"what was asked of the store where {why}")
    check.equal(expected=[], actual=outside.witness.seen(), what=f"what was touched where {why}")


@pytest.mark.quick
@requirement("SECURITY-001")
def test_ways_out_of_the_model(
    check: Check, subject: Bench, place: Place, seed: int, outside: Outside
) -> None:
    for entry in outside.entries():
        put_entry(place, seed, entry)
        assert_refused(check, subject, place, outside, why=f"the index names {entry!r}")
    assert_untouched(check, outside.witness, outside.file, what="what was touched outside")
    if outside.wire is not None:
        assert outside.wire.gets(suffix=INDEX_FILE), "the wire saw nothing"


@requirement("SECURITY-002")
def test_entries_that_name_no_file(
    check: Check, subject: Bench, place: Place, seed: int, outside: Outside
) -> None:
    unusable = ["", ".", "..", "/", "a/", "a//b.safetensors", "a/./b.safetensors", "a\0.safetensors"]
    unusable += ["a\n.safetensors", "\ud800.safetensors", "x" * 300 + ".safetensors", "config.json"]
    for entry in [*unusable, None, True, 7, 1.5, [STRANGER], {"file": STRANGER}]:
        put_entry(place, seed, entry)
        assert_refused(check, subject, place, outside, why=f"the index names {entry!r}")
    for text in ("[]", '["weight_map"]', '"weight_map"', "null", "7"):
        place.put(INDEX_FILE, text.encode())
        assert_refused(check, subject, place, outside, why=f"the index is {text}")


@requirement("SECURITY-003")
def test_web_addresses(check: Check, subject: Bench, place: Place, seed: int) -> None:
    place.put_all(sharded(seed).files)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)  # a connection that was made before the answer waits there already
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        for entry in (f"http://{host}/{STRANGER}", f"https://{host}/{STRANGER}", f"//{host}/{STRANGER}"):
            put_entry(place, seed, entry)
            why = f"the index names {entry!r}"
            error = error_of(check, subject.shared, "model_tensors", why=why, uri=place.uri, settings={})
            assert_names(check, error, INDEX_FILE)
            check.equal(expected=False, actual=was_called(listener), what=f"whether {host} was called")
        with socket.create_connection(listener.getsockname()):
            assert was_called(listener), "the listener is deaf"


def was_called(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
