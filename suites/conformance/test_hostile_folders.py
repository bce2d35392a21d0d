"""SECURITY, fifth part: what others planted where the cache is about to be, and what it leaves for them."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.witness import Witness
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names
from suites.conformance.folders import tree_of
from suites.conformance.refusals import assert_deliberate, assert_untouched

TREE = {"config.json": b'{"model_type": "right"}', "1_Pooling/config.json": b"[1]", "vocab.txt": b"a"}
TREE |= {"deep/deeper/a.json": b"[]"}
POISON = dict.fromkeys(TREE, b"poison")


@pytest.fixture
def victim(subject: Bench) -> Path:
    """A folder of somebody's own, with files that are named like the model's."""
    folder = subject.cache_root.parent / "victim"
    for name, data in POISON.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def pull(subject: Bench, place: Place) -> Path | SubjectRaised:
    """The folder that a fresh process pulls into, or the error that it ends with."""
    with subject.worker() as worker:
        return pulled_by(worker, place.uri)


def pulled_by(worker: Worker, uri: str) -> Path | SubjectRaised:
    try:
        return Path(worker.ask("pull_metadata", uri=uri))
    except SubjectRaised as error:
        return error


def assert_right(check: Check, answer: Path | SubjectRaised, *named: Path, where: str) -> None:
    """The pull was refused on purpose, naming these paths, or brought exactly what lies in the bucket."""
    __tracebackhide__ = True
    if isinstance(answer, SubjectRaised):
        assert_deliberate(check, answer)
        assert_names(check, answer, *map(str, named))
    else:
        check.equal(expected=TREE, actual=tree_of(answer), what=f"the pulled tree where {where}")


def between(root: Path, folder: Path) -> list[Path]:
    """`folder` and what lies above it, down from the root's first own entry."""
    return [path for path in (folder, *folder.parents) if root in path.parents][::-1]


def poison_unseen(file: Path) -> None:
    """Other bytes, as many, and the time of change as it was."""
    status = file.stat()
    file.write_bytes(b"x" * status.st_size)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def empty(root: Path) -> None:
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@requirement("SECURITY-022")
@pytest.mark.quick
def test_links_in_the_way_to_the_folder(check: Check, subject: Bench, place: Place, victim: Path) -> None:
    place.put_all(TREE)
    folder = pull(subject, place)
    assert isinstance(folder, Path), "a pull into an empty root failed"
    for path in between(subject.cache_root, folder):
        empty(subject.cache_root)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(victim)
        where = f"a link lies at {path.relative_to(subject.cache_root)}"
        with Witness(victim) as witness:
            answer = pull(subject, place)
            # to open a folder, without a look at what is in it, is how some find out that it is a link
            seen = [event for event in witness.seen() if event != f"opened {victim}"]
            check.equal(expected=[], actual=seen, what=f"what was touched where {where}")
            (victim / "vocab.txt").read_bytes()
            assert f"opened {victim / 'vocab.txt'}" in witness.seen(), "the witness is blind"
        assert_right(check, answer, path, where=where)


@requirement("SECURITY-023")
def test_links_among_the_files(check: Check, subject: Bench, place: Place, victim: Path) -> None:
    place.put_all(TREE)
    for planted, target in (
        ("config.json", "config.json"),
        ("1_Pooling", "1_Pooling"),
        ("new.txt", "vocab.txt"),
    ):
        empty(subject.cache_root)
        ask = {"uri": place.uri, "allow": None, "ignore": None}
        folder = Path(subject.ask("pull_files", **ask))
        (folder / planted).unlink() if (folder / planted).is_file() else None
        shutil.rmtree(folder / planted, ignore_errors=True)
        (folder / planted).symlink_to(victim / target)
        if planted == "new.txt":
            place.put(planted, b"arrived later")
        where = f"{planted} in the cache is a link"
        with Witness(victim) as witness:
            try:
                again: str | SubjectRaised = subject.ask("pull_files", **ask)
            except SubjectRaised as error:
                again = error
            assert_untouched(check, witness, victim / "vocab.txt", what=f"what was touched where {where}")
        if isinstance(again, SubjectRaised):
            assert_deliberate(check, again)
            continue
        right = {**TREE, **({planted: b"arrived later"} if planted == "new.txt" else {})}
        check.equal(expected=right, actual=tree_of(again), what=f"the pulled tree where {where}")


@requirement("SECURITY-024")
def test_a_planted_folder(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    folder = pull(subject, place)
    assert isinstance(folder, Path), "a pull into an empty root failed"
    # whatever marks of completeness the loader makes are there, too; only the content is another
    planted = subject.cache_root.parent / "planted"
    shutil.copytree(folder, planted)
    for name, data in POISON.items():
        (planted / name).write_bytes(data)
    empty(subject.cache_root)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(planted, folder)
    where = "somebody planted the folder, its marks included"
    assert_right(check, pull(subject, place), folder, where=where)


@requirement("SECURITY-024")
def test_a_planted_root(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    folder = pull(subject, place)
    assert isinstance(folder, Path), "a pull into an empty root failed"
    planted = subject.cache_root.parent / "planted"
    # all that a pull made, wherever it keeps its marks; only one file has other bytes
    shutil.copytree(subject.cache_root, planted, symlinks=True)
    empty(subject.cache_root)
    shutil.copytree(planted, subject.cache_root, symlinks=True, dirs_exist_ok=True)
    poison_unseen(folder / "config.json")
    assert_right(check, pull(subject, place), where="somebody planted the whole root, its marks included")


@requirement("SECURITY-025")
def test_who_may_enter(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    folder = pull(subject, place)
    assert isinstance(folder, Path), "a pull into an empty root failed"
    made = [path for path in subject.cache_root.rglob("*") if not path.is_symlink()]
    check.true(bool(made), what="what the pull made", expected="something", actual=made)
    others = {
        path.relative_to(subject.cache_root).as_posix(): oct(stat.S_IMODE(path.stat().st_mode))
        for path in made
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    }
    check.equal(expected={}, actual=others, what="what others than the user may read, write or enter")
