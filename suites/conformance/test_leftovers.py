"""CACHE, last part: what killed pulls, cleaners, file systems and users leave in a cache."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.stores import Place, Store
from fixtures.wire import Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.folders import files_below, folders_below, tree_of
from suites.conformance.test_pulling import (
    TREE,
    assert_names_if_raised,
    folder_from,
    kill_a_pull,
    pull,
    remove_everything,
)


def pulled_again(check: Check, subject: Bench, place: Place, *, where: str) -> Path:
    """The folder of a pull that has to end well; an error is the wrong answer."""
    __tracebackhide__ = True
    with subject.worker() as worker:
        worker.send("pull_metadata", uri=place.uri)
        return Path(folder_from(check, worker, what=f"a pull where {where}"))


def clean_tree(root: Path, folder: Path) -> None:
    shutil.rmtree(folder.resolve())


def clean_all_but_links(root: Path, folder: Path) -> None:
    """As tmpreaper does to what is old: files go, then folders that hold nothing any more."""
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_file() and not path.is_symlink():
            path.unlink()
        elif path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


@requirement("CACHE-026")
def test_a_killed_pull_leaves_nothing(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    place.put_all(TREE)
    pull(subject, place)
    before = len(files_below(subject.cache_root))
    place.put("tokenizer.json", b"[]")
    kill_a_pull(subject, place, wire)
    place.put("tokenizer.json", TREE["tokenizer.json"])
    pull(subject, place)
    after = len(files_below(subject.cache_root))
    what = "number of files below the root after a killed pull and a whole one of what was there"
    check.true(after <= before, what=what, expected=f"at most {before}", actual=after)


@requirement("CACHE-016")
@pytest.mark.parametrize("clean", [clean_tree, clean_all_but_links])
@pytest.mark.parametrize("tree", [TREE, {}], ids=["some", "none"])
def test_a_folder_that_was_cleaned(
    check: Check, subject: Bench, place: Place, clean: Callable[[Path, Path], None], tree: dict[str, bytes]
) -> None:
    place.put_all(tree | {"model.safetensors": b"heavy"})
    clean(subject.cache_root, Path(pull(subject, place)))
    folder = pulled_again(check, subject, place, where="the folder was cleaned")
    check.equal(expected=True, actual=folder.is_dir(), what="whether the folder is there again")
    check.equal(expected=tree, actual=tree_of(folder), what="the tree in it")


@requirement("CACHE-016")
def test_a_link_to_nothing(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    file = Path(pull(subject, place)) / "config.json"
    file.unlink()
    file.symlink_to(subject.cache_root.parent / "moved-and-lost" / file.name)
    restored = pulled_again(check, subject, place, where="a file is a link to nothing") / file.name
    check.equal(expected=True, actual=restored.is_file(), what=f"whether {file.name} is a file again")
    check.equal(expected=TREE, actual=tree_of(restored.parent), what="the tree after the next pull")


@requirement("CACHE-024")
def test_files_of_the_file_system(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE)
    folder = Path(pull(subject, place)).resolve()
    for one in folders_below(subject.cache_root):
        if folder not in (one, *one.parents):
            (one / ".nfs0001").write_bytes(b"")  # as network file systems do for a file that is still open
    for name in ("config.json", "tokenizer.json"):
        place.put(name, b"[]")
    changed = TREE | {"config.json": b"[]", "tokenizer.json": b"[]"}
    answer = pulled_again(check, subject, place, where="files of the file system lie in the cache")
    check.equal(expected=changed, actual=tree_of(answer), what="the tree after the next pull")


@requirement("CACHE-018")
def test_a_link_of_somebody_else(check: Check, subject: Bench, store: Store, place: Place) -> None:
    same = store.place(f"{place.prefix}-of-the-same-content")
    same.put_all(TREE)
    place.put_all(TREE)
    folder = Path(pull(subject, place))
    remove_everything(subject.cache_root)
    other = Path(pull(subject, same))
    if other == folder:  # a loader with one folder for all models
        other = folder.rename(folder.with_name("moved"))
    # whoever knows that two models are one may save room in this way
    target = os.path.relpath(other, folder.parent)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(target)
    with subject.worker() as worker:
        worker.send("pull_metadata", uri=place.uri)
        answer = worker.outcome("pull_metadata", deadline=30)
    kept = folder.is_symlink() and str(folder.readlink()) == target
    check.true(kept, what="a link that was there before", expected="kept", actual=f"gone; {answer}")
    check.equal(expected=TREE, actual=tree_of(other), what="the tree that it leads to")
    assert_names_if_raised(check, answer, folder)
