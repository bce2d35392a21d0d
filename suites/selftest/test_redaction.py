"""Secrets stay out of reports, and what is no secret stays in."""

from __future__ import annotations

import pytest

from reports.redaction import HIDDEN, Redactor

KEY = "AKIA" + "ABCDEFGH01234567"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"denied for {KEY}", KEY),
        ("GET https://b.s3/k?X-Amz-Signature=deadbeef01&x=1", "deadbeef01"),
        ("GET https://b.s3/k?x=1&X-Amz-Security-Token=FwoGZXIvYXdzEJr", "FwoGZXIvYXdzEJr"),
        ("GET https://b.s3/k?X-Amz-Credential=me%2F2026&x=1", "me%2F2026"),
        ("https://acc.blob/c/k?sv=2024&sig=aBc%2Fd%3D", "aBc%2Fd%3D"),
        ("https://storage/k?X-Goog-Signature=99ff", "99ff"),
        ("http://me:hunter2@proxy:3128/", "hunter2"),
        ("s3+http://:hunter2@host", "hunter2"),
        ("http://me:hun:ter2@proxy", "ter2"),
        ("http://me:hun/+ter2@proxy:3128/", "hun"),
        ("http://me:hun/+t@er2@proxy:3128/", "er2"),
        ("AWS_SECRET_ACCESS_KEY=wJalr/XUt+nFEMI", "wJalr/XUt+nFEMI"),
        ("aws_session_token = FwoGZXIvYXdz", "FwoGZXIvYXdz"),
        ("{'HF_TOKEN': 'abc-def'}", "abc-def"),
        ("MY_SECRET_THING: abcdef", "abcdef"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("AWS4-HMAC-SHA256 Credential=me/2026, SignedHeaders=host, Signature=beef", "beef"),
        ("x-amz-security-token: FwoGZXIv", "FwoGZXIv"),
        ("the value is 0123456789abcdef!", "0123456789abcdef"),
    ],
)
def test_a_secret_in_a_text_is_hidden(text: str, secret: str) -> None:
    cleaned = Redactor({"SOME_KEY": "0123456789abcdef"}).text(text)
    assert secret not in cleaned
    assert "[redacted]" in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "object_key='model/config.json' is missing",
        "s3://bucket/tokenizer.json?versionId=3",
        "http://127.0.0.1:9000/bucket/a@b",
        "tokenizer_path: /cache/x, key=model-00001.safetensors",
        "expected design=4, signature of the function",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor({"SOME_KEY": "testing"}).text(text) == text


def test_a_secret_by_name_goes_wherever_it_is_nested() -> None:
    value = {"AWS_ACCESS_KEY_ID": "abc", "list": [{"my_token_x": "t", "path": "/p"}], "AWS_REGION": "eu"}
    assert Redactor({}).value(value) == {
        "AWS_ACCESS_KEY_ID": "[redacted]",
        "list": [{"my_token_x": "[redacted]", "path": "/p"}],
        "AWS_REGION": "eu",
    }


def test_the_versions_of_a_subject_named_like_a_secret_stay() -> None:
    redactor = Redactor({"MY_TOKEN": "long-enough-to-be-secret"})
    versions = {"mutants/trust_keys": "0.1.0", "torch": "2.15 long-enough-to-be-secret"}
    assert redactor.texts(versions) == {"mutants/trust_keys": "0.1.0", "torch": f"2.15 {HIDDEN}"}
