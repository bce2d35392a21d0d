"""META, second part: models of common families, and what a pull asks the store for."""

from __future__ import annotations

import hashlib

import pytest

from fixtures.stores import Place
from fixtures.wire import Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.folders import tree_of
from suites.conformance.model_trees import FAMILIES, OTHER_WEIGHTS, Family

TREE = {"config.json": b'{"model_type": "made-up"}', "tokenizer.json": b"{}" * 20}
#: bytes; clients fetch objects of more than 8 MiB in several ranges
LARGE = (9 << 20) + 5


@requirement("META-020")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name.replace(" ", "-"))
def test_a_common_family(check: Check, subject: Bench, place: Place, family: Family) -> None:
    content = family.content()
    place.put_all(content | dict.fromkeys(family.heavy, b"heavy"))
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri), held=content)
    brought = {name: data for name, data in pulled.items() if name not in family.heavy}
    check.equal(expected=content, actual=brought, what="the pulled tree, weights left aside")


@requirement("META-021")
def test_a_large_tokenizer(check: Check, subject: Bench, place: Place, seed: int) -> None:
    block = hashlib.sha256(str(seed).encode()).digest()
    # every range differs from every other one
    content = b"".join(block + number.to_bytes(4, "big") for number in range(LARGE // 36 + 1))[:LARGE]
    place.put_all(TREE | {"tokenizer.json": content})
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri))
    right = {"config.json": len(TREE["config.json"]), "tokenizer.json": LARGE}
    sizes = {name: len(data) for name, data in pulled.items()}
    check.equal(expected=right, actual=sizes, what="sizes of the pulled files")
    check.equal(expected=content, actual=pulled["tokenizer.json"], what="the large tokenizer")


@requirement("META-022")
def test_weights_of_other_frameworks(check: Check, subject: Bench, place: Place) -> None:
    place.put_all(TREE | dict.fromkeys(OTHER_WEIGHTS, b"heavy"))
    pulled = tree_of(subject.ask("pull_metadata", uri=place.uri))
    check.equal(expected=TREE, actual=pulled, what="the pulled tree")


@requirement("META-023")
def test_no_byte_of_the_weights(check: Check, subject: Bench, place: Place, wire: Wire) -> None:
    weights = ("model-00001-of-00001.safetensors", "pytorch_model.bin", "original/consolidated.00.pth")
    place.put_all(TREE | dict.fromkeys(weights, b"heavy"))
    subject.ask("pull_metadata", uri=place.uri)
    read = {request.key.rpartition("model/")[2] for request in wire.requests if request.key}
    check.equal(expected=set(TREE), actual=read, what="objects that the store was asked for")
