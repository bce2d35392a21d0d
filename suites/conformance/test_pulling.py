"""CACHE, second part: what lies in the folder while the bucket, the folder and the processes change."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path

import pytest

from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectDied, SubjectHung, SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.folders import folders_below, tree_of

TREE = {"config.json": b'{"version": 1}', "tokenizer.json": b"{}" * 20, "nested/deep/a.json": b"[]"}
PROCESSES = 100
#: enough to collide
FEW = 20


def pull(subject: Bench, place: Place) -> str:
    """One pull by a fresh process, as at the start of an engine."""
    with subject.worker() as worker:
        return str(worker.ask("pull_metadata", uri=place.uri))


def folder_from(
    check: Check,
    worker: Worker,
    *,
    what: str,
    deadline: float | None = None,
    operation: str = "pull_metadata",
) -> str:
    """The answer of a pull that has been sent; an error, or none in time, differs from it."""
    __tracebackhide__ = True
    try:
        return str(worker.receive(operation, deadline=deadline))
    except (SubjectRaised, SubjectHung) as failure:
        check.true(False, what=what, expected="a folder", actual=str(failure))
        raise


def object_reads(wire: Wire) -> list[str]:
    """The names of the objects that were fetched, one entry for each GET."""
    return sorted(name for name in TREE for _ in wire.gets(suffix=f"/{name}"))


@requirement("CACHE-010")
def test_a_pull_returns_the_promised_folder(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    promised = subject.ask("cache_path", uri=place.uri)
    check.equal(expected=promised, actual=pull(subject, place), what="the folder that the pull returned")
    check.equal(expected=TREE, actual=tree_of(promised), what="the tree in the promised folder")


@requirement("CACHE-011")
def test_many_cold_starts_at_once(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    assert_one_folder(check, pull_at_once(check, subject, place, PROCESSES))


def pull_at_once(check: Check, subject: Bench, place: Place, processes: int) -> set[str]:
    """The folders that so many fresh processes are given, which all ask before the first is answered."""
    __tracebackhide__ = True
    workers = [subject.worker() for _ in range(processes)]
    for worker in workers:
        worker.send("pull_metadata", uri=place.uri)
    what = f"the answer to one of {processes} pulls at once"
    return {folder_from(check, worker, what=what, deadline=60) for worker in workers}


def assert_one_folder(check: Check, folders: set[str]) -> None:
    __tracebackhide__ = True
    check.equal(expected=1, actual=len(folders), what="number of folders")
    check.equal(expected=TREE, actual=tree_of(folders.pop()), what="the tree in it")


@requirement("CACHE-037")
def test_one_pull_for_all(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(TREE)
    assert_one_folder(check, pull_at_once(check, subject, place, FEW))
    check.equal(
        expected=sorted(TREE), actual=object_reads(wire), what="objects fetched, one entry for each GET"
    )


@requirement("CACHE-012")
def test_a_killed_pull_is_repaired(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(TREE)
    killed = kill_a_pull(subject, place, wire)
    check.true(killed, what="the pull", expected="a GET of tokenizer.json", actual="none before its end")
    check.equal(expected=TREE, actual=tree_of(pull(subject, place)), what="the tree after the next pull")


def kill_a_pull(subject: Bench, place: Place, wire: Wire) -> bool:
    """Kills a pull by a fresh process while it waits for tokenizer.json; False where it ends without it."""
    hang = wire.inject(Fault(match="/tokenizer.json", method="GET", hang=True, times=1))
    victim = subject.worker()
    victim.send("pull_metadata", uri=place.uri)
    give_up = time.monotonic() + 20
    while not hang.hits and not victim.speaks(within=0.01) and time.monotonic() < give_up:
        pass
    victim.kill()
    with contextlib.suppress(SubjectDied, SubjectRaised):
        victim.receive("pull_metadata", deadline=10)
    wire.heal()
    return hang.hits > 0


def await_hit(fault: Fault) -> bool:
    """Whether the fault meets its request within 20 s."""
    give_up = time.monotonic() + 20
    while not fault.hits:
        if time.monotonic() > give_up:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.quick
@requirement("CACHE-013")
def test_a_changed_object(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    pull(subject, place)
    place.put("config.json", b'{"version": 2}')  # of the same size
    check.equal(
        expected=TREE | {"config.json": b'{"version": 2}'},
        actual=tree_of(pull(subject, place)),
        what="the tree after a change in the bucket",
    )


@requirement("CACHE-014")
def test_an_added_object(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    pull(subject, place)
    place.put("chat_template.jinja", b"{{ x }}")
    check.equal(
        expected=TREE | {"chat_template.jinja": b"{{ x }}"},
        actual=tree_of(pull(subject, place)),
        what="the tree after an addition to the bucket",
    )


@requirement("CACHE-015")
def test_a_deleted_object(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE | {"adapter_config.json": b"{}"})
    pull(subject, place)
    place.delete("adapter_config.json")
    check.equal(
        expected=TREE, actual=tree_of(pull(subject, place)), what="the tree after a deletion in the bucket"
    )


@requirement("CACHE-016")
def test_a_file_deleted_locally(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    (Path(pull(subject, place)) / "config.json").unlink()
    check.equal(expected=TREE, actual=tree_of(pull(subject, place)), what="the tree after a local deletion")


@requirement("CACHE-017")
def test_unchanged_objects_are_not_fetched(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(TREE)
    pull(subject, place)
    check.equal(expected=sorted(TREE), actual=object_reads(wire), what="objects fetched by the first pull")
    for pulls in (2, 3):  # what the second one notes is what the third one goes by
        pull(subject, place)
        what = f"objects fetched by {pulls} pulls"
        check.equal(expected=sorted(TREE), actual=object_reads(wire), what=what)


@requirement("CACHE-018")
def test_a_folder_of_somebody_else(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    folder = Path(pull(subject, place))
    remove_everything(subject.cache_root)
    folder.mkdir(parents=True)
    (folder / "precious.txt").write_text("keep me")
    with subject.worker() as worker:
        worker.send("pull_metadata", uri=place.uri)
        answer = worker.outcome("pull_metadata", deadline=30)
    kept = (folder / "precious.txt").exists()
    check.true(
        kept, what="a file in a folder that was there before", expected="kept", actual=f"gone; {answer}"
    )
    assert_names_if_raised(check, answer, folder)


def assert_names_if_raised(check: Check, answer: str, path: Path) -> None:
    """Where the pull ended in an error, it names what lies in its way."""
    __tracebackhide__ = True
    named = not answer.startswith("raised") or str(path) in answer
    check.true(named, what="the error of a pull", expected=f"a text that names {path}", actual=answer)


def remove_everything(root: Path) -> None:
    """What a user's `rm -r` leaves: the root alone."""
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


