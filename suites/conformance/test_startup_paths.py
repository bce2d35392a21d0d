"""START, second part: every path and argument of a start, and a start that fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixtures.stores import Place, Store
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, assert_names_setting, error_of
from suites.conformance.folders import tree_of

TREE = {"config.json": b'{"model_type": "made-up"}', "tokenizer.json": b"{}"}
TOKENIZER_TREE = {"tokenizer.json": b'{"version": "1.0"}', "special_tokens_map.json": b"{}"}
WEIGHTS = {"model.safetensors": b"never read at the start"}
#: those that both engines know. Source: https://docs.sglang.io/docs/advanced_features/model_loading and
#: https://docs.vllm.ai/en/latest/api/vllm/config/load/
FORMATS = ["auto", "pt", "safetensors", "npcache", "dummy", "sharded_state", "gguf", "bitsandbytes"]
FORMATS += ["runai_streamer"]


@pytest.fixture
def model(place: Place) -> Place:
    place.put_all(TREE | WEIGHTS)
    return place


def started(subject: Bench, **arguments: Any) -> dict[str, Any]:
    answer: dict[str, Any] = subject.ask("start", arguments=arguments)
    return answer


@requirement("START-010")
def test_a_tokenizer_of_its_own(check: Check, subject: Bench, model: Place, store: Store) -> None:
    tokenizer = store.place(f"{model.prefix}-tokenizer")
    tokenizer.put_all(TOKENIZER_TREE)
    answer = started(subject, model_path=model.uri, tokenizer_path=tokenizer.uri)
    check.equal(
        expected=TOKENIZER_TREE, actual=tree_of(answer["tokenizer_path"]), what="the tokenizer's tree"
    )
    check.equal(expected=TREE, actual=tree_of(answer["model_path"]), what="the model's tree")
    local = subject.cache_root.parent / "tokenizer"
    local.mkdir()
    answer = started(subject, model_path=model.uri, tokenizer_path=str(local))
    check.equal(expected=str(local), actual=answer["tokenizer_path"], what="the path of a local tokenizer")
    answer = started(subject, model_path=str(local), tokenizer_path=tokenizer.uri)
    check.equal(
        expected=TOKENIZER_TREE,
        actual=tree_of(answer["tokenizer_path"]),
        what="the tokenizer's tree, beside a model on disk",
    )


@requirement("START-011")
def test_format_of_the_draft(check: Check, subject: Bench, model: Place) -> None:
    local = subject.cache_root.parent / "draft"
    local.mkdir()
    answer = started(subject, model_path=model.uri, speculative_draft_model_path=str(local))
    formats = {name: answer[name] for name in ("load_format", "speculative_draft_load_format")}
    check.equal(
        expected={"load_format": "runai_streamer", "speculative_draft_load_format": "auto"},
        actual=formats,
        what="load formats of a model in a bucket and a draft on disk",
    )
    check.equal(
        expected=str(local), actual=answer["speculative_draft_model_path"], what="path of the local draft"
    )
    arguments = {"model_path": str(local), "speculative_draft_model_path": model.uri}
    arguments["speculative_draft_load_format"] = "safetensors"
    error = error_of(
        check, subject.shared, "start", why="the draft's format can't read it", arguments=arguments
    )
    assert_names(check, error, "safetensors", model.uri)
    assert_names_setting(check, error, "speculative_draft_load_format")


@requirement("START-012")
def test_other_arguments(check: Check, subject: Bench, model: Place) -> None:
    others = {
        "revision": "refs/pr/1",
        "download_dir": "/models",
        "model_loader_extra_config": {"concurrency": 4, "memory_limit": 0},
    }
    answer = started(subject, model_path=model.uri, **others)
    check.equal(
        expected=others, actual={name: answer[name] for name in others}, what="arguments that name no model"
    )


@requirement("START-013")
@pytest.mark.parametrize("trouble", ["absent", "refused", "draft absent"])
def test_a_start_that_fails(check: Check, subject: Bench, model: Place, wire: Wire, trouble: str) -> None:
    arguments = {"model_path": model.uri}
    culprit = f"{model.uri}/absent"
    if trouble == "absent":
        arguments["model_path"] = culprit
    elif trouble == "draft absent":
        arguments["speculative_draft_model_path"] = culprit
    else:
        culprit = model.uri
        wire.inject(Fault(match="list-type=2", method="GET", status=403))
    error = error_of(check, subject.shared, "start", why=f"the metadata is {trouble}", arguments=arguments)
    assert_names(check, error, culprit)
    folder = subject.ask("cache_path", uri=culprit)
    check.equal(expected={}, actual=tree_of(folder), what="the failed model's tree in the cache")


@requirement("START-014")
def test_no_bucket_no_contact(check: Check, subject: Bench, model: Place, wire: Wire) -> None:
    local = subject.cache_root.parent / "local-model"
    local.mkdir()
    for path in (str(local), "org/model"):
        paths = {"model_path": path, "tokenizer_path": path, "speculative_draft_model_path": path}
        answer = started(subject, **paths)
        check.equal(expected=paths, actual={name: answer[name] for name in paths}, what="the paths")
    check.equal(expected=[], actual=wire.requests, what="requests at the store")
    started(subject, model_path=model.uri)
    check.true(bool(wire.requests), what="requests for a model in a bucket", expected="some", actual=0)


@requirement("START-015")
def test_extra_config_as_text(check: Check, subject: Bench) -> None:
    given = [{}, {"concurrency": 16}, {"distributed": True, "memory_limit": -1}]
    # a variable of a shell that was left empty is no setting
    for text, extra in [("", {}), *((json.dumps(extra), extra) for extra in given)]:
        arguments = {"load_format": "runai_streamer", "model_loader_extra_config": text}
        answer = subject.ask("load_config", arguments=arguments)
        check.equal(
            expected=extra, actual=answer["model_loader_extra_config"], what="the configuration given as text"
        )


@requirement("START-016")
@pytest.mark.parametrize(
    "text", ["{", "{'concurrency': 1}", "concurrency=1", "[]", "16", '"concurrency"', '{"concurrency": 1}}']
)
def test_extra_config_that_is_no_object(check: Check, subject: Bench, text: str) -> None:
    arguments = {"load_format": "runai_streamer", "model_loader_extra_config": text}
    error = error_of(check, subject.shared, "load_config", why=f"{text} is no object", arguments=arguments)
    assert_names(check, error, "model_loader_extra_config")


@requirement("START-021")
def test_a_key_that_comes_twice(check: Check, subject: Bench) -> None:
    text = '{"concurrency": 1, "concurrency": 2}'
    arguments = {"load_format": "runai_streamer", "model_loader_extra_config": text}
    error = error_of(check, subject.shared, "load_config", why="a key comes twice", arguments=arguments)
    assert_names(check, error, "model_loader_extra_config")


@requirement("START-017")
@pytest.mark.parametrize(
    ("key", "value"),
    [("concurrency", 1 << 31), ("memory_limit", 1 << 63), ("memory_limit", -(1 << 63))]
    + [("concurrency", 1e400), ("memory_limit", "NaN"), ("concurrency", [4]), ("memory_limit", {"gib": 4})],
)
def test_numbers_out_of_reach(check: Check, subject: Bench, key: str, value: object) -> None:
    text = json.dumps({key: value}).replace('"NaN"', "NaN")
    arguments = {"load_format": "runai_streamer", "model_loader_extra_config": text}
    error = error_of(check, subject.shared, "load_config", why=f"{key} is {value!r}", arguments=arguments)
    assert_names(check, error, key)


@requirement("START-018")
def test_starting_again_from_the_result(check: Check, subject: Bench, model: Place, wire: Wire) -> None:
    first = started(subject, model_path=model.uri, speculative_draft_model_path=model.uri)
    wire.forget()
    names = [name for name in first if first[name] not in (None, "None")]
    second = started(subject, **{name: first[name] for name in names})
    check.equal(expected=first, actual=second, what="arguments that were resolved twice")
    check.equal(expected=[], actual=wire.requests, what="requests at the store the second time")


@requirement("START-019")
def test_weights_are_not_read(check: Check, subject: Bench, model: Place, wire: Wire) -> None:
    model.put("pytorch_model-00001-of-00002.bin", b"heavy")
    started(subject, model_path=model.uri)
    read = sorted(get.key.rpartition("/")[2] for get in wire.gets())
    check.equal(expected=sorted(TREE), actual=read, what="objects read at the start")


@requirement("START-020")
@pytest.mark.parametrize("load_format", ["runai", "run-ai-streamer", "safetensor", "s3"])
def test_a_format_that_does_not_exist(check: Check, subject: Bench, load_format: str) -> None:
    arguments = {"load_format": load_format}
    error = error_of(check, subject.shared, "load_config", why="there is no such format", arguments=arguments)
    assert_names(check, error, repr(load_format), "runai_streamer")
    assert_names_setting(check, error, "load_format")


@requirement("START-025")
def test_a_start_with_a_setting_that_cannot_be(check: Check, subject: Bench) -> None:
    arguments = {"model_path": "/a", "model_loader_extra_config": {"concurrency": 0}}
    error = error_of(check, subject.shared, "start", why="concurrency is 0", arguments=arguments)
    assert_names_setting(check, error, "concurrency")


@requirement("START-024")
def test_an_empty_path(check: Check, subject: Bench) -> None:
    error = error_of(check, subject.shared, "start", why="there is no model", arguments={"model_path": ""})
    assert_names_setting(check, error, "model_path")


@requirement("START-023")
def test_a_draft_format_that_does_not_exist(check: Check, subject: Bench) -> None:
    arguments = {"model_path": "/a", "speculative_draft_model_path": "/b"}
    arguments["speculative_draft_load_format"] = "safetensor"
    error = error_of(check, subject.shared, "start", why="there is no such format", arguments=arguments)
    assert_names_setting(check, error, "safetensor")
    assert_names_setting(check, error, "speculative_draft_load_format")


@requirement("START-020")
@pytest.mark.parametrize("load_format", FORMATS)
def test_a_format_that_exists(check: Check, subject: Bench, load_format: str) -> None:
    for given in (load_format, load_format.upper()):
        answer = subject.ask("load_config", arguments={"load_format": given})
        check.equal(expected=load_format, actual=answer["load_format"], what=f"the load format of {given}")
