"""LIST, second part: generated folders with neighbours that look alike, and listings of several pages."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.stores import Place, Store
from reports.marks import Check, requirement
from suites.conformance.bench import Bench

SUFFIX = ".safetensors"
STEMS = (
    "model",
    "model-00001-of-00002",
    "a b",
    "a+b",
    "a%20b",
    "a#b?",
    "größe",
    "权重🧪",
    "[1]",
    "a*",
    "a..",
)
#: how a weight file's name is changed into another one's
NO_SHARDS = ("{}.SAFETENSORS", "{}.safetensors.index.json", "{}.safetensors.bak", "{}-safetensors", "{}.bin")
#: what makes another model's address of this one's, which begins alike
BESIDE = ("-instruct", "2", ".bak", " copy", ".safetensors", "%2F", "_/model")
FOLDERS = ("original", "a/b", "model", "[1]", "größe")

# a leading dot hides a file from some loaders on a disk and not in a bucket: not asked here
stems = st.one_of(
    st.sampled_from(STEMS), st.text("ab0-_.é", min_size=1, max_size=6).filter(lambda stem: stem[0] != ".")
)
shards = stems.map(lambda stem: f"{stem}{SUFFIX}")


@dataclass(frozen=True)
class Tree:
    """Names of the weight files that a model has, and of what may be taken for one."""

    weights: frozenset[str]
    others: frozenset[str]
    beside: frozenset[str]
    """Each is appended to the model's address."""


trees = st.builds(
    Tree,
    weights=st.frozensets(shards, max_size=5),
    others=st.frozensets(
        st.one_of(
            st.builds(str.format, st.sampled_from(NO_SHARDS), stems),
            st.builds("{}/{}".format, st.sampled_from(FOLDERS), shards),
        ),
        max_size=5,
    ),
    beside=st.frozensets(st.builds("{}/{}".format, st.sampled_from(BESIDE), shards), max_size=4),
)


@requirement("LIST-010")
def test_any_folder(
    check: Check, subject: Bench, store: Store, place: Place, examples: Callable[[int, int], int]
) -> None:
    numbers = itertools.count()

    @settings(max_examples=examples(10, 250))
    @given(trees)
    def listed(tree: Tree) -> None:
        model = store.place(f"{place.prefix}/{next(numbers)}/model")
        # without a file of its own an empty model would be no model at all
        put(store, model.prefix, "/", tree.weights | tree.others | {"config.json"})
        put(store, model.prefix, "", tree.beside)
        expected = sorted(f"{model.uri}/{name}" for name in tree.weights)
        answer = sorted(subject.ask("list_weights", uri=model.uri))
        check.equal(expected=expected, actual=answer, what=f"list_weights({model.uri!r})")

    listed()


def put(store: Store, prefix: str, separator: str, names: frozenset[str]) -> None:
    store.place("").put_all({f"{prefix}{separator}{name}": b"x" for name in sorted(names)})


@requirement("LIST-011")
@pytest.mark.long
def test_several_pages(check: Check, subject: Bench, store: Store, place: Place) -> None:
    # each page ends among weight files; the last one holds some, too
    weights = [f"model-{number:05d}{SUFFIX}" for number in range(1300)]
    others = [f"{name}.bak" for name in weights[::2]] + [f"a-{number:03d}.txt" for number in range(300)]
    others += [f"model-{number:05d}/{weights[0]}" for number in range(0, 1000, 4)]
    put(store, place.prefix, "/", frozenset(weights + others))
    put(store, place.prefix, "", frozenset(f"{more}/{weights[0]}" for more in BESIDE))
    answer = sorted(subject.ask("list_weights", uri=place.uri))
    check.equal(expected=[f"{place.uri}/{name}" for name in weights], actual=answer, what="the weight files")
