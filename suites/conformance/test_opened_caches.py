"""SECURITY, one more part: caches that others could enter or write to."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.hostile_store import Bait, HostileStore
from fixtures.stores import Place
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Wire
from reports.marks import Check, NotRun, requirement
from suites.conformance.bench import Bench
from suites.conformance.folders import folders_below, tree_of
from suites.conformance.test_hostile_folders import (
    POISON,
    TREE,
    assert_right,
    between,
    poison_unseen,
    pull,
    pulled_by,
)
from suites.conformance.test_pulling import kill_a_pull

#: other bytes, as many
SAME = {name: b"x" * len(data) for name, data in TREE.items()}
#: a user's number that is not this process's
NOBODY = 65_534


def open_to_all(root: Path, mode: int = 0o777) -> None:
    for folder in folders_below(root):
        folder.chmod(mode)


def give_away(root: Path) -> None:
    try:
        for folder in folders_below(root):
            os.chown(folder, NOBODY, -1)
    except OSError as error:
        raise NotRun("only an administrator can give a folder away", "run this as root") from error


def store_of(tree: dict[str, bytes]) -> HostileStore:
    """One that calls any contents one version, which makes the marks that a forger would make."""
    return HostileStore({f"model/{name}": Bait(data) for name, data in tree.items()})


@requirement("SECURITY-026")
@pytest.mark.parametrize("change", ["seen", "unseen", "added"])
def test_a_folder_that_was_opened(check: Check, subject: Bench, place: Place, change: str) -> None:
    place.put_all(TREE)
    folder = pull(subject, place)
    assert isinstance(folder, Path), "a pull into an empty root failed"
    open_to_all(subject.cache_root)
    if change == "unseen":
        poison_unseen(folder / "config.json")
    elif change == "seen":
        (folder / "config.json").unlink()
        (folder / "config.json").write_bytes(POISON["config.json"])
    if change != "unseen":
        (folder / "modeling_planted.py").write_bytes(b"planted")
    answer = pull(subject, place)
    where = "the folder was open to all, and somebody changed it"
    assert_right(check, answer, subject.cache_root, where=where)
    assert_closed(check, subject, answer)


def assert_closed(check: Check, subject: Bench, answer: Path | SubjectRaised) -> None:
    """Where the pull ended well, others can't enter its folder in the root any more."""
    __tracebackhide__ = True
    if isinstance(answer, Path):
        top = between(subject.cache_root, answer)[0]
        mode = stat.S_IMODE(top.stat().st_mode)
        closed = mode & 0o077 == 0
        check.true(closed, what=f"mode of {top.name}", expected="closed to others", actual=oct(mode))


@requirement("SECURITY-026")
@pytest.mark.parametrize("mode", [0o750, 0o701], ids=oct)
def test_a_folder_that_others_could_enter(check: Check, subject: Bench, place: Place, mode: int) -> None:
    place.put_all(TREE)
    pull(subject, place)
    open_to_all(subject.cache_root, mode)
    answer = pull(subject, place)
    assert_right(check, answer, subject.cache_root, where="others could enter the folder")
    assert_closed(check, subject, answer)


@requirement("SECURITY-026")
def test_an_opened_folder_with_leftovers(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(TREE | {"tokenizer.json": b"{}"})
    folder = pull(subject, place)
    assert isinstance(folder, Path), "a pull into an empty root failed"
    place.put("tokenizer.json", b"[]")
    kill_a_pull(subject, place, wire)
    place.delete("tokenizer.json")
    open_to_all(subject.cache_root)
    if (folder / "config.json").is_file():  # that a killed pull leaves it there is another requirement's
        poison_unseen(folder / "config.json")
    answer = pull(subject, place)
    where = "the folder, with what a killed pull had left, was open to all"
    assert_right(check, answer, subject.cache_root, where=where)
    assert_closed(check, subject, answer)


@requirement("SECURITY-026")
@pytest.mark.parametrize("hand_over", [open_to_all, give_away], ids=["open", "of somebody else"])
def test_marks_that_others_could_write(
    check: Check, subject: Bench, hand_over: Callable[[Path], None]
) -> None:
    with store_of(SAME) as lying, subject.worker(**lying.environment) as worker:
        planted = Path(worker.ask("pull_metadata", uri=lying.uri("model")))
    check.equal(expected=SAME, actual=tree_of(planted), what="the tree that was planted")
    hand_over(subject.cache_root)
    with store_of(TREE) as store, subject.worker(**store.environment) as worker:
        answer = pulled_by(worker, store.uri("model"))
    where = "others could write to the root, and planted files and marks"
    assert_right(check, answer, subject.cache_root, where=where)


@requirement("SECURITY-026")
def test_links_in_an_opened_folder(check: Check, subject: Bench) -> None:
    with store_of(SAME) as lying, store_of(TREE) as store:
        for number in itertools.count():
            root = subject.cache_root.parent / f"cache-{number}"
            root.mkdir(mode=0o700)
            own = {subject.cache_variable: str(root)}
            with subject.worker(**own, **lying.environment) as worker:
                planted = Path(worker.ask("pull_metadata", uri=lying.uri("model")))
            check.equal(expected=SAME, actual=tree_of(planted), what="the tree that was planted")
            parts = between(root, planted.resolve())
            if number == len(parts):
                break
            # what the planter keeps can be changed after the next pull, too
            theirs = subject.cache_root.parent / f"theirs-{number}"
            parts[number].rename(theirs)
            parts[number].symlink_to(theirs)
            open_to_all(root)
            before = contents_and_rights(theirs)
            with subject.worker(**own, **store.environment) as worker:
                answer = pulled_by(worker, store.uri("model"))
            where = f"others put a link at {parts[number].relative_to(root)}"
            assert_right(check, answer, root, where=where)
            check.equal(
                expected=before, actual=contents_and_rights(theirs), what=f"their folder where {where}"
            )


def contents_and_rights(folder: Path) -> dict[str, tuple[int, bytes]]:
    found = {}
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else b""
        found[path.relative_to(folder).as_posix()] = (mode, content)
    return found
