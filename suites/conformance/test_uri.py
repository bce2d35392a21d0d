"""URI: which texts are addresses of object storage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench

SCHEMES = ("s3://", "gs://", "az://")
TAILS = ["bucket", "bucket/", "bucket/org/model", "bucket/a b+c%20d#e?f", "bucket/größe/权重/🧪", "bucket/.."]
TAILS += ["bucket/a://b"]


def assert_answers(check: Check, subject: Bench, values: list[object], *, expected: bool) -> None:
    __tracebackhide__ = True
    for value in values:
        # an error is an answer, too, and a wrong one: the question is asked of whatever a user types
        try:
            answer = subject.ask("is_object_uri", value=value)
        except SubjectRaised as error:
            answer = f"the error {error.type}: {error.message}"
        check.equal(expected=expected, actual=answer, what=f"is_object_uri({value!r})")


@pytest.mark.quick
@requirement("URI-001")
def test_the_three_schemes(check: Check, subject: Bench) -> None:
    assert_answers(check, subject, [f"{scheme}bucket/model" for scheme in SCHEMES], expected=True)


@requirement("URI-002")
def test_case_of_the_scheme(check: Check, subject: Bench) -> None:
    @given(st.sampled_from(SCHEMES), st.lists(st.booleans(), min_size=2, max_size=2))
    def mixed(scheme: str, upper: list[bool]) -> None:
        letters = "".join(c.upper() if up else c for c, up in zip(scheme, upper, strict=False))
        assert_answers(check, subject, [f"{letters}{scheme[2:]}Bucket/Model"], expected=True)

    mixed()


@requirement("URI-003")
def test_whatever_follows(check: Check, subject: Bench) -> None:
    @given(st.sampled_from(SCHEMES), st.one_of(st.sampled_from(TAILS), st.text(min_size=1, max_size=40)))
    def followed(scheme: str, tail: str) -> None:
        assert_answers(check, subject, [f"{scheme}bucket/{tail}"], expected=True)

    followed()


@requirement("URI-004")
@pytest.mark.parametrize(
    "value",
    ["s3:/bucket/m", "s3:bucket/m", "s3//bucket/m", "s3a://bucket/m", "s3n://bucket/m", "ss3://bucket/m"]
    + ["file:///models/m", "http://s3/bucket", "https://bucket.s3.amazonaws.com/m", "hf://org/model"]
    + [
        "ｓ３://bucket/m",
        "ſ3://bucket/m",
        "s3：//bucket/m",
        "s3:\\\\bucket\\m",
        "://bucket/m",
        "azure://c/m",
        "gcs://b/m",
    ],
)
def test_look_alikes(check: Check, subject: Bench, value: str) -> None:
    assert_answers(check, subject, [value], expected=False)


@requirement("URI-005")
def test_local_folders(check: Check, subject: Bench) -> None:
    posix = [
        "/models/m",
        "./m",
        "../m",
        "m",
        "s3",
        "s3/bucket",
        "gs-models/m",
        "/s3://bucket",
        "./s3://bucket",
    ]
    windows = ["C:\\models\\m", "C:/models/m", "s:\\models", "\\\\host\\share\\m"]
    assert_answers(check, subject, [*posix, *windows], expected=False)


@requirement("URI-006")
def test_hugging_face_ids(check: Check, subject: Bench) -> None:
    ids = ["gpt2", "org/model", "org/s3-model", "s3/model", "org/model-7B.v1_0"]
    assert_answers(check, subject, list(ids), expected=False)


@requirement("URI-007")
def test_empty_text(check: Check, subject: Bench) -> None:
    assert_answers(check, subject, [""], expected=False)


@pytest.mark.quick
@requirement("URI-008")
def test_path_objects(check: Check, subject: Bench) -> None:
    # Path("s3://b/m") is s3:/b/m: a Path cannot hold an object URI
    paths: list[object] = [{"path": text} for text in ("/models/m", "m", ".", "s3://bucket/m")]
    assert_answers(check, subject, paths, expected=False)


@requirement("URI-009")
def test_any_other_text(check: Check, subject: Bench) -> None:
    @given(st.text(max_size=60).filter(lambda text: text[:5].lower() not in SCHEMES))
    def other(text: str) -> None:
        assert_answers(check, subject, [text], expected=False)

    other()
