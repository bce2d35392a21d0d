"""Configuration is strict, start-up resolves every address once, and settings stay within their load."""

from __future__ import annotations

import os
from typing import Any

import pytest

from fixtures.reference import InvalidConfig, LoadConfig, LoadFormat, ServerArgs
from fixtures.reference.loader import RunaiModelStreamerLoader
from fixtures.reference.settings import StreamSettings, applied
from fixtures.wire import Wire
from suites.selftest.reference.conftest import Model, tree


def test_good_configuration() -> None:
    extra = {"distributed": True, "concurrency": 4, "memory_limit": -1}
    assert LoadConfig("RUNAI_STREAMER", extra).settings == StreamSettings(4, -1, True)
    text = '{"concurrency": 4, "memory_limit": 0}'
    assert LoadConfig(model_loader_extra_config=text).settings == StreamSettings(4, 0, False)
    assert LoadConfig().settings == StreamSettings()


@pytest.mark.parametrize(
    "extra",
    [{"concurency": 4}, {"concurrency": 0}, {"concurrency": True}, {"concurrency": "4"}, {"concurrency": 4.0}]
    + [{"concurrency": None}, {"memory_limit": -2}, {"memory_limit": False}, {"distributed": 1}]
    + [{"distributed": "true"}, {1: 2}, [], 7, "[]", "{", '{"concurrency": 1, "concurrency": 2}'],
)
def test_bad_configuration(extra: Any) -> None:
    with pytest.raises(InvalidConfig):
        LoadConfig(LoadFormat.RUNAI_STREAMER, extra)


def test_bad_formats() -> None:
    with pytest.raises(InvalidConfig, match="runai_streamer"):
        LoadConfig("runai-streamer")
    with pytest.raises(InvalidConfig, match="gguf"):
        RunaiModelStreamerLoader(LoadConfig("gguf"))


def test_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNAI_STREAMER_MEMORY_LIMIT", "77")
    monkeypatch.delenv("RUNAI_STREAMER_CONCURRENCY", raising=False)
    before = dict(os.environ)
    with pytest.raises(KeyError), applied(StreamSettings(3, 9, True)):
        assert os.environ["RUNAI_STREAMER_CONCURRENCY"] == "3"
        assert os.environ["RUNAI_STREAMER_MEMORY_LIMIT"] == "9"
        os.environ["RUNAI_STREAMER_PROCESS_GROUP_SIZE"] = "1"
        raise KeyError
    assert dict(os.environ) == before


def test_start_up_pulls_each_model_once(model: Model, wire: Wire) -> None:
    model.put_all({"config.json": b"{}", "draft/config.json": b"[]", "model.safetensors": b"w"})
    upper = model.uri.replace("s3://", "S3://") + "/"
    args = ServerArgs(upper, model.uri, f"{model.uri}/draft")
    assert tree(args.model_path) == {"config.json": b"{}", "draft/config.json": b"[]"}
    assert args.tokenizer_path == args.model_path
    assert args.speculative_draft_model_path is not None
    assert tree(args.speculative_draft_model_path) == {"config.json": b"[]"}
    assert args.model_weights == model.uri
    assert args.speculative_draft_model_weights == f"{model.uri}/draft"
    assert args.load_format == args.speculative_draft_load_format == LoadFormat.RUNAI_STREAMER
    assert sum("list-type=2" in str(request.query) for request in wire.requests) == 2


def test_formats_at_start_up(model: Model, wire: Wire, tmp_path: Any) -> None:
    model.put("config.json", b"{}")
    assert ServerArgs(model.uri, load_format="dummy").load_format == LoadFormat.DUMMY
    local = ServerArgs(str(tmp_path))
    assert (local.model_path, local.model_weights, local.load_format) == (str(tmp_path),) * 2 + ("auto",)
    mixed = ServerArgs(str(tmp_path), speculative_draft_model_path=model.uri)
    assert (mixed.load_format, mixed.speculative_draft_load_format) == ("auto", "runai_streamer")
    wire.forget()
    with pytest.raises(InvalidConfig, match="safetensors"):
        ServerArgs(model.uri, load_format="safetensors")
    with pytest.raises(InvalidConfig, match="speculative_draft"):
        ServerArgs(str(tmp_path), speculative_draft_model_path=model.uri, load_format="gguf")
    with pytest.raises(InvalidConfig, match="concurrency"):
        ServerArgs(model.uri, model_loader_extra_config={"concurrency": 0})
    assert not wire.requests
