"""LIST: which weight files a model has."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.stores import Place, Store
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_kind, assert_names, error_of
from suites.conformance.folders import tree_of

SHARDS = [f"model-{number:05d}-of-00003.safetensors" for number in (1, 2, 3)]
OTHERS = ["config.json", "model.safetensors.index.json", "README.md", "pytorch_model.bin", "safetensors"]
OTHERS += ["original/consolidated.safetensors", "model.safetensors.bak"]
ODD_NAMES = ["a b", "a+b", "a%20b", "a#b", "a?b", "größe", "权重", "[1]", "a*b", "a&b=c"]
#: among a thousand heavy files; by their names, one is on the first page of a listing and one on the second
CROWDED_METADATA = {"config.json": b'{"model_type": "made-up"}', "tokenizer.json": b"[]"}
PAGE_OF_SHARDS = [f"model-{number:05d}.safetensors" for number in range(60)]


@pytest.fixture(scope="module")
def crowds() -> dict[str, Place]:
    """By store: a thousand objects take seconds to put there, and no check changes them."""
    return {}


@pytest.fixture
def crowded(store: Store, crowds: dict[str, Place]) -> Place:
    """More objects at one place than a listing has on one page."""
    if store.name not in crowds:
        place = store.place("more-than-one-page/model")
        fill(place, *(f"a-{number:04d}.bin" for number in range(970)), *PAGE_OF_SHARDS)
        place.put_all(CROWDED_METADATA)
        crowds[store.name] = place
    return crowds[store.name]


def fill(place: Place, *names: str) -> None:
    place.put_all(dict.fromkeys(names, b"x"))


def assert_lists(
    check: Check, subject: Bench, uri: str, *, expected: list[str], ordered: bool = False
) -> None:
    __tracebackhide__ = True
    listed = subject.ask("list_weights", uri=uri)
    check.equal(
        expected=expected, actual=listed if ordered else sorted(listed), what=f"list_weights({uri!r})"
    )


@pytest.mark.quick
@requirement("LIST-001")
def test_exactly_the_weight_files(check: Check, subject: Bench, place: Place) -> None:
    fill(place, *SHARDS, *OTHERS)
    assert_lists(check, subject, place.uri, expected=[f"{place.uri}/{shard}" for shard in SHARDS])


@requirement("LIST-046")
def test_a_place_that_is_not_there(check: Check, subject: Bench, place: Place, store: Store) -> None:
    place.put("model.safetensors", b"x")
    why = "nothing lies there"
    places = {"absent": (f"{place.uri}/absent", {"missing"})}
    if store.is_object_store:
        # no bucket can have this name: whoever asks a store is told that it is no name
        places["no*bucket"] = ("s3://no*bucket/model", {"missing", ""})
    for name, (uri, right) in places.items():
        error = error_of(check, subject.shared, "list_weights", why=why, uri=uri)
        assert_names(check, error, name)
        assert_kind(check, subject, error, right, where=why)
    if not store.is_object_store:
        Path(place.uri, "empty").mkdir()
        listed = subject.ask("list_weights", uri=f"{place.uri}/empty")
        check.equal(expected=[], actual=listed, what="the files in an empty folder")


@requirement("LIST-002")
def test_neighbours_that_begin_alike(check: Check, subject: Bench, place: Place, store: Store) -> None:
    fill(place, SHARDS[0])
    for neighbour in ("-instruct", "2", ".bak", " copy"):
        store.place(place.prefix + neighbour).put("neighbour.safetensors", b"x")
    assert_lists(check, subject, place.uri, expected=[f"{place.uri}/{SHARDS[0]}"])


@requirement("LIST-003")
def test_more_than_one_page(check: Check, subject: Bench, crowded: Place) -> None:
    # the page limit falls among the heavy files before the shards as well as among the shards
    assert_lists(check, subject, crowded.uri, expected=[f"{crowded.uri}/{shard}" for shard in PAGE_OF_SHARDS])


@requirement("META-033")
def test_a_pull_of_more_than_one_page(check: Check, subject: Bench, crowded: Place) -> None:
    pulled = tree_of(subject.ask("pull_metadata", uri=crowded.uri))
    check.equal(expected=CROWDED_METADATA, actual=pulled, what="the pulled tree")


@requirement("LIST-004")
def test_sorted(check: Check, subject: Bench, place: Place) -> None:
    names = ["b.safetensors", "a.safetensors", "B.safetensors", "model-10.safetensors", "model-9.safetensors"]
    names += [f"{letter}{number}.safetensors" for letter in "zyx" for number in (3, 1, 2)]
    fill(place, *names)
    assert_lists(
        check, subject, place.uri, expected=[f"{place.uri}/{n}" for n in sorted(names)], ordered=True
    )


@requirement("LIST-005")
def test_trailing_slashes(check: Check, subject: Bench, place: Place) -> None:
    fill(place, *SHARDS)
    for slashes in ("/", "//"):
        listed = subject.ask("list_weights", uri=place.uri + slashes)
        tails = sorted(address.rpartition("/")[2] for address in listed)
        check.equal(expected=SHARDS, actual=tails, what=f"files listed for {place.uri + slashes!r}")


@requirement("LIST-006")
def test_upper_case_scheme(check: Check, subject: Bench, place: Place) -> None:
    fill(place, *SHARDS)
    listed = subject.ask("list_weights", uri="S3" + place.uri.removeprefix("s3"))
    tails = sorted(address.rpartition("/")[2] for address in listed)
    check.equal(expected=SHARDS, actual=tails, what="files listed for the upper-case scheme")


@requirement("LIST-007")
def test_unusual_names(check: Check, subject: Bench, place: Place, store: Store) -> None:
    for number, name in enumerate(ODD_NAMES):
        folder = store.place(f"{place.prefix}/{number}/{name}")
        folder.put(f"{name}.safetensors", b"x")
        assert_lists(check, subject, folder.uri, expected=[f"{folder.uri}/{name}.safetensors"])


@requirement("LIST-008")
def test_glob_characters_in_a_folder(check: Check, subject: Bench, place: Place, store: Store) -> None:
    for name in ("[1]", "a*b", "what?", "[!x]", "a b"):
        folder = store.place(f"{place.prefix}/{name}")
        folder.put(SHARDS[0], b"x")
        assert_lists(check, subject, folder.uri, expected=[f"{folder.uri}/{SHARDS[0]}"])


@requirement("LIST-009")
def test_bucket_that_does_not_exist(check: Check, subject: Bench) -> None:
    error = error_of(
        check,
        subject.shared,
        "list_weights",
        why="the bucket does not exist",
        uri="s3://no-such-bucket/model",
    )
    assert_names(check, error, "no-such-bucket")


@requirement("LIST-020")
def test_unfinished_and_derived_files(check: Check, subject: Bench, place: Place) -> None:
    # what rsync, browsers, the AWS client and huggingface_hub leave behind, and what people make of a file
    leftovers = [".model.safetensors.a1B2c3", "model.safetensors.part", "model.safetensors.6eBc04Ae"]
    leftovers += ["model.safetensors.incomplete", "model.safetensors.tmp", "model.safetensors~"]
    leftovers += ["model.safetensors.sha256", "model.safetensors.gz", "modelsafetensors"]
    fill(place, SHARDS[0], *leftovers)
    assert_lists(check, subject, place.uri, expected=[f"{place.uri}/{SHARDS[0]}"])


@requirement("LIST-021")
def test_a_folder_with_the_suffix(check: Check, subject: Bench, place: Place, store: Store) -> None:
    fill(place, SHARDS[0], "old.safetensors/model.safetensors", "old.safetensors/config.json")
    if store.is_object_store:  # as the console of S3 makes a folder; a disk has just got one
        place.put_raw(f"{place.prefix}/empty.safetensors/", b"")
        place.put_raw(f"{place.prefix}/", b"")
    else:
        (Path(place.uri) / "empty.safetensors").mkdir()
    assert_lists(check, subject, place.uri, expected=[f"{place.uri}/{SHARDS[0]}"])


@requirement("LIST-022")
def test_an_object_named_like_the_folder(check: Check, subject: Bench, place: Place) -> None:
    fill(place, SHARDS[0])  # not in MinIO, where the object would hide the folder
    place.put_raw(place.prefix, b"x")
    place.put_raw(f"{place.prefix}.safetensors", b"x")
    assert_lists(check, subject, place.uri, expected=[f"{place.uri}/{SHARDS[0]}"])
