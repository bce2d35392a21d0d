"""Errors name the place and the cause, keep secrets to themselves and survive the way between processes."""

from __future__ import annotations

import importlib
import pickle
import sys
import traceback

import pytest

from fixtures.reference import (
    InvalidConfig,
    LoadError,
    MissingDependency,
    NotFound,
    Unreachable,
    list_safetensors,
)
from fixtures.reference.backends import s3


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    monkeypatch.setattr(s3, "ATTEMPTS", 1)


@pytest.mark.parametrize("name", s3.ENDPOINTS)
@pytest.mark.usefixtures("keys")
def test_a_password_in_the_endpoint_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://me:hunter2@127.0.0.1:9")
    with pytest.raises(InvalidConfig) as caught:
        list_safetensors("s3://bucket/m")
    text = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in text and "s3cr3t" not in text
    assert name in text and "bucket" in text


@pytest.mark.usefixtures("keys")
def test_a_password_in_the_proxy_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.invalid")
    monkeypatch.setenv("HTTP_PROXY", "http://me:hunter2@127.0.0.1:9")
    with pytest.raises(Unreachable) as caught:
        list_safetensors("s3://bucket/m")
    text = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in text and "s3cr3t" not in text
    assert "bucket/m" in text and "127.0.0.1" in text


@pytest.mark.parametrize(
    ("scheme", "library", "extra"), [("gs", "google.cloud", "gcs"), ("az", "azure.storage.blob", "azure")]
)
def test_a_missing_client_library_is_named(
    monkeypatch: pytest.MonkeyPatch, scheme: str, library: str, extra: str
) -> None:
    module = {"gs": "fixtures.reference.backends.gcs", "az": "fixtures.reference.backends.azure"}[scheme]
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependency, match=rf"\[{extra}\]"):
        list_safetensors(f"{scheme}://bucket/m")


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(NotFound("s3://b/m", key="k", cause="gone")))
    assert isinstance(error, NotFound)
    assert (error.uri, error.key, error.cause) == ("s3://b/m", "k", "gone")
    assert str(error) == "not found: 'k' in 's3://b/m': gone"


@pytest.mark.parametrize("kind", [LoadError, NotFound, Unreachable, MissingDependency])
def test_no_part_of_an_error_keeps_a_secret(kind: type[LoadError]) -> None:
    secret = "http://me:hunter2@host/m?sig=hunter2"
    error = kind(secret, key=secret, cause=ValueError(secret))
    for one in (error, pickle.loads(pickle.dumps(error))):
        parts = [getattr(one, name, None) for name in ("args", "filename", "filename2", "strerror", "errno")]
        assert "hunter2" not in f"{one} {one!r} {parts} {vars(one)}"
    assert b"hunter2" not in pickle.dumps(error)


def test_every_error_belongs_to_the_tree() -> None:
    errors = importlib.import_module("fixtures.reference.errors")
    drawn = errors.__doc__ or ""
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), LoadError) and name in drawn
