"""The text of a claimed error names what it is about; the rule is seen to fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.subjects.explanation import text_wanted
from fixtures.subjects.protocol import SubjectRaised
from reports.model import Verdict
from suites.selftest.conformance_run import CONFORMANCE, run

URI = "s3://bucket/some/model"
QUESTION: dict[str, Any] = {"uri": URI, "settings": {"memory_limit": 3}}


def error(text: str) -> SubjectRaised:
    return SubjectRaised("model_tensors", ["builtins.OSError"], text, "")


@pytest.mark.parametrize(
    "text",
    [
        f"not found: '{URI}': NoSuchKey",
        "in 's3://bucket' is nothing",
        "some/model: no weights",
        "memory_limit must be larger",
        "invalid configuration: 'distributed': expected true or false, not None: memory_limit",
    ],
)
def test_a_text_that_says_what_it_is_about(text: str) -> None:
    assert text_wanted(error(text), QUESTION) is None


@pytest.mark.parametrize(
    "text",
    ["", "not found", "not found: s3://other/place", f"not found: '{URI}': None", f"None: {URI}",
     f"not found: 'None': {URI}", f"unsafe name: 'None' in '{URI}': it is empty",
     f"{URI}: 's3://bucket/None': gone",
     "the model cannot be loaded", "bad uri or settings"],
)  # fmt: skip
def test_a_text_that_does_not(text: str) -> None:
    assert text_wanted(error(text), QUESTION)


def test_a_value_that_was_none_is_no_placeholder() -> None:
    for text in ("'None' is no name of a file", "dtype: None in the header", "a/None.safetensors is gone"):
        assert text_wanted(error(f"{URI}: {text}"), QUESTION) is None
    assert text_wanted(error("distributed: None"), {"arguments": {"distributed": None}}) is None


def test_a_question_about_nothing_with_a_name_asks_for_none() -> None:
    assert text_wanted(error("an address is needed"), {"uri": ""}) is None


def test_an_at_in_a_key_hides_nothing() -> None:
    assert text_wanted(error("s3://other/place is gone"), {"uri": "s3://bucket/a@b.bin"})


ADAPTER = """
class Subject:
    preload = ()
    capabilities = {"tensors": "full", "explanations": "full"}

    def versions(self):
        return {"mute": "1.0"}

    def tensors(self, files, settings):
        raise OSError("File access error")
"""


def test_a_loader_that_claims_it_is_held_to_it_in_every_check(tmp_path: Path) -> None:
    adapter = tmp_path / "mute.py"
    adapter.write_text(ADAPTER)
    checks = ["test_streaming.py::test_a_file_that_does_not_exist", "test_explanations.py"]
    _, found = run(str(adapter), "disk", tmp_path, *(f"{CONFORMANCE}/{check}" for check in checks))
    held = [record for record in found.records if record.verdict is not Verdict.UNSUPPORTED]
    assert {record.requirement for record in held} == {"WEIGHT-023", "LOAD-055", "LOAD-056", "LOAD-059"}
    for record in held:
        assert (record.verdict, record.what) == (
            Verdict.FAIL,
            "the text of the error for tensors (LOAD-055)",
        )
        assert record.comparisons and "File access error" in str(record.actual)


def test_an_address_counts_without_its_query() -> None:
    asked = {"files": ["s3://bucket/one?X-Amz-Signature=abc"], "settings": {}}
    assert text_wanted(error("s3://bucket/one?X-Amz-Signature=[redacted] is absent"), asked) is None


def test_an_address_with_a_password_counts_without_it() -> None:
    assert text_wanted(error("'S3://***@' is no address"), {"uri": "S3://user:secret@"}) is None
    assert text_wanted(error("that is no address"), {"uri": "S3://user:secret@"})
    assert text_wanted(error("'A://***@0': expected s3://"), {"uri": "A://@0"}) is None
    assert text_wanted(error("that is no address"), {"uri": "A://@0"})
    assert text_wanted(error("'//***@' is no address"), {"uri": "//:@"}) is None
    assert text_wanted(error("'?0=***' is no address"), {"uri": "?0=0"}) is None
    assert text_wanted(error("that is no address"), {"uri": "a@b"})
    assert text_wanted(error("'s3://***@bucket/no': a name"), {"uri": "s3://user:a/b@bucket/no"}) is None
    signed = {"uri": "https://user:secret@host/model?X-Amz-Signature=abc"}
    assert text_wanted(error("'https://***@host/model?X-Amz-Signature=***' is none"), signed) is None


def test_a_setting_counts_that_came_as_json() -> None:
    asked = {"arguments": {"model_loader_extra_config": '{"concurrency": "many"}'}}
    assert text_wanted(error("concurrency is no number"), asked) is None
    assert text_wanted(error("some setting is no number"), asked)


def test_a_place_where_the_loader_writes_is_not_enough() -> None:
    assert text_wanted(error("/tmp/cache/abc can't be made"), QUESTION)
    assert text_wanted(error(f"{URI}: /tmp/cache/abc can't be made"), QUESTION) is None


def test_a_variable_counts_that_was_set_for_the_question() -> None:
    assert text_wanted(error("CACHE_DIR can't be made"), QUESTION)
    assert text_wanted(error("CACHE_DIR can't be made"), QUESTION, ["CACHE_DIR"]) is None


def test_a_name_counts_as_python_shows_it() -> None:
    assert text_wanted(error(r"the name 'a\nb' is odd"), {"uri": "a\nb"}) is None


def test_a_loader_names_a_class_for_every_kind_or_none(tmp_path: Path) -> None:
    adapter = tmp_path / "some.py"
    adapter.write_text(
        ADAPTER.replace('"explanations"', '"kinds"') + '\n    kinds = {"missing": "some.Missing"}\n'
    )
    _, found = run(str(adapter), "disk", tmp_path, f"{CONFORMANCE}/test_explanations.py")
    (message,) = {record.message for record in found.records}
    assert f"{adapter}: its kinds must name a class for each of missing, refused, overloaded" in str(message)
