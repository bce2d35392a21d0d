"""The stores keep their protocol, and leave nothing behind."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.stores import STORES, KeyRefused, Store, Unavailable
from fixtures.stores.minio import IMAGE_VARIABLE, LABEL, MinioStore

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=sorted(STORES))
def started(request: pytest.FixtureRequest) -> Iterator[Store]:
    store = STORES[request.param]()
    try:
        store.start()
    except Unavailable as error:
        pytest.skip(str(error))
    yield store
    store.stop()


def test_objects_come_and_go(started: Store) -> None:
    place = started.place("come/and-go")
    place.put_all({"config.json": b"{}", "nested/deep/ü né.txt": b"x", "empty": b""})
    assert place.keys() == ["config.json", "empty", "nested/deep/ü né.txt"]
    place.delete("empty")
    place.delete("never-there")
    assert place.keys() == ["config.json", "nested/deep/ü né.txt"]
    place.clear()
    assert place.keys() == []


def test_a_place_does_not_see_its_neighbour(started: Store) -> None:
    one, ten = started.place("run-1"), started.place("run-10")
    ten.put("a", b"ten")
    one.put("b", b"one")
    one.put_raw("run-100/c", b"raw")
    assert (one.keys(), ten.keys()) == (["b"], ["a"])
    one.clear()
    assert ten.keys() == ["a"]
    assert started.place("run-100").keys() == ["c"]


def test_listing_and_clearing_go_beyond_one_page(started: Store) -> None:
    place = started.place("many")
    names = [f"{number:04}" for number in range(1050)]  # S3 lists and deletes at most 1000 at a time
    place.put_all(dict.fromkeys(names, b""))
    assert place.keys() == names
    place.clear()
    assert place.keys() == []


def test_the_address_is_what_a_subject_needs(started: Store) -> None:
    place = started.place("/with/slashes/")
    place.put("k", b"v")
    assert not place.uri.endswith("/")
    if started.is_object_store:
        assert place.uri == f"s3://{place.bucket}/with/slashes"
        assert started.environment()["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    else:
        assert (Path(place.uri) / "k").read_bytes() == b"v"
        assert started.environment() == {}
    assert started.name in started.version() or started.name == "disk"


@pytest.mark.parametrize("key", ["../out", "a/../../out", "/out", "a//b", "a/./b"])
def test_a_hostile_key_is_kept_as_it_is_or_refused(started: Store, key: str) -> None:
    place = started.place("")
    try:
        place.put_raw(key, b"hostile")
    except KeyRefused as error:
        assert started.name != "moto", "S3 itself takes such keys, and so must the store that stands for it"
        assert repr(key) in str(error)
        found = place.keys()
        assert not [name for name in found if name.endswith(("out", "b"))]
    else:
        found = place.keys()
        assert key in found
        place.delete(key)
        left = place.keys()
        assert key not in left


def test_start_and_stop_can_be_repeated() -> None:
    store = STORES["disk"]()
    store.start()
    folder = Path(store.place("x").uri)
    store.start()
    assert Path(store.place("x").uri) == folder
    store.stop()
    store.stop()
    assert not folder.exists()


def test_moto_dies_with_a_killed_run() -> None:
    script = (
        "import os, sys; from fixtures.stores.moto import MotoStore; s = MotoStore(); s.start();"
        "print(s._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60)
    server = int(done.stdout)
    _within(5, lambda: not _runs(server), f"moto's process {server} outlived the run that started it")


def test_minios_container_dies_with_a_killed_run() -> None:
    _needs_minio()
    script = (
        "import os; from fixtures.stores.minio import MinioStore; s = MinioStore(); s.start();"
        "print(s._container.get_container_id(), flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=120)
    container = done.stdout.decode().strip()
    assert len(container) == 64, done.stderr.decode()
    _within(20, lambda: container not in _containers(), f"container {container} outlived its run")


def test_without_an_engine_minio_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("testcontainers.community.minio")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(Unavailable) as caught:
        MinioStore().start()
    assert caught.value.reason == "no Docker engine answers"
    assert "docker info" in caught.value.remedy


def test_an_image_that_is_not_there_is_said_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _needs_minio()
    # A registry on a closed port of this machine: the pull fails at once, network or not.
    monkeypatch.setenv(IMAGE_VARIABLE, "127.0.0.1:9/nobody/nothing:1")
    with pytest.raises(Unavailable, match="127.0.0.1:9/nobody/nothing:1") as caught:
        MinioStore().start()
    assert "python -m tooling minio-image" in caught.value.remedy


def _needs_minio() -> None:
    store = MinioStore()
    try:
        store.start()
    except Unavailable as error:
        pytest.skip(str(error))
    store.stop()


def _containers() -> list[str]:
    import docker

    return [one.id for one in docker.from_env().containers.list(all=True, filters={"label": LABEL})]


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    # A zombie that a container's first process doesn't reap is dead all the same.
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def _within(seconds: float, condition: Callable[[], bool], message: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.05)
