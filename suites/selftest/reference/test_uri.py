"""Which addresses are object URIs, and that one model has one normal form."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.reference import InvalidURI, ObjectStorageModel, is_runai_obj_uri
from fixtures.reference.redaction import redact
from fixtures.reference.uri import normalise


@pytest.mark.parametrize("uri", ["s3://b/m", "S3://b/m", "gs://b", "Gs://b/x", "az://c/m", "AZ://c/m/"])
def test_object_uris(uri: str) -> None:
    assert is_runai_obj_uri(uri)


@pytest.mark.parametrize(
    "value",
    ["", "s3:/b/m", "s3a://b/m", "s3", "s3:b", "file:///m", "http://s3/m", "C:\\s3\\m", " s3://b", "ſ3://b/m"]
    + ["/s3://b/m", "hdfs://b/m", "org/model", Path("s3://b/m"), Path("/models/s3")],
)
def test_lookalikes(value: str | Path) -> None:
    assert not is_runai_obj_uri(value)


def test_one_model_has_one_form() -> None:
    assert normalise("S3://Bucket/Model//") == normalise("s3://Bucket/Model") == "s3://Bucket/Model"
    assert normalise("s3://b/Model") != normalise("s3://b/model")
    assert normalise("s3://b/a b+%20#?é") == "s3://b/a b+%20#?é"


@pytest.mark.parametrize("uri", ["s3://", "s3:///key", "s3://b//key", "s3://b/a\nb", "/local", ""])
def test_unusable_addresses_are_refused(uri: str) -> None:
    with pytest.raises(InvalidURI):
        normalise(uri)


def test_folders_differ_as_models_do(cache: Path) -> None:
    path = ObjectStorageModel.get_path
    assert path("S3://b/m/") == path("s3://b/m")
    assert len({path(uri) for uri in ("s3://b/m", "s3://b/M", "gs://b/m", "s3://b/m2", "s3://c/m")}) == 5
    assert Path(path("s3://b/../../etc")).parent == cache / "model_streamer"
    assert not cache.exists()


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MODEL_STREAMER_CACHE_DIR", "~/x")
    assert ObjectStorageModel.get_path("s3://b/m").startswith(str(tmp_path / "x" / "model_streamer"))


def test_secrets_are_taken_out() -> None:
    text = redact("http://me:hunter2@host/b?X-Amz-Signature=abc&X-Amz-Credential=me%2F1&sig=zz&ok=1")
    assert "hunter2" not in text and "abc" not in text and "me%2F1" not in text and "zz" not in text
    assert "host/b" in text and "ok=1" in text


def test_a_password_may_hold_the_sign_that_ends_it() -> None:
    assert redact("http://user:p@ss@host/b, then me@mail") == "http://***@host/b, then me@mail"


@pytest.mark.parametrize("uri", ["s3://me:hun/t+er2@b/m", "s3://me:hun@ter2@b/m", "s3://hunter2@b/m"])
def test_a_password_with_a_slash_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(InvalidURI) as raised:
        normalise(uri)
    assert "hun" not in str(raised.value) and "er2" not in str(raised.value)
    assert "er2" not in redact(f"https{uri[2:]}: no such host")


def test_a_key_may_hold_what_ends_a_password() -> None:
    assert normalise("s3://b/m:1@2/x") == redact("s3://b/m:1@2/x") == "s3://b/m:1@2/x"
