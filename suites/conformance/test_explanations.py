"""LOAD, last part: what the text of an error says. Every other check holds a loader to it, too.

See `fixtures.subjects.explanation`: the bench asks it of each error of a loader that claims `explanations`.
"""

from __future__ import annotations

import pytest

from fixtures.checkpoints import single_file
from fixtures.hostile_store import Bait, HostileStore
from fixtures.stores import Place
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_kind, assert_names, error_of

WHOLE = "model.safetensors"
#: what is the matter -> (name, content) of a second file beside a good one; None: it is not there
TROUBLES: dict[str, tuple[str, bytes | None]] = {
    "absent": ("absent.safetensors", None),
    "empty": ("empty.safetensors", b""),
    "header is no JSON": ("no-json.safetensors", (4).to_bytes(8, "little") + b"Zm9v"),
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


@requirement("LOAD-057")
@pytest.mark.parametrize("trouble", [*TROUBLES, "empty, and the store doesn't say so", "body is cut"])
def test_kinds_of_files(check: Check, subject: Bench, seed: int, trouble: str) -> None:
    whole = single_file(seed).files[WHOLE]
    cut = trouble == "body is cut"
    name, content = ("cut.safetensors", whole) if cut else TROUBLES[trouble.partition(",")[0]]
    objects = {WHOLE: Bait(whole)}
    if content is not None:
        unstated = "reason" if "say" in trouble else ""
        objects[name] = Bait(content, brings=5 if cut else None, unstated=unstated)
    with HostileStore(objects) as store, subject.worker(**store.environment) as worker:
        files = [store.uri(WHOLE), store.uri(name)]
        why = f"one file's {trouble}" if cut else f"one file is {trouble}"
        error = error_of(check, worker, "tensors", why=why, files=files, settings={})
    kind = {"absent": "missing", "body is cut": "cut"}.get(trouble, "corrupt")
    assert_kind(check, subject, error, kind, where=why)
