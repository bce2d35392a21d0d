"""Secrets stay out of reports, and what is no secret stays in."""

from __future__ import annotations

import time

import pytest

from reports.redaction import HIDDEN, LONGEST, Redactor

KEY = "AKIA" + "ABCDEFGH76543210"


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
        ("GET https://b.s3/k?x=1&X-Amz-Algorithm=AWS4&X-Amz-Signature=deadbeef01", "deadbeef01"),
        ("to=https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3Ddeadbeef01%26x", "deadbeef01"),
        ('{"url": "https://b/k?x=1\\u0026X-Goog-Signature=deadbeef01\\u0026y"}', "deadbeef01"),
        ("https://0123456789abcdefXYZ@host/path", "0123456789abcdefXYZ"),
        ("DefaultEndpointsProtocol=https;AccountName=me;AccountKey=dGhlIGtleQ==;X=y", "dGhlIGtleQ=="),
        ("SharedAccessSignature=sv=2024&sig=aBc%2Fd%3D", "aBc%2Fd%3D"),
        ("Authorization: SharedKey me:c2lnbmF0dXJlCg==", "c2lnbmF0dXJlCg=="),
        ("Authorization: AWS AKIDEXAMPLE:c2lnbmF0dXJlCg=", "c2lnbmF0dXJlCg="),
        ("ReadOnlyCredentials(access_key='me', secret_key='wJalr/XUt', token='FwoGZXIvYX')", "wJalr/XUt"),
        ("ReadOnlyCredentials(access_key='me', secret_key='wJalr/XUt', token='FwoGZXIvYX')", "FwoGZXIvYX"),
        ('{"secretAccessKey": "wJalr/XUt"}', "wJalr/XUt"),
        ('{"private_key_id": "8a7b6c"}', "8a7b6c"),
        ('{"private_key": "-----BEGIN PRIVATE KEY-----\\nMIIEvQ\\n-----END PRIVATE KEY-----"}', "MIIEvQ"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEvQ and no end", "MIIEvQ"),
        (repr("and\nAWS_SECRET_ACCESS_KEY=wJalr/XUt"), "wJalr/XUt"),
        (repr("and\tapi_key: wJalr/XUt"), "wJalr/XUt"),
        (repr(f"and\n{KEY}"), KEY),
        (repr("\x00hf_abcdefghijklmnopqrstuvwx"), "hf_abcdefghijklmnopqrstuvwx"),
        ("hf_abcdefghijklmnopqrstuvwx", "hf_abcdefghijklmnopqrstuvwx"),
        (f"me_{KEY}", KEY),
        ("hf_token=abcdEFGH12345678", "abcdEFGH12345678"),
        ("my.hf-token = abcdefghijklmnop", "abcdefghijklmnop"),
        ('"token": "abcdEFGH12345678"', "abcdEFGH12345678"),
        ('{"token": "abcdefghijklmnop"}', "abcdefghijklmnop"),
        ("{'token': 'abcdEFGH12345678'}", "abcdEFGH12345678"),
        ("{b'hf_token': b'abcdefghijklmnop'}", "abcdefghijklmnop"),
        ('{\\"hf_token\\": \\"abcdefghijklmnop\\"}', "abcdefghijklmnop"),
        ('{"hubToken":"abcdefghijklmnop"}', "abcdefghijklmnop"),
        ("assert hf_token == 'abcdefghijklmnop'", "abcdefghijklmnop"),
        ("token: abcdEFGH12345678", "abcdEFGH12345678"),
        ("client.secret: 'abcdEFGH12345678'", "abcdEFGH12345678"),
        ("db_password=hunter2hunter2", "hunter2hunter2"),
        ("connect(rootPassword=b'hunter2')", "hunter2"),
        ("minio_secret_key='abcdEFGH12345678'", "abcdEFGH12345678"),
        ("s3_secret_access_key: abcdEFGH12345678", "abcdEFGH12345678"),
        ("my_api_key=abcdEFGH12345678", "abcdEFGH12345678"),
        ("fs.s3a.secret.key=abcdEFGH12345678", "abcdEFGH12345678"),
        ("fs.s3a.session.token=abcdEFGH12345678", "abcdEFGH12345678"),
        ("Authorization: token abcdEFGH12345678", "abcdEFGH12345678"),
        ("{'authorization': 'Token abcdefghijklmnop'}", "abcdefghijklmnop"),
        ("denied for GOOG1E" + "ABCDEFGHIJ2345678901" * 2 + "ABCDEFGHIJ23456!", "ABCDEFGHIJ23456"),
        ("denied for GOOG" + "ABCDEFGHIJ2345678901", "ABCDEFGHIJ2345678901"),
        ("sent ya29.a0AfB_byC-defGHIjkl", "a0AfB_byC-defGHIjkl"),
        ("sent ya29.c.b0Aaekm1K-defGHIjkl", "b0Aaekm1K-defGHIjkl"),
    ],
)
def test_a_secret_in_a_text_is_hidden(text: str, secret: str) -> None:
    cleaned = Redactor({"SOME_KEY": "0123456789abcdef"}).text(text)
    assert secret not in cleaned
    assert "[redacted]" in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/a@b, mail me@example.org, git@host:path",
        "tokens=5, token_count=3, the token: unexpected, pad_token='<pad>'",
        "the password is wrong",
        "AWS region: eu",
        "object_key='model/config.json' is missing",
        "s3://bucket/tokenizer.json?versionId=3",
        "http://127.0.0.1:9000/bucket/a@b",
        "tokenizer_path: /cache/x, key=model-00001.safetensors",
        "expected design=4, signature of the function",
        "tokenizer.json and special_tokens_map.json: 12345678 bytes",
        "{'tokenizer.json': 'sha256-0123456789', \"special_tokens_map.json\": \"0123456789abcdef\"}",
        '{"tokens": 5, "num_tokens": 1234567890, "tokenizer_class": "LlamaTokenizer2"}',
        'tokenizer_path=/cache/x/12345678, "3 tokens"',
        "expected 'a token', expected \"a token\": nothing follows",
        "unexpected key 'token': unsupported",
        "{'pad_token': '<|endoftext|>', \"mask_token\": \"[MASKED_TOKEN]\", 'bos_token': '<s>'}",
        "eos_token=<|end_of_text|>, eos_token_id: 1280091280, add_bos_token: true",
        "the secret: unexpected, a secretary=0123456789",
        "authorization: token missing",
        "GOOG and ya29.",
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


