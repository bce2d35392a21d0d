"""LOAD, last part: what the text of an error says. Every other check holds a loader to it, too.

See `fixtures.subjects.explanation`: the bench asks it of each error of a loader that claims `explanations`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.checkpoints import single_file
from fixtures.hostile_store import Bait, HostileStore
from fixtures.raw_files import DATA, RawFile
from fixtures.stores import Place, Store
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_kind, assert_names, error_of

WHOLE = "model.safetensors"
#: what is the matter -> (name, content) of a second file beside a good one; None: it is not there
TROUBLES: dict[str, tuple[str, bytes | None]] = {
    "absent": ("absent.safetensors", None),
    "empty": ("empty.safetensors", b""),
    "header is no JSON": ("no-json.safetensors", (4).to_bytes(8, "little") + b"Zm9v"),
    "header describes no tensor": ("odd-entry.safetensors", (10).to_bytes(8, "little") + b'{"odd": 1}'),
    "header is longer than the file": ("short.safetensors", (1 << 20).to_bytes(8, "little") + b"{}"),
}


@requirement("LOAD-055")
@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_an_error_is_about(check: Check, subject: Bench, place: Place, seed: int, trouble: str) -> None:
    place.put(WHOLE, single_file(seed).files[WHOLE])
    name, content = TROUBLES[trouble]
    if content is not None:
        place.put(name, content)
    files = [f"{place.uri}/{WHOLE}", f"{place.uri}/{name}"]
    error = error_of(check, subject.shared, "tensors", why=f"one file is {trouble}", files=files, settings={})
    assert_names(check, error, name)


#: what is the matter with a path -> what it is, below the model's folder
PATHS = {"a name of 300 letters": "x" * 300, "a link to itself": "loop", "a folder": "folder"}


@requirement("LOAD-055")
@pytest.mark.parametrize("trouble", PATHS)
def test_a_path_that_leads_nowhere(
    check: Check, subject: Bench, place: Place, store: Store, trouble: str
) -> None:
    place.put(f"folder.safetensors/{WHOLE}", b"x")
    name = f"{PATHS[trouble]}.safetensors"
    if not store.is_object_store:
        Path(place.uri, "loop.safetensors").symlink_to("loop.safetensors")
    files = [f"{place.uri}/{name}"]
    error = error_of(check, subject.shared, "tensors", why=f"it is {trouble}", files=files, settings={})
    assert_names(check, error, name)


@requirement("LOAD-056")
@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_error_in_another_process(
    check: Check, subject: Bench, place: Place, seed: int, trouble: str
) -> None:
    name, content = TROUBLES[trouble]
    if content is not None:
        place.put(name, content)
    files = [f"{place.uri}/{name}"]
    error = error_of(check, subject.shared, "tensors", why=f"a file is {trouble}", files=files, settings={})
    check.equal(expected=f"{error.type}: {error.message}", actual=error.pickled, what="the pickled error")


#: what is the matter -> (what the store has of the file, what an error may call it)
FILES: dict[str, tuple[Bait | None, set[str]]] = {
    "absent": (None, {"missing"}),
    # S3 refuses every range of an object without bytes: https://www.rfc-editor.org/rfc/rfc9110#status.416
    "empty": (Bait(b""), {"corrupt", "cut"}),
    "empty, and refused without a reason": (Bait(b"", unstated="reason"), {"corrupt", "cut"}),
    "no safetensors": (Bait((4).to_bytes(8, "little") + b"Zm9v"), {"corrupt"}),
    # nobody can tell whether its end was lost or its beginning is wrong
    "shorter than its header": (Bait((1 << 20).to_bytes(8, "little") + b"{}"), {"corrupt", "cut"}),
    "cut on its way": (Bait(bytes(600), brings=5), {"cut"}),
    "cut on its way, without a length": (
        Bait(bytes(600), brings=5, unstated="length"),
        {"cut", "corrupt", ""},
    ),
    "broken off on its way": (Bait(bytes(600), breaks=5), {"cut"}),
}


@requirement("LOAD-057")
@pytest.mark.parametrize("trouble", FILES)
def test_kinds_of_files(check: Check, subject: Bench, seed: int, trouble: str) -> None:
    bait, right = FILES[trouble]
    objects = {WHOLE: Bait(single_file(seed).files[WHOLE])} | ({"odd.safetensors": bait} if bait else {})
    with HostileStore(objects) as store, subject.worker(**store.environment) as worker:
        files = [store.uri(WHOLE), store.uri("odd.safetensors")]
        why = f"one file is {trouble}"
        error = error_of(check, worker, "tensors", why=why, files=files, settings={})
    assert_kind(check, subject, error, right, where=why)


@requirement("LOAD-060")
def test_the_kind_of_a_missing_folder(check: Check, subject: Bench, place: Place, store: Store) -> None:
    # the last two are no names of a repository, either
    names = [f"{place.uri}/absent", *([] if store.is_object_store else ["no..where", "größe"])]
    for uri in names:
        why = f"there is no folder {uri}"
        error = error_of(check, subject.shared, "model_tensors", why=why, uri=uri, settings={})
        assert_kind(check, subject, error, {"missing"}, where=why)


#: what is wrong -> a header, and what an error must call it by
NAMED: dict[str, tuple[dict[str, object] | str, str]] = {
    "an entry is a number": ({"layers.7": 1}, "layers.7"),
    "an entry has no shape": ({"layers.7": {"dtype": "U8", "data_offsets": [0, 4]}}, "layers.7"),
    "a type is made up": ({"layers.7": {"dtype": "U9", "shape": [4], "data_offsets": [0, 4]}}, "layers.7"),
    "a shape is none": ({"layers.7": {"dtype": "U8", "shape": 4, "data_offsets": [0, 4]}}, "layers.7"),
    "a shape has other bytes": (
        {"layers.7": {"dtype": "U8", "shape": [5], "data_offsets": [0, 4]}},
        "layers.7",
    ),
    "torch has no such type": (
        {
            "layers.7": {"dtype": "F6_E2M3", "shape": [4], "data_offsets": [0, 3]},
            "layers.8": {"dtype": "U8", "shape": [1], "data_offsets": [3, 4]},
        },
        "layers.7",
    ),
    "there is a hole": ({"layers.7": {"dtype": "U8", "shape": [3], "data_offsets": [1, 4]}}, "layers.7"),
    "a name comes twice": ('{"layers.6": 1, "layers.7": 2, "layers.7": 3}', "layers.7"),
    "notes are a list": ({"__metadata__": ["layers.7"]}, "metadata"),
}


@requirement("LOAD-059")
@pytest.mark.parametrize("wrong", NAMED)
def test_an_error_about_a_tensor(check: Check, subject: Bench, place: Place, wrong: str) -> None:
    header, name = NAMED[wrong]
    data = b"" if "__metadata__" in header else DATA
    text = header if isinstance(header, str) else json.dumps(header)
    place.put(WHOLE, RawFile(text.encode(), data).content)
    files = [f"{place.uri}/{WHOLE}"]
    try:
        answer = subject.ask("tensors", files=files, settings={})
    except SubjectRaised as error:
        assert_names(check, error, WHOLE, name)
    else:  # what a loader must refuse, other requirements say
        names = [tensor["name"] for tensor in answer["tensors"]]
        check.true(name in names, what=f"a load where {wrong}", expected=f"an error, or {name}", actual=names)
