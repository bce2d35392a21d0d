"""SECURITY, second part: keys that no folder can hold, or that mean another place there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.hostile_store import Bait, HostileStore
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.witness import Witness
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.folders import everything_below, tree_of
from suites.conformance.refusals import Outside, assert_deliberate, assert_untouched

MODEL = "org/model"
CONFIG = b'{"model_type": "made-up"}'
LONGEST_NAME = 255


@pytest.fixture
def outside(subject: Bench) -> Iterator[Outside]:
    place = Outside(subject.cache_root.parent)
    with place.witness:
        yield place


def bucket_of(**tree: bytes) -> dict[str, Bait]:
    return {f"{MODEL}/{name}": Bait(data) for name, data in tree.items()}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def in_a_root(subject: Bench, name: str, store: HostileStore) -> Worker:
    """A fresh process with a cache root of its own, led to `store`."""
    root = subject.cache_root.parent / name
    root.mkdir(mode=0o700)
    return subject.worker(**{subject.cache_variable: str(root)}, **store.environment)


def pulled(worker: Worker, store: HostileStore) -> dict[str, bytes] | SubjectRaised:
    """The tree that a pull brings, or the error that it ends with."""
    try:
        return tree_of(worker.ask("pull_metadata", uri=store.uri(MODEL)))
    except SubjectRaised as error:
        return error


def in_words(answer: dict[str, bytes] | SubjectRaised) -> dict[str, bytes] | str:
    """For a comparison with the tree that has to come: an error differs from every tree."""
    return f"{answer.type}: {answer.message}" if isinstance(answer, SubjectRaised) else answer


@pytest.mark.quick
@requirement("SECURITY-004")
def test_keys_that_climb(check: Check, subject: Bench) -> None:
    outside = subject.cache_root.parent / "outside"
    outside.mkdir()
    victim = outside / "victim.json"
    victim.write_bytes(b"untouched")
    up = "../" * len(subject.cache_root.parts)
    keys = ["../escaped.json", "a/../../escaped.json", f"{up}..{outside}/escaped.json", f"a/{up}../{victim}"]
    keys += [".."]
    before = names_in(subject.cache_root.parent)
    with Witness(outside) as witness:
        for number, key in enumerate(keys):
            with HostileStore(bucket_of(**{"config.json": CONFIG, key: b"escaped"})) as store:
                worker = in_a_root(subject, f"root-{number}", store)
                why = f"the bucket holds the key {key!r}"
                error = error_of(check, worker, "pull_metadata", why=why, uri=store.uri(MODEL))
            assert_deliberate(check, error)
            assert_names(check, error, key)
            made = names_in(subject.cache_root.parent) - before
            strange = {name for name in made if not name.startswith(("root-", "home-"))}
            inside = everything_below(subject.cache_root.parent / f"root-{number}")
            escaped = sorted(strange | {path for path in inside if "escaped" in path})
            check.equal(expected=[], actual=escaped, what=f"paths that were made where {why}")
        assert_untouched(check, witness, victim, what="what was touched outside")


@requirement("SECURITY-005")
@pytest.mark.parametrize("key", ["/config.json", "./config.json", "a//b.json"])
def test_keys_that_mean_another_place(check: Check, subject: Bench, key: str, outside: Outside) -> None:
    right = {"config.json": CONFIG, "a/b.json": b"[1]"}
    with HostileStore(bucket_of(**right, **{key: b"not me"})) as store:
        answer = pulled(in_a_root(subject, "root", store), store)
    outside.assert_untouched(check)
    if isinstance(answer, SubjectRaised):
        assert_deliberate(check, answer)
        assert_names(check, answer, key)
        return
    # no path is spelt like this key, so that whatever arrived in its stead is something else
    check.true(False, what=f"a pull of the key {key!r}", expected="an error", actual=answer)


@requirement("SECURITY-006")
@pytest.mark.parametrize("name", ["a\\..\\b.json", "\x1b[2J\n.json"])
def test_backslashes_and_control_characters(
    check: Check, subject: Bench, name: str, outside: Outside
) -> None:
    tree = {"config.json": CONFIG, name: b"{}"}
    with HostileStore(bucket_of(**tree)) as store:
        answer = pulled(in_a_root(subject, "root", store), store)
    outside.assert_untouched(check)
    if isinstance(answer, SubjectRaised):
        assert_deliberate(check, answer)
        check.equal(
            expected=False, actual=name in answer.message, what="whether the error holds the raw name"
        )
        return
    check.equal(expected=tree, actual=answer, what="the tree that arrived")


@requirement("SECURITY-007")
@pytest.mark.parametrize(
    "name",
    ["権" * 90 + ".json", "n" * 300 + "/a.json", "n" * (LONGEST_NAME - 4) + ".json"],
    ids=["file", "folder", "by a byte"],
)
def test_names_that_are_too_long(check: Check, subject: Bench, name: str, outside: Outside) -> None:
    with HostileStore(bucket_of(**{"config.json": CONFIG, name: b"{}"})) as store:
        worker = in_a_root(subject, "root", store)
        error = error_of(check, worker, "pull_metadata", why="a name is too long", uri=store.uri(MODEL))
    assert_deliberate(check, error)
    assert_names(check, error, name[:40])
    outside.assert_untouched(check)


@requirement("SECURITY-007")
def test_a_path_that_is_too_long(check: Check, subject: Bench) -> None:
    key = "/".join(["n" * 200] * 4) + "/a.json"
    root = subject.cache_root.joinpath(
        *["deep" * 50] * 16
    )  # above 3,200 bytes; together it is beyond PATH_MAX
    root.mkdir(parents=True)
    with HostileStore(bucket_of(**{"config.json": CONFIG, key: b"{}"})) as store:
        worker = subject.worker(**{subject.cache_variable: str(root)}, **store.environment)
        error = error_of(check, worker, "pull_metadata", why="a path is too long", uri=store.uri(MODEL))
    assert_deliberate(check, error)


@requirement("SECURITY-007")
def test_the_longest_name(check: Check, subject: Bench) -> None:
    tree = {"config.json": CONFIG, "n" * (LONGEST_NAME - 5) + ".json": b"{}"}
    with HostileStore(bucket_of(**tree)) as store:
        answer = pulled(in_a_root(subject, "root", store), store)
    check.equal(expected=tree, actual=in_words(answer), what="the tree that arrived")


@requirement("SECURITY-008")
@pytest.mark.parametrize("names", [("a", "a/b.json"), ("config.json/x",)])
def test_a_file_and_a_folder_at_once(
    check: Check, subject: Bench, names: tuple[str, ...], outside: Outside
) -> None:
    with HostileStore(bucket_of(**{"config.json": CONFIG, **dict.fromkeys(names, b"{}")})) as store:
        worker = in_a_root(subject, "root", store)
        why = f"the bucket holds config.json and {names}"
        error = error_of(check, worker, "pull_metadata", why=why, uri=store.uri(MODEL))
    assert_deliberate(check, error)
    in_the_way = rf"/{re.escape(names[-1].partition('/')[0])}(?![\w./])"
    named = names[-1] in error.message or bool(re.search(in_the_way, error.message))
    expected = f"a text that names {names[-1]!r}, or what lies in its way"
    check.true(named, what="the error's message", expected=expected, actual=error.message)
    outside.assert_untouched(check)


@requirement("SECURITY-008")
def test_folders_called_like_what_stays(check: Check, subject: Bench) -> None:
    tree = {"config.json": CONFIG, "a.safetensors/config.json": b"[1]", "b/c.safetensors/d/e.json": b"[2]"}
    stays = dict.fromkeys(("a.safetensors", "b/c.safetensors", "config.json/d.safetensors"), b"heavy")
    with HostileStore(bucket_of(**tree, **stays)) as store:
        answer = pulled(in_a_root(subject, "root", store), store)
    check.equal(expected=tree, actual=in_words(answer), what="the tree that arrived")


@requirement("SECURITY-009")
def test_folder_markers(check: Check, subject: Bench) -> None:
    tree = {"config.json": CONFIG, "1_Pooling/config.json": b"{}"}
    markers = {"": b"", "1_Pooling/": b"", "empty/": b"", "empty/nested/": b"", "model.safetensors/": b""}
    with HostileStore(bucket_of(**tree, **markers)) as store:
        worker = in_a_root(subject, "root", store)
        answer = pulled(worker, store)
        listed = worker.ask("list_weights", uri=store.uri(MODEL))
    check.equal(expected=tree, actual=in_words(answer), what="the tree that arrived")
    check.equal(expected=[], actual=listed, what="the weights that were listed")


@requirement("SECURITY-010")
@pytest.mark.parametrize(
    "key", ["z/../../z.json", "config.json/z", "a/b/z/z.json"], ids=["climbs", "both", "both, deeper"]
)
def test_no_half_folder(check: Check, subject: Bench, key: str, outside: Outside) -> None:
    tree = {"config.json": CONFIG, "tokenizer.json": b"{}", "a/b": b"{}", key: b"{}"}
    with HostileStore(bucket_of(**tree)) as store:
        worker = in_a_root(subject, "root", store)
        why = f"the bucket holds {key!r}"
        error = error_of(check, worker, "pull_metadata", why=why, uri=store.uri(MODEL))
        assert_names(check, error, key)
        root = subject.cache_root.parent / "root"
        # who reads of a folder on this machine looks for the fault there
        told = str(root) not in error.message
        what = "the error's message"
        check.true(told, what=what, expected="no path on this machine", actual=error.message)
    left = [Path(here, name) for here, _, names in os.walk(root) for name in names]
    check.equal(
        expected=[],
        actual=sorted(path.name for path in left if path.name in ("config.json", "tokenizer.json", "z.json")),
        what="files of the model after the refusal",
    )
    outside.assert_untouched(check)


@requirement("SECURITY-011")
def test_keys_of_another_model(check: Check, subject: Bench, outside: Outside) -> None:
    # as long as the model's own prefix, so that cutting it off by its length leaves a good name
    stray = "x" * len(f"{MODEL}/")
    objects = bucket_of(**{"config.json": CONFIG}) | {f"{stray}stray.json": Bait(b"{}")}
    with HostileStore(objects, strays=(f"{stray}stray.json",)) as store:
        worker = in_a_root(subject, "root", store)
        error = error_of(
            check, worker, "pull_metadata", why="the listing names another model's key", uri=store.uri(MODEL)
        )
        assert_deliberate(check, error)
        assert_names(check, error, f"{stray}stray.json")
        stray_reads = [key for key in store.asked.reads if "stray" in key]
        check.equal(expected=[], actual=stray_reads, what="another model's objects that were read")
    outside.assert_untouched(check)