VALUE = "wJalrXUtn/FEMI+K7MDENG=bPxRfiCYEXAMPLE"


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        "wJalrXUtn%2FFEMI%2BK7MDENG%3DbPxRfiCYEXAMPLE",
        "wJalrXUtn/FEMI%2BK7MDENG%3DbPxRfiCYEXAMPLE",
        "d0phbHJYVXRuL0ZFTUkrSzdNREVORz1iUHhSZmlDWUVYQU1QTEU=",
    ],
)
def test_a_known_value_is_hidden_in_every_form(form: str) -> None:
    cleaned = Redactor({"AWS_SECRET_ACCESS_KEY": VALUE}).text(f"it said {form} and went on")
    assert cleaned == f"it said {HIDDEN} and went on"


@pytest.mark.parametrize("size", [8, 20, len(VALUE) - 1])
def test_a_known_value_that_was_cut_off_is_hidden(size: int) -> None:
    redactor = Redactor({"AWS_SECRET_ACCESS_KEY": VALUE})
    for text in (f"the value is {VALUE[:size]}… (700 characters)", f"it said {VALUE[:size]}"):
        assert VALUE[:size] not in redactor.text(text)
    for text in (f"died; its log ends: '{VALUE[-size:]} and more'", f"{VALUE[-size:]} was said"):
        assert VALUE[-size:] not in redactor.text(text)


def test_a_text_is_redacted_before_it_is_cut() -> None:
    redactor = Redactor({"AWS_SECRET_ACCESS_KEY": VALUE})
    for around in (LONGEST // 2 - 10, LONGEST // 2 - len(VALUE) + 3, 10):
        text = "x" * around + " " + VALUE + " " + "y" * 10 * LONGEST + " " + VALUE + " " + "z" * around
        brief = redactor.brief(text)
        assert len(brief) < LONGEST + 200
        assert f"{len(text)} characters" in brief
        for start in range(len(VALUE) - 5):
            assert VALUE[start : start + 6] not in brief
    assert redactor.brief("x" * LONGEST) == "x" * LONGEST


@pytest.mark.parametrize(
    "piece",
    [
        *("https://", "A_", "x:", "a/b c.d-e_F ", "?sig", "Bearer ", "%3F", "-----BEGIN "),
        *("_KEY", "A_SECRET", "a_A_TOKEN", "0_", "a_", "a.", "a-", "aA", "\\", " "),
        *("token", "token:", "token: ", "'token':", "_secret=", "password", "secret.", "Authorization:"),
        *("authorization: token ", "GOOG", "ya29.", "hf_"),
        *("token" + " " * 500, "password=" + "\\" * 500, "token:" + "a" * 500),
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    began = time.process_time()
    Redactor({"AWS_SECRET_ACCESS_KEY": VALUE}).brief(piece * (20 * LONGEST // len(piece)))
    assert time.process_time() - began < 1.0  # a third is enough; without bounds it was minutes
