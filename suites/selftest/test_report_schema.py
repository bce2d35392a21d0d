"""reports/schema.json says what the model says, and real reports keep to it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reports import reader
from reports.model import KINDS, SCHEMA_VERSION, Verdict, as_mapping
from reports.reader import read_report
from reports.schema import FILE, schema, text
from suites.selftest.conformance_session import TinySuite
from suites.selftest.test_reports import GOOD, HEADER, footer, record, written

pytest_plugins = ["pytester"]

EVERY_VERDICT = """
@requirement("X-001")
def test_passes(check): check.equal(expected=1, actual=1, what="x")
@requirement("X-001")
def test_fails(check): check.equal(expected=bytes(40), actual=bytes(39) + b"!", what="x", tensor="t\\udcff")
@requirement("X-001")
def test_hangs(check): raise SubjectHung("tensors", 60.0)
@requirement("X-001")
def test_breaks(check): raise RuntimeError("ours")
@requirement("X-001")
def test_lacks(check): raise Unsupported("not implemented")
@requirement("X-001")
def test_waits(check): raise NotRun("no engine", "start one")
@requirement("X-002")
def test_is_known(check): check.equal(expected=[1], actual=[2], what="x")
"""


def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def test_the_file_is_what_the_model_says() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m reports.schema"


def test_it_is_a_schema_of_draft_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(published())
    assert published()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_there_and_explained(kind: str) -> None:
    described = published()["$defs"][kind]
    names = {one.name for one in fields(KINDS[kind])}
    assert set(described["properties"]) == {"kind"} | names
    for name in names:
        assert described["properties"][name]["description"], name
    assert described["description"]


def test_units_are_named() -> None:
    kinds = published()["$defs"]
    assert "seconds" in kinds["verdict"]["properties"]["seconds"]["description"]
    assert "seconds" in kinds["footer"]["properties"]["seconds"]["description"]
    assert "bytes" in kinds["verdict"]["properties"]["offset"]["description"]
    assert "GiB" in kinds["header"]["properties"]["machine"]["description"]


def test_every_line_of_a_real_report_validates(pytester: pytest.Pytester) -> None:
    tiny = TinySuite(pytester)
    tiny.requires("X-001", "X-002")
    tiny.expects("X-002")
    session = tiny.run(EVERY_VERDICT)
    validator = jsonschema.Draft202012Validator(published())
    for line in session.lines:
        validator.validate(line)
    assert set(session.verdicts.values()) == set(Verdict)
    assert session.verdicts["test_hangs[reference-disk]"] == Verdict.FAIL
    assert [line.get("number") for line in session.lines[1:-1]] == [1, 2, 3, 4, 5, 6, 7]
    assert read_report(session.report).header.requirements["X-002"].why == "a wrong answer"


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        (0, {"schema": SCHEMA_VERSION + 1}),
        (0, {"checks": -1}),
        (0, {"subjects": "reference"}),
        (0, {"requirements": {"X-001": {"id": "X-001"}}}),
        (1, {"kind": "remark"}),
        (1, {"verdict": "FINE"}),
        (1, {"level": "must"}),
        (1, {"seconds": "soon"}),
        (1, {"seconds": -0.1}),
        (1, {"message": 7}),
        (1, {"offset": -1}),
        (3, {"counts": {"PASS": "two"}}),
        (3, {"full": 1}),
        (3, {"reasons": "none"}),
    ],
)
def test_schema_and_reader_refuse_the_same_lines(tmp_path: Path, line: int, changed: dict[str, Any]) -> None:
    path = written(tmp_path, *GOOD)
    lines = path.read_text().splitlines()
    wrong = json.loads(lines[line]) | changed
    lines[line] = json.dumps(wrong)
    path.write_text("\n".join(lines) + "\n")
    assert not jsonschema.Draft202012Validator(published()).is_valid(wrong)
    with pytest.raises((reader.ReportMalformed, reader.ReportIncomparable), match="report.jsonl"):
        read_report(path)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[" * 100_000 + "]" * 100_000])
def test_what_json_does_not_know_is_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, *GOOD)
    path.write_text(path.read_text().replace('"seconds": 0.5', f'"seconds": {text}', 1))
    with pytest.raises(reader.ReportMalformed, match="line 2"):
        read_report(path)


def test_each_kind_has_a_line_that_is_no_other_kind() -> None:
    numbered = replace(record(1), number=1)
    validator = jsonschema.Draft202012Validator(schema())
    for line in (HEADER, numbered, footer(numbered)):
        values = json.loads(json.dumps(as_mapping(line)))
        assert validator.is_valid(values)
        for kind in KINDS:
            assert validator.is_valid(values | {"kind": kind}) == (kind == values["kind"])
