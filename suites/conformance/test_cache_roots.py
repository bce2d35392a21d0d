"""CACHE, another part: roots that differ from the usual folder, a full disk, several models at once."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest

from fixtures.stores import Place, Store
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, NotRun, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.folders import tree_of
from suites.conformance.test_pulling import await_hit, folder_from

TREE = {"config.json": b'{"version": 1}', "tokenizer.json": b"{}" * 20, "nested/deep/a.json": b"[]"}
#: bytes that a file may have while the disk is "full"; the larger file of the tree has more
ROOM = 1 << 16
GROWN = {"tokenizer.json": b"{}" * ROOM, "added.json": b"{}"}
#: each at most as long as the first
TINY = {"config.json": b'{"version": 1}', "nested/deep/a.json": b"[]"}
MODELS = 6


@requirement("CACHE-030")
def test_a_full_disk(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE | GROWN)
    with limited(subject.worker()) as worker:
        error = error_of(check, worker, "pull_metadata", why="the disk takes no more", uri=place.uri)
    assert_names(check, error, os.strerror(errno.EFBIG), "tokenizer.json", str(subject.cache_root))
    with subject.worker() as worker:
        folder = worker.ask("pull_metadata", uri=place.uri)
    check.equal(expected=TREE | GROWN, actual=tree_of(folder), what="the tree once there is room again")


@requirement("CACHE-035")
def test_a_full_disk_at_the_next_pull(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    folder = subject.ask("pull_metadata", uri=place.uri)
    place.put_all(GROWN)
    with limited(subject.worker()) as worker:
        error_of(check, worker, "pull_metadata", why="the disk takes no more", uri=place.uri)
    check.equal(expected=TREE, actual=tree_of(folder), what="the tree that was there before")


@requirement("CACHE-030")
def test_a_disk_with_room_for_small_files_only(check: Check, subject: Bench, place: Place) -> None:
    # the model's own fit, what a cache notes beside them may not
    place.put_all(TINY)
    for _ in range(2):  # the second time nothing has changed, and there still is something to note
        with limited(subject.worker(), room=len(TINY["config.json"])) as worker:
            worker.send("pull_metadata", uri=place.uri)
            try:
                folder = worker.receive("pull_metadata")
            except SubjectRaised as error:
                assert_names(check, error, os.strerror(errno.EFBIG), str(subject.cache_root))
            else:
                check.equal(expected=TINY, actual=tree_of(folder), what="the tree where small files fit")
        with subject.worker() as worker:
            folder = worker.ask("pull_metadata", uri=place.uri)
        check.equal(expected=TINY, actual=tree_of(folder), what="the tree once there is room again")


def limited(worker: Worker, room: int = ROOM) -> Worker:
    """A worker that can write no file of more than `room` bytes: a write fails, as on a full disk."""
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (room, room))
    return worker


@requirement("CACHE-031")
def test_a_relative_root(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    with subject.worker(**{subject.cache_variable: "relative/cache"}) as worker:
        home = worker.ask("environment")["HOME"]
        path = worker.ask("cache_path", uri=place.uri)
        worker.send("pull_metadata", uri=place.uri)
        pulled = folder_from(check, worker, what="a pull into a relative root")
    right = f"below {home}/relative/cache"
    check.true(path.startswith(right.removeprefix("below ")), what="the folder", expected=right, actual=path)
    check.equal(expected=path, actual=pulled, what="the folder that the pull returned")
    check.equal(expected=TREE, actual=tree_of(pulled), what="the tree in it")


@requirement("CACHE-032")
def test_roots_with_unusual_names(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    parent = subject.cache_root.parent
    (parent / "link").symlink_to("my cache")
    for name in ("my cache", "größe 权重", "100%25 [a] #1", "link"):
        (parent / name).mkdir(mode=0o700, exist_ok=True)
        with subject.worker(**{subject.cache_variable: str(parent / name)}) as worker:
            folder = worker.ask("pull_metadata", uri=place.uri)
        check.equal(expected=TREE, actual=tree_of(folder), what=f"the tree in the root {name!r}")
        inside = Path(folder).resolve().is_relative_to((parent / name).resolve())
        check.true(inside, what="the folder", expected=f"below {parent / name}", actual=folder)


@requirement("CACHE-036")
def test_a_root_that_does_not_exist(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    root = subject.cache_root.parent / "not" / "yet" / "there"
    with subject.worker(**{subject.cache_variable: str(root)}) as worker:
        worker.send("pull_metadata", uri=place.uri)
        folder = folder_from(check, worker, what="a pull into a root that doesn't exist")
    check.equal(expected=TREE, actual=tree_of(folder), what="the tree in the new root")
    check.true(Path(folder).is_relative_to(root), what="the folder", expected=f"below {root}", actual=folder)


@requirement("CACHE-033")
def test_no_home(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    for home in ("/nonexistent", "/dev/null", ""):
        with subject.worker(HOME=home) as worker:
            worker.send("pull_metadata", uri=place.uri)
            folder = folder_from(check, worker, what=f"a pull where HOME is {home!r}")
        check.equal(expected=TREE, actual=tree_of(folder), what=f"the tree where HOME is {home!r}")


@requirement("CACHE-066")
def test_a_bounded_wait(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(TREE)
    hang = wire.inject(Fault(match="/tokenizer.json", method="GET", hang=True))
    holder = subject.worker()
    holder.send("pull_metadata", uri=place.uri)
    met = await_hit(hang)
    check.true(met, what="the first pull", expected="a GET of tokenizer.json", actual="none within 20 s")
    why = "another pull of the model hangs"
    for seconds in ("0.25", "0"):
        with subject.worker(**{subject.wait_variable: seconds}) as worker:
            worker.send("pull_metadata", uri=place.uri)
            answer = worker.outcome("pull_metadata", deadline=10)
        check.true(
            f"{seconds} s" in answer, what=f"the pull where {why}", expected=f"{seconds} s", actual=answer
        )
    holder.kill()
    wire.heal()
    for text in ("x", "-1", "nan", "inf", "1 s"):
        with subject.worker(**{subject.wait_variable: text}) as worker:
            why = f"{text!r} is no number of seconds"
            error = error_of(check, worker, "pull_metadata", why=why, uri=place.uri)
        assert_names(check, error, subject.wait_variable, repr(text))


@requirement("CACHE-034")
def test_models_at_once(check: Check, subject: Bench, store: Store, place: Place, wire: Wire) -> None:
    models = [store.place(f"{place.prefix}/{number}") for number in range(MODELS)]
    trees = [TREE | {"config.json": str(number).encode()} for number in range(MODELS)]
    for model, tree in zip(models, trees, strict=True):
        model.put_all(tree)
    # the first one hangs in its middle, for longer than the others have
    hang = Fault(match="/0/tokenizer.json", method="GET", hang=True)
    wire.inject(hang)
    first, *others = [subject.worker() for _ in models]
    first.send("pull_metadata", uri=models[0].uri)
    met = await_hit(hang)
    check.true(met, what="the first pull", expected="a GET of tokenizer.json", actual="none within 20 s")
    for worker, model in zip(others, models[1:], strict=True):
        worker.send("pull_metadata", uri=model.uri)
    for worker, tree in zip(others, trees[1:], strict=True):
        folder = folder_from(check, worker, what="a pull while another model's hangs", deadline=20)
        check.equal(expected=tree, actual=tree_of(folder), what="the tree of one of the models")
    first.kill()


@requirement("CACHE-050")
def test_a_root_that_cannot_be_made(check: Check, subject: Bench, place: Place, tmp_path: Path) -> None:
    place.put("config.json", b"{}")
    # below a file no folder can be made, not even by an administrator
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"")
    worker = subject.worker(**{subject.cache_variable: str(blocked / "cache")})
    error = error_of(check, worker, "pull_metadata", why="the root can't be made", uri=place.uri)
    assert_names(check, error, str(blocked / "cache"))


@requirement("CACHE-050")
@pytest.mark.parametrize("where", ["a link to itself", "no file system for files"])
def test_a_root_that_takes_nothing(
    check: Check, subject: Bench, place: Place, tmp_path: Path, where: str
) -> None:
    place.put("config.json", b"{}")
    root = Path("/sys/kernel")  # of the kernel: nobody makes a folder there
    if where == "a link to itself":
        root = tmp_path / "round"
        root.symlink_to(root.name)
    elif not takes_nothing(root):
        raise NotRun(f"{root} is a folder like any other here", "run this where the kernel's is mounted")
    worker = subject.worker(**{subject.cache_variable: str(root)})
    error = error_of(check, worker, "pull_metadata", why=f"the root is {where}", uri=place.uri)
    assert_names(check, error, str(root))


def takes_nothing(folder: Path) -> bool:
    probe = folder / "probe"
    try:
        probe.mkdir(parents=True)
    except OSError:
        return True
    probe.rmdir()
    return False
