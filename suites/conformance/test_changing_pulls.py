"""CACHE, one more part: models replaced, bodies cut, starts and readers while a pull is under way."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.folders import tree_of
from suites.conformance.test_pulling import await_hit, folder_from

OLD = {"config.json": b'{"version": 1}', "tokenizer.json": b'{"version": 1}'}
#: of the same sizes, so that only the version tells
NEW = {name: data.replace(b"1", b"2") for name, data in OLD.items()}
#: seconds within which a few bytes arrive; where they take longer the check sees one version, and passes
SMALL_ANSWER = 0.3
#: seconds within which a process answers that waits for nobody; where it takes longer the check just waits
SOON = 1.0


@requirement("CACHE-061")
def test_a_model_replaced_during_a_pull(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(OLD)
    go_on = threading.Event()
    held = wire.inject(Fault(match="/tokenizer.json?", until=go_on, times=1))
    worker = subject.worker()
    worker.send("pull_metadata", uri=place.uri)
    met = await_hit(held)
    check.true(met, what="the pull", expected="a GET of tokenizer.json", actual="none within 20 s")
    time.sleep(SMALL_ANSWER)  # what is asked for at the same time has arrived
    place.put_all(NEW)
    go_on.set()
    try:
        folder = worker.receive("pull_metadata", deadline=30)
    except SubjectRaised as error:
        check.true(True, what="the pull", expected="one version, or an error", actual=error.message)
        return
    tree = tree_of(folder)
    check.true(tree in (OLD, NEW), what="the tree", expected="one version of the model", actual=tree)


@requirement("CACHE-011")
def test_a_start_during_a_pull(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(OLD)
    go_on = threading.Event()
    held = wire.inject(Fault(match="/tokenizer.json", until=go_on, times=1))
    first, second = subject.worker(), subject.worker()
    first.send("pull_metadata", uri=place.uri)
    met = await_hit(held)
    check.true(met, what="the first pull", expected="a GET of tokenizer.json", actual="none within 20 s")
    second.send("pull_metadata", uri=place.uri)
    # it may fetch all of it for itself or wait for the first one; what it may not do is answer too early
    if second.speaks(within=SOON):
        assert_whole(check, second, what="the tree for a process that started during the first pull")
        go_on.set()
    else:
        go_on.set()
        assert_whole(check, second, what="the tree for a process that waited for the first pull")
    assert_whole(check, first, what="the tree of the first pull")


@requirement("CACHE-020")
def test_patterns_at_once(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(OLD | {"vocab.txt": b"a"})
    go_on = threading.Event()
    held = wire.inject(Fault(match="/config.json", until=go_on, times=1))
    wanted = ("config.json", "tokenizer.json", "vocab.txt", "tokenizer.json")
    workers = []
    for number, name in enumerate(wanted):
        # started where somebody has a model's files of these names and sizes
        folder = subject.cache_root.parent / f"checkout-{number}"
        folder.mkdir()
        for file, data in OLD.items():
            (folder / file).write_bytes(data[::-1])
        workers.append(subject.worker_in(folder))
        workers[-1].send("pull_files", uri=place.uri, allow=[f"*{name}"], ignore=None)
        if not number:
            met = await_hit(held)
            check.true(met, what="the first pull", expected="a GET of config.json", actual="none within 20 s")
    # those that wait for the first one find a tree that was listed after they began, by one of them
    workers[-1].speaks(within=SOON)
    go_on.set()
    for name, worker in zip(wanted, workers, strict=True):
        what = f"a pull of {name} among others"
        answer = folder_from(check, worker, what=what, deadline=30, operation="pull_files")
        right = OLD.get(name, b"a")
        check.equal(expected=right, actual=tree_of(answer).get(name), what=f"{name}, which was asked for")


@requirement("CACHE-016")
def test_a_file_deleted_while_a_start_waits(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(OLD)
    go_on = threading.Event()
    held = wire.inject(Fault(match="/tokenizer.json", until=go_on, times=1))
    first, second, last = (subject.worker() for _ in range(3))
    first.send("pull_metadata", uri=place.uri)
    met = await_hit(held)
    check.true(met, what="the first pull", expected="a GET of tokenizer.json", actual="none within 20 s")
    second.send("pull_metadata", uri=place.uri)
    last.send("pull_metadata", uri=place.uri)
    waits = not last.speaks(within=SOON) and sum("list-type=2" in one.query for one in wire.requests) == 1
    if waits:  # one that has begun may have looked at the file before
        os.kill(last.pid, signal.SIGSTOP)
    go_on.set()
    assert_whole(check, first, what="the tree of the first pull")
    if waits and second.speaks(within=SOON):
        folder = folder_from(check, second, what="the second pull", deadline=30)
        (Path(folder) / "config.json").unlink(missing_ok=True)
    os.kill(last.pid, signal.SIGCONT)
    assert_whole(check, last, what="the tree for a process that waited while a file was deleted")


def assert_whole(check: Check, worker: Worker, *, what: str) -> None:
    __tracebackhide__ = True
    folder = folder_from(check, worker, what=what, deadline=30)
    check.equal(expected=OLD, actual=tree_of(folder), what=what)


@requirement("CACHE-062")
def test_a_body_that_ends_early(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(OLD)
    cut = wire.inject(Fault(match="/tokenizer.json", truncate=5, times=1))
    folder = subject.ask("pull_metadata", uri=place.uri)
    check.equal(expected=OLD, actual=tree_of(folder), what="the tree after a body that ended early")
    assert cut.hits == 1, "nothing was cut"


@requirement("CACHE-063")
def test_what_an_earlier_pattern_brought(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(OLD | {"tokenizer.model": b"x"})
    first = subject.ask("pull_files", uri=place.uri, allow=["*.json"], ignore=None)
    second = subject.ask("pull_files", uri=place.uri, allow=["*.model"], ignore=None)
    # one folder, or one for each pattern
    stayed = {name: data for name, data in tree_of(first).items() if name in OLD}
    check.equal(expected=OLD, actual=stayed, what="what the first pattern brought, after the second")
    check.equal(
        expected=b"x", actual=tree_of(second).get("tokenizer.model"), what="what the second pattern brought"
    )


@requirement("CACHE-064")
def test_a_reader_that_stays(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(OLD)
    folder = os.open(subject.ask("pull_metadata", uri=place.uri), os.O_RDONLY | os.O_DIRECTORY)
    try:
        place.put_all(NEW)
        for pulls in ("the pull", "the pull and another one that found nothing new"):
            subject.ask("pull_metadata", uri=place.uri)
            for name in OLD:
                content = read_in(folder, name)
                whole = content in (OLD[name], NEW[name])
                what = f"{name} for a reader that came before {pulls}"
                check.true(whole, what=what, expected="one of its versions", actual=content)
    finally:
        os.close(folder)


def read_in(folder: int, name: str) -> bytes:
    try:
        with open(os.open(name, os.O_RDONLY, dir_fd=folder), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b"not there"
