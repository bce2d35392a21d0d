"""LOAD, second part: the module that is filled, and what a load must leave as it was."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build, dtype_names, sharded
from fixtures.stores import Place
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.tensors import assert_same_tensors

Spec = dict[str, list[Any]]
UNTOUCHED = b"\xa5"


def spec_of(checkpoint: Checkpoint, **traits: Any) -> Spec:
    """A module that fits, every tensor a parameter with `traits`."""
    names = dtype_names()
    return {
        name: [names[tensor.dtype], list(tensor.shape), {"parameter": True, **traits}]
        for name, tensor in checkpoint.expected.items()
    }


def one_file(seed: int, *tensors: TensorSpec) -> Checkpoint:
    return build([ShardSpec("model.safetensors", tensors)], seed=seed)


def filled(subject: Bench, uri: str, spec: Spec) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answer of a load into a module, and what the module says of itself afterwards."""
    answer = subject.ask("load_module", uri=uri, spec=spec, settings={})
    return answer, answer["stats"]["module"]


def refused(check: Check, subject: Bench, place: Place, spec: Spec, *words: str, why: str) -> None:
    __tracebackhide__ = True
    error = error_of(check, subject.shared, "load_module", why=why, uri=place.uri, spec=spec, settings={})
    assert_names(check, error, place.uri, *words)


@requirement("LOAD-012")
def test_what_a_module_misses(check: Check, subject: Bench, place: Place, seed: int) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    shard = "model-00003-of-00004.safetensors"
    place.delete(shard)
    refused(check, subject, place, spec_of(checkpoint), shard, why="a shard is missing")
    # without an index nothing but the module knows what should be there
    place.delete("model.safetensors.index.json")
    refused(check, subject, place, spec_of(checkpoint), "layers.", "weight", why="nobody names the shard")


#: of the file and of the module; most of these would be reshaped or broadcast by a plain copy
OTHER_SHAPES = [((6, 4), (4, 6)), ((1,), (24,)), ((4,), (6, 4)), ((24,), (24, 1)), ((), (3,)), ((8,), (4,))]
OTHER_TYPES = [("F32", "bfloat16"), ("F8_E4M3", "bfloat16"), ("BF16", "float16"), ("U8", "int8")]


@requirement("LOAD-013")
def test_another_shape(check: Check, subject: Bench, place: Place, seed: int) -> None:
    for stored, wanted in OTHER_SHAPES:
        tensors = (TensorSpec("a.weight", "F32", (2,)), TensorSpec("b.bias", "F32", stored))
        place.put_all(one_file(seed, *tensors).files)
        spec: Spec = {"a.weight": ["float32", [2]], "b.bias": ["float32", list(wanted)]}
        words = ("b.bias", str(list(stored)), str(list(wanted)))
        refused(check, subject, place, spec, *words, why=f"the shape is {stored}, not {wanted}")


@requirement("LOAD-014")
def test_another_type(check: Check, subject: Bench, place: Place, seed: int) -> None:
    for stored, wanted in OTHER_TYPES:
        tensors = (TensorSpec("a.weight", "F32", (2,)), TensorSpec("b.weight", stored, (4, 4)))
        place.put_all(one_file(seed, *tensors).files)
        spec: Spec = {"a.weight": ["float32", [2]], "b.weight": [wanted, [4, 4]]}
        words = ("b.weight", dtype_names()[stored], wanted)
        refused(check, subject, place, spec, *words, why=f"the type is {stored}, not {wanted}")
    checkpoint = sharded(seed)  # with an index, which is no reason not to say which model it is
    place.put_all(checkpoint.files)
    spec = spec_of(checkpoint)
    name = max(spec)
    spec[name][0] = "float64"
    refused(check, subject, place, spec, name, "float64", why="one of several files has another type")


def tied_spec() -> Spec:
    embedding: list[Any] = ["bfloat16", [16, 8], {"parameter": True}]
    return {
        "embed.weight": embedding,
        "norm.weight": ["float32", [8], {"gradient": True}],
        "lm_head.weight": ["bfloat16", [16, 8], {"tied": "embed.weight"}],
    }


NORM = TensorSpec("norm.weight", "F32", (8,))


@requirement("LOAD-015")
@pytest.mark.parametrize("stored", ["embed.weight", "lm_head.weight"])
@pytest.mark.parametrize("meta", [False, True], ids=["memory", "meta"])
def test_tied_parameters(
    check: Check, subject: Bench, place: Place, seed: int, stored: str, meta: bool
) -> None:
    checkpoint = one_file(seed, TensorSpec(stored, "BF16", (16, 8)), NORM)
    place.put_all(checkpoint.files)
    spec = tied_spec()
    for entry in spec.values():
        entry[2]["meta"] = meta
    answer, facts = filled(subject, place.uri, spec)
    both = dict.fromkeys(("embed.weight", "lm_head.weight"), checkpoint.expected[stored])
    expected = both | {"norm.weight": checkpoint.expected["norm.weight"]}
    assert_same_tensors(check, subject.shared, expected=expected, actual=answer)
    check.equal(expected=[["embed.weight", "lm_head.weight"]], actual=facts["tied"], what="tied parameters")


