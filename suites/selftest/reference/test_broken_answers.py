"""Streams that end without a word and stores that leave out what every S3 states: a typed error each."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from fixtures import checkpoints
from fixtures.reference import (
    StoreError,
    StreamFailed,
    list_safetensors,
    runai_safetensors_weights_iterator,
    streaming,
)
from fixtures.reference.backends import s3
from suites.selftest.reference.conftest import BUCKET, Model


@pytest.mark.parametrize("arrives", [0, 1, 7])
def test_a_stream_that_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrives: int) -> None:
    checkpoint = checkpoints.sharded(seed=1)
    checkpoint.write(tmp_path)
    whole = streaming._ranges
    monkeypatch.setattr(streaming, "_ranges", lambda *given: islice(whole(*given), arrives))
    with pytest.raises(StreamFailed, match="ended early") as raised:
        list(runai_safetensors_weights_iterator(list_safetensors(str(tmp_path))))
    assert ".safetensors" in str(raised.value)


@pytest.mark.parametrize("lacking", ["ETag", "Size"])
def test_a_listing_that_states_too_little(
    model: Model, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    entry = {"Key": f"{model.prefix}/a.safetensors", "Size": 5, "ETag": "x"}
    del entry[lacking]
    backend = s3.S3Backend(BUCKET)
    pages = SimpleNamespace(paginate=lambda **_: [{"Contents": [entry]}])
    monkeypatch.setattr(backend, "_client", SimpleNamespace(get_paginator=lambda _: pages))
    with pytest.raises(StoreError, match=f"a.safetensors.*{lacking}"):
        list(backend.list(model.prefix, recursive=True))


def test_an_answer_without_a_version(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = s3.S3Backend(BUCKET)
    answer = {"Body": io.BytesIO(b"x"), "ContentLength": 1}
    monkeypatch.setattr(backend, "_client", SimpleNamespace(get_object=lambda **_: answer))
    with pytest.raises(StoreError, match=r"a\.safetensors.*ETag"), backend.read("a.safetensors"):
        pass