@requirement("CACHE-019")
def test_a_reader_during_pulls(check: Check, subject: Bench, place: Place) -> None:
    versions = [json.dumps({"version": v, "padding": "x" * 200_000}).encode() for v in range(4)]
    place.put("config.json", versions[0])
    config = Path(pull(subject, place)) / "config.json"
    done, seen = threading.Event(), set[bytes]()

    def read() -> None:
        while not done.is_set():
            try:
                seen.add(config.read_bytes())
            except FileNotFoundError:
                seen.add(b"not there")

    reader = threading.Thread(target=read)
    reader.start()
    for version in versions[1:]:
        place.put("config.json", version)
        pull(subject, place)
    done.set()
    reader.join()
    broken = sorted(f"{len(content)} bytes {content[:20]!r}" for content in seen if content not in versions)
    check.equal(expected=[], actual=broken, what="contents of config.json that are no version of it")
    # without a replacement there was nothing to see
    check.equal(expected=versions[-1], actual=config.read_bytes(), what="config.json after the last pull")


@requirement("CACHE-020")
def test_a_second_pattern(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE | {"tokenizer.model": b"x", "notes.txt": b"y"})
    subject.ask("pull_files", uri=place.uri, allow=["*.json"], ignore=None)
    folder = subject.ask("pull_files", uri=place.uri, allow=["*.model"], ignore=None)
    check.equal(
        expected=b"x",
        actual=tree_of(folder).get("tokenizer.model"),
        what="tokenizer.model after the second pull",
    )
    check.equal(
        expected=None, actual=tree_of(folder).get("notes.txt"), what="notes.txt, which no pattern asked for"
    )


@requirement("CACHE-024")
def test_a_file_that_was_added_locally(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    folder = pull(subject, place)
    (Path(folder) / "added.json").write_bytes(b"{}")
    check.equal(expected=TREE, actual=tree_of(pull(subject, place)), what="the tree after the next pull")


@requirement("CACHE-065")
def test_a_file_where_a_folder_has_to_be(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    above = subject.cache_root.parent
    # names that a pull draws by chance stand for no folder of the next one
    for number, folder in enumerate(
        sorted(folders_of(subject, place, "a") & folders_of(subject, place, "b"))
    ):
        root = above / f"cache-{number}"
        root.mkdir(mode=0o700)
        file = root / folder
        for parent in reversed(file.relative_to(root).parents[:-1]):
            (root / parent).mkdir(mode=0o700)
        file.write_text("keep me")
        with subject.worker(**{subject.cache_variable: str(root)}) as worker:
            worker.send("pull_metadata", uri=place.uri)
            answer = worker.outcome("pull_metadata", deadline=30)
        kept = file.is_file() and file.read_text() == "keep me"
        check.true(kept, what=f"the file at {folder}", expected="kept", actual=f"gone; {answer}")
        assert_names_if_raised(check, answer, file)


def folders_of(subject: Bench, place: Place, name: str) -> set[Path]:
    """What a first pull into a root of this name makes for itself, without what belongs to the model."""
    with subject.root(name) as worker:
        pulled = Path(worker.ask("pull_metadata", uri=place.uri))
    root = subject.cache_root.parent / name
    made = set(folders_below(root))
    inside = {path for path in made if pulled.resolve() in path.parents}
    return {path.relative_to(root) for path in (made | {pulled}) - inside}
