"""START: from a user's arguments to a configuration, before any worker exists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.stores import Place, Store
from fixtures.wire import Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, assert_names_setting, error_of
from suites.conformance.folders import tree_of

TREE = {"config.json": b'{"model_type": "made-up"}', "tokenizer.json": b"{}"}
DRAFT_TREE = {"config.json": b'{"model_type": "draft"}', "tokenizer.json": b"[]"}
KEYS = {
    "distributed": st.booleans(),
    "concurrency": st.integers(1, 512),
    "memory_limit": st.integers(-1, 1 << 40),
}


@pytest.fixture
def model(place: Place) -> Place:
    place.put_all(TREE | {"model.safetensors": b"never read at the start"})
    return place


@pytest.fixture
def draft(store: Store, place: Place) -> Place:
    draft = store.place(f"{place.prefix}-draft")
    draft.put_all(DRAFT_TREE | {"model.safetensors": b"never read at the start"})
    return draft


def started(subject: Bench, **arguments: Any) -> dict[str, Any]:
    answer: dict[str, Any] = subject.ask("start", arguments=arguments)
    return answer


@pytest.mark.quick
@requirement("START-001")
def test_automatic_format(check: Check, subject: Bench, model: Place) -> None:
    answer = started(subject, model_path=model.uri)
    check.equal(expected="runai_streamer", actual=answer["load_format"], what="load format of a URI")
    folder = subject.cache_root.parent / "local-model"
    folder.mkdir()
    (folder / "config.json").write_bytes(TREE["config.json"])
    answer = started(subject, model_path=str(folder))
    check.equal(expected="auto", actual=answer["load_format"], what="load format of a local folder")
    check.equal(expected=str(folder), actual=answer["model_path"], what="model path of a local folder")


@requirement("START-002")
def test_explicit_format(check: Check, subject: Bench, model: Place) -> None:
    for load_format in ("dummy", "runai_streamer"):
        answer = started(subject, model_path=model.uri, load_format=load_format)
        check.equal(expected=load_format, actual=answer["load_format"], what="load format of a URI")


@requirement("START-003")
def test_impossible_pair(check: Check, subject: Bench, model: Place) -> None:
    arguments = {"model_path": model.uri, "load_format": "safetensors"}
    error = error_of(check, subject.shared, "start", why="safetensors can't read a URI", arguments=arguments)
    assert_names(check, error, model.uri)
    for word in ("load_format", "safetensors"):
        assert_names_setting(check, error, word)


@pytest.mark.quick
@requirement("START-004")
def test_who_gets_what(check: Check, subject: Bench, model: Place) -> None:
    answer = started(subject, model_path=model.uri)
    for consumer in ("model_path", "tokenizer_path"):
        check.equal(expected=TREE, actual=tree_of(answer[consumer]), what=f"the tree at {consumer}")
    check.equal(expected=model.uri, actual=answer["model_weights"], what="where the weights are")


@requirement("START-005")
def test_draft_model(check: Check, subject: Bench, model: Place, draft: Place) -> None:
    answer = started(subject, model_path=model.uri, speculative_draft_model_path=draft.uri)
    path = answer["speculative_draft_model_path"]
    check.equal(expected=DRAFT_TREE, actual=tree_of(path), what="the tree at speculative_draft_model_path")
    check.equal(expected=TREE, actual=tree_of(answer["model_path"]), what="the tree at model_path")
    check.equal(
        expected=draft.uri,
        actual=answer["speculative_draft_model_weights"],
        what="where the draft's weights are",
    )
    answer = started(subject, model_path=answer["model_path"], speculative_draft_model_path=draft.uri)
    check.equal(
        expected="runai_streamer",
        actual=answer["speculative_draft_load_format"],
        what="load format of a draft in a bucket, beside a model on disk",
    )


@requirement("START-006")
def test_one_pull_per_model(check: Check, subject: Bench, model: Place, wire: Wire) -> None:
    same = {
        "tokenizer_path": model.uri + "/",
        "speculative_draft_model_path": "S3" + model.uri.removeprefix("s3"),
    }
    started(subject, model_path=model.uri, **same)
    listings = [r for r in wire.requests if "list-type=2" in r.query]
    check.equal(expected=1, actual=len(listings), what="number of listings")
    for name in TREE:
        check.equal(expected=1, actual=len(wire.gets(suffix=f"/{name}")), what=f"number of GETs of {name}")


@requirement("START-007")
@pytest.mark.parametrize("key", ["concurency", "Distributed", "memory-limit", "", "pattern"])
def test_unknown_keys(check: Check, subject: Bench, key: str) -> None:
    arguments = {"load_format": "runai_streamer", "model_loader_extra_config": {key: 1}}
    error = error_of(check, subject.shared, "load_config", why=f"{key!r} is no key", arguments=arguments)
    assert_names(check, error, repr(key), "concurrency")


@requirement("START-008")
@pytest.mark.parametrize(
    ("key", "value"),
    [("distributed", 1), ("distributed", "true"), ("distributed", None)]
    + [
        ("concurrency", 0),
        ("concurrency", -1),
        ("concurrency", True),
        ("concurrency", "16"),
        ("concurrency", 1.0),
        ("concurrency", 1 << 31),
    ]
    + [("memory_limit", -2), ("memory_limit", False), ("memory_limit", "1GiB"), ("memory_limit", 1e9)]
    + [("memory_limit", 1 << 63)],
)
def test_wrong_values(check: Check, subject: Bench, key: str, value: object) -> None:
    arguments = {"load_format": "runai_streamer", "model_loader_extra_config": {key: value}}
    error = error_of(check, subject.shared, "load_config", why=f"{key} is {value!r}", arguments=arguments)
    assert_names(check, error, key, repr(value))


@requirement("START-009")
def test_valid_values(check: Check, subject: Bench) -> None:
    @settings(max_examples=30)
    @given(st.fixed_dictionaries({}, optional=KEYS))
    @example({"concurrency": 1, "memory_limit": -1})
    @example({"concurrency": (1 << 31) - 1, "memory_limit": (1 << 63) - 1})
    def accepted(extra: dict[str, Any]) -> None:
        arguments = {"load_format": "runai_streamer", "model_loader_extra_config": extra}
        answer = subject.ask("load_config", arguments=arguments)
        check.equal(
            expected=extra, actual=answer["model_loader_extra_config"], what="the accepted configuration"
        )

    accepted()


@requirement("START-022")
@pytest.mark.parametrize("patterns", ["*.bin", ["*.bin", "original/*"]], ids=str)
def test_patterns_to_ignore(check: Check, subject: Bench, patterns: list[str] | str) -> None:
    found = subject.ask("load_config", arguments={"ignore_patterns": patterns})["ignore_patterns"]
    wanted = [patterns] if isinstance(patterns, str) else patterns
    found = [found] if isinstance(found, str) else found
    check.equal(expected=wanted, actual=found, what=f"patterns where {patterns!r} is given")