@pytest.mark.quick
@requirement("LOAD-016")
def test_tied_in_the_module_only(check: Check, subject: Bench, place: Place, seed: int) -> None:
    # equal bytes under both names are no contradiction: some tools write them
    alike = [TensorSpec(name, "BF16", (16, 8), "zero") for name in ("embed.weight", "lm_head.weight")]
    checkpoint = one_file(seed, *alike, NORM)
    place.put_all(checkpoint.files)
    answer, _ = filled(subject, place.uri, tied_spec())
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
    different = [TensorSpec(name, "BF16", (16, 8)) for name in ("embed.weight", "lm_head.weight")]
    place.put_all(one_file(seed, *different, NORM).files)
    names = ("embed.weight", "lm_head.weight")
    refused(check, subject, place, tied_spec(), *names, why="the tied tensors differ")


@requirement("LOAD-017")
@pytest.mark.parametrize("meta", [False, True], ids=["memory", "meta"])
def test_buffers_of_no_checkpoint(check: Check, subject: Bench, place: Place, seed: int, meta: bool) -> None:
    checkpoint = one_file(seed, TensorSpec("attn.weight", "BF16", (8, 8)))
    place.put_all(checkpoint.files)
    spec = spec_of(checkpoint, meta=meta)
    spec["rotary.inv_freq"] = ["float32", [6], {"persistent": False}]
    answer, _ = filled(subject, place.uri, spec)
    digests = {tensor["name"]: tensor["sha256"] for tensor in answer["tensors"]}
    kept = hashlib.sha256(UNTOUCHED * 24).hexdigest()
    right = {"attn.weight": checkpoint.expected["attn.weight"].sha256, "rotary.inv_freq": kept}
    check.equal(expected=right, actual=digests, what="digests of the parameter and of the buffer")
    spec["rotary.inv_freq"][2]["meta"] = True
    refused(check, subject, place, spec, "rotary.inv_freq", why="nobody has the buffer's values")


@requirement("LOAD-018")
@pytest.mark.parametrize("meta", [False, True], ids=["memory", "meta"])
def test_parameters_stay_parameters(
    check: Check, subject: Bench, place: Place, seed: int, meta: bool
) -> None:
    checkpoint = sharded(seed)
    place.put_all(checkpoint.files)
    spec = spec_of(checkpoint, meta=meta)
    trained, fixed, *_ = sorted(spec)
    spec[trained][2]["gradient"] = True
    del spec[fixed][2]["parameter"]
    answer, facts = filled(subject, place.uri, spec)
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
    check.equal(expected={"cpu"}, actual={t["device"] for t in answer["tensors"]}, what="devices")
    # `replaced` counts what had memory: an optimizer or a compiled graph holds on to those objects
    right = {"parameters": sorted(set(spec) - {fixed}), "gradients": [trained], "tied": [], "replaced": []}
    check.equal(expected=right, actual={key: facts[key] for key in right}, what="the module after the load")


@requirement("LOAD-019")
def test_any_layout_in_memory(check: Check, subject: Bench, place: Place, seed: int) -> None:
    shapes = {"plain": (5, 7), "transposed": (5, 7), "columns": (5, 7), "scalar": (), "empty": (0, 7)}
    specs = [
        TensorSpec(f"{name}.{d}", d, shape) for name, shape in shapes.items() for d in ("BF16", "F8_E5M2")
    ]
    checkpoint = one_file(seed, *specs)
    place.put_all(checkpoint.files)
    spec = spec_of(checkpoint)
    for name, entry in spec.items():
        entry[2]["layout"] = name.partition(".")[0]
    answer, facts = filled(subject, place.uri, spec)
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
    right = {"replaced": [], "surroundings": True}
    check.equal(expected=right, actual={key: facts[key] for key in right}, what="what lies around them")


@requirement("LOAD-019")
@pytest.mark.parametrize("layout", ["transposed", "expanded"])
def test_layouts_without_memory(check: Check, subject: Bench, place: Place, seed: int, layout: str) -> None:
    checkpoint = one_file(seed, *(TensorSpec(f"a.{d}", d, (5, 7)) for d in ("BF16", "F8_E5M2")))
    place.put_all(checkpoint.files)
    spec = spec_of(checkpoint, meta=True)
    for entry in spec.values():
        entry[2]["layout"] = layout
    answer, _ = filled(subject, place.uri, spec)
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)


@requirement("LOAD-054")
@pytest.mark.parametrize("meta", [False, True], ids=["memory", "meta"])
def test_parameters_of_a_class_of_their_own(
    check: Check, subject: Bench, place: Place, seed: int, meta: bool
) -> None:
    checkpoint = sharded(seed, 1)
    place.put_all(checkpoint.files)
    spec = spec_of(checkpoint, meta=meta)
    for name, entry in spec.items():
        entry[2]["mark"] = f"how {name} is loaded"
    answer, facts = filled(subject, place.uri, spec)
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
    marks = {name: f"how {name} is loaded" for name in sorted(spec)}
    check.equal(expected=marks, actual=facts["marks"], what="parameters of that class, and their attribute")
