"""LOAD, second part: generated layouts of shards and index, each with the tensors that belong to it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.checkpoints import INDEX_FILE, Checkpoint, ShardSpec, TensorSpec, build
from fixtures.stores import Place, Store
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.tensors import assert_model

#: the usual names, names that don't sort like their numbers, one beside a folder of its name, odd ones
FILES = (
    "model.safetensors",
    "model-00001-of-00002.safetensors",
    "model-9.safetensors",
    "model-10.safetensors",
    "Model-2.safetensors",
    "a b+%20#?.safetensors",
    "größe.safetensors",
    "model/1.safetensors",
    "more/parts/model-00001-of-00002.safetensors",
)
#: what may lie beside them: an older split, a copy in another format, a part of its own
EXTRAS = (
    "consolidated.safetensors",
    "consolidated.00.safetensors",
    "model-00007-of-00007.safetensors",
    "mtp.safetensors",
    "original/model.safetensors",
)
Examples = Callable[[int, int], int]
TENSORS = tuple(
    TensorSpec(name, dtype, shape)
    for name, dtype, shape in (
        ("embed.weight", "BF16", (9, 4)),
        ("layers.0.weight", "F32", (3, 5)),
        ("layers.1.weight", "F32", (3, 5)),
        ("layers.10.weight", "F32", (3, 5)),
        ("scale", "F32", ()),
        ("empty", "F16", (0,)),
        ("odd", "U8", (3,)),
    )
)


@dataclass(frozen=True)
class Layout:
    """Which tensors lie in which file; `extras` hold other values under these names, beside the index."""

    shards: dict[str, tuple[TensorSpec, ...]]
    extras: tuple[str, ...] = ()

    def checkpoint(self, seed: int, *, index: bool = True) -> Checkpoint:
        counted = [ShardSpec(file, tensors) for file, tensors in self.shards.items()]
        stray = [ShardSpec(file, TENSORS[:3], indexed=False) for file in self.extras]
        return build([*counted, *stray], seed=seed, index=index)


@st.composite
def layouts(draw: st.DrawFn, files: tuple[str, ...] = FILES, empty: bool = False) -> Layout:
    """Every tensor in one of the files; with `empty`, a file may have none, otherwise it isn't there."""
    # sizes of their own: lists of a few elements are mostly drawn with one or two
    chosen = draw(st.permutations(files))[: draw(st.integers(1, 4))]
    tensors = draw(st.permutations(TENSORS))[: draw(st.integers(1, len(TENSORS)))]
    places = [draw(st.sampled_from(chosen)) for _ in tensors]
    shards = {
        file: tuple(tensor for tensor, place in zip(tensors, places, strict=True) if place == file)
        for file in chosen
    }
    kept = {file: held for file, held in shards.items() if held or empty}
    return Layout(
        kept, () if empty else draw(st.sets(st.sampled_from(EXTRAS), max_size=2).map(sorted).map(tuple))
    )


@requirement("LOAD-040")
def test_any_indexed_layout(
    check: Check, subject: Bench, store: Store, place: Place, seed: int, examples: Examples
) -> None:
    numbers = itertools.count()

    @settings(max_examples=examples(8, 200))
    @given(layouts())
    def loads(layout: Layout) -> None:
        assert_loads(check, subject, store.place(f"{place.prefix}/{next(numbers)}"), layout.checkpoint(seed))

    loads()


@requirement("LOAD-041")
def test_any_layout_without_an_index(
    check: Check, subject: Bench, store: Store, place: Place, seed: int, examples: Examples
) -> None:
    numbers = itertools.count()
    flat = tuple(file for file in FILES if "/" not in file)

    @settings(max_examples=examples(8, 150))
    @given(layouts(files=flat, empty=True))
    def loads(layout: Layout) -> None:
        checkpoint = layout.checkpoint(seed, index=False)
        assert_loads(check, subject, store.place(f"{place.prefix}/{next(numbers)}"), checkpoint)

    loads()


def assert_loads(check: Check, subject: Bench, model: Place, checkpoint: Checkpoint) -> None:
    __tracebackhide__ = True
    model.put_all(checkpoint.files)
    assert_model(check, subject, model.uri, checkpoint)


@requirement("LOAD-042")
def test_any_index_that_is_wrong(
    check: Check, subject: Bench, store: Store, place: Place, seed: int, examples: Examples
) -> None:
    numbers = itertools.count()

    @settings(max_examples=examples(8, 200))
    @given(layouts(), st.data())
    def refused(layout: Layout, data: st.DataObject) -> None:
        files = dict(layout.checkpoint(seed).files)
        index = json.loads(files[INDEX_FILE])
        tensor, file = data.draw(st.sampled_from(sorted(index["weight_map"].items())), "entry")
        wrong = data.draw(
            st.sampled_from(("a tensor too many", "a file too many", "a file is gone")), "wrong"
        )
        if wrong == "a tensor too many":
            index["weight_map"][f"{tensor}.x"], culprit = file, f"{tensor}.x"
        elif wrong == "a file too many":
            index["weight_map"]["y"], culprit = f"{file[:-12]}-x.safetensors", f"{file[:-12]}-x.safetensors"
        else:
            del files[file]
            culprit = file
        model = store.place(f"{place.prefix}/{next(numbers)}")
        model.put_all(files | {INDEX_FILE: json.dumps(index).encode()})
        error = error_of(
            check, subject.shared, "model_tensors", why=f"{wrong}: {culprit!r}", uri=model.uri, settings={}
        )
        assert_names(check, error, culprit)

    refused()
