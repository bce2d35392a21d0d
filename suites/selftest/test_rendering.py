"""A report as Markdown, JUnit XML, Parquet and CSV: everything is there, and no text breaks out."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from reports.block import block
from reports.formats import FORMATS
from reports.frame import COLUMNS, frame
from reports.junit import junit
from reports.markdown import escaped, fenced, markdown
from reports.printable import printable
from reports.reader import Report
from reports.tables import csv_text, parquet, read_csv, read_parquet
from suites.selftest.rendered import EMPTY, GREEN, HOSTILE, RECORDS, REPORT, VISIBLE, footer, rule

MARKS = {
    "h1",
    "h2",
    "h3",
    "ul",
    "li",
    "p",
    "pre",
    "code",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "strong",
}
LITERAL = ["a|b", "# a", "- a", "1. a", "<b>", "*a*", "_a_", "[a](b)", "`a`", "a\nb", "&lt;", "~~a~~", "a\\"]


def test_markdown_says_it_all() -> None:
    text = markdown(REPORT)
    assert text.startswith(
        "# loadproof: red: 1 PASS, 1 FAIL, 1 ERROR, 1 UNSUPPORTED, 1 NOT-RUN, 2 KNOWN-FAIL"
    )
    for part in (
        "| seed | 5 |",
        "| tier | main, all of its checks |",
        "| subject | streamer: streamer 2, torch 3 |",
        "| store | moto: did not run |",
        "| machine | 2 CPUs, 8.0 GiB, Linux |",
        "| area | subject | no store | disk | moto | minio |",
        r"| WEIGHT | streamer | \- | 1 FAIL | \- | NOT-RUN |",
        "### FAIL WEIGHT-001 streamer disk",
        "first differs  tensor ",
        "run it again  tox -e conformance -- 'suites/conformance/test_w.py::test_2[streamer-disk]' --seed 5",
        "**URI-002** streamer (none)",
        "Evidence: `python -c x` printed \\<False\\>",
        "**NOT-RUN** minio (1 check): no engine\n  Remedy: start `it`",
        "**UNSUPPORTED** reference (1 check): uri: unsupported",
    ):
        assert part in text, part


def test_markdown_of_a_green_and_of_an_empty_report() -> None:
    green = markdown(GREEN)
    assert green.startswith("# loadproof: green: 1 PASS in 1.5 s\n")
    assert "Failures" not in green and "Not run" not in green
    assert "empty run" in markdown(EMPTY)


def test_no_text_breaks_out_of_markdown() -> None:
    made = MarkdownIt("commonmark").enable("table").render(markdown(REPORT))
    assert set(re.findall(r"<(\w+)", made)) <= MARKS
    assert made.count("<pre>") == 2, "a fence within a message ends no block"
    assert VISIBLE in made
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff]", made)


@pytest.mark.parametrize("text", ["```", "a\n````\nb", "~~~", "</code></pre>"])
def test_a_fence_holds_any_text(text: str) -> None:
    (block,) = MarkdownIt("commonmark").parse(fenced(text))
    assert (block.type, block.content) == ("fence", f"{text}\n")


@pytest.mark.parametrize("text", LITERAL)
def test_escaped_text_reads_as_itself(text: str) -> None:
    made = MarkdownIt("commonmark").render(f"- {escaped(text)}")
    inner = re.sub(r"</?(ul|li)>|\n", "", made)
    assert ElementTree.fromstring(f"<x>{inner}</x>").text == printable(text)


def cases(report: Report) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(junit(report)).iter("testcase"))


def test_junit_has_a_case_per_check() -> None:
    outcomes = {case.get("name"): [child.tag for child in case] for case in cases(REPORT)}
    assert len(outcomes) == len(RECORDS)
    assert outcomes["WEIGHT-001 test_1[reference-disk]"] == []
    assert outcomes["WEIGHT-001 test_2[streamer-disk]"] == ["failure"]
    assert outcomes[f"WEIGHT-001 test_3[{printable(HOSTILE)}-moto]"] == ["error"]
    assert outcomes["URI-002 test_4[reference-none]"] == ["skipped"]
    assert outcomes["WEIGHT-001 test_5[streamer-minio]"] == ["skipped"]
    assert outcomes["URI-002 test_6[streamer-none]"] == ["skipped"]
    assert {case.get("classname") for case in cases(REPORT)} == {
        "suites.conformance.test_w",
        "suites.conformance.test_u",
    }


def test_junit_says_why() -> None:
    said = {case.get("name"): case[0] for case in cases(REPORT) if len(case)}
    failure = said["WEIGHT-001 test_2[streamer-disk]"]
    assert failure.get("message") == "WEIGHT-001: What WEIGHT-001 says, with `code` and <b>no bold</b>."
    assert "run it again" in (failure.text or "") and VISIBLE in (failure.text or "")
    assert (
        said["WEIGHT-001 test_5[streamer-minio]"].get("message") == "NOT-RUN: no engine; remedy: start `it`"
    )
    assert said["URI-002 test_4[reference-none]"].get("message") == "UNSUPPORTED: uri: unsupported"
    assert said["URI-002 test_6[streamer-none]"].get("message") == "KNOWN-FAIL: https://example.org/known"


def test_junit_counts_and_times() -> None:
    root = ElementTree.fromstring(junit(REPORT))
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == (
        "testsuites",
        "7",
        "1",
        "1",
        "4",
    )
    assert float(root.get("time", "")) == 3.5
    assert root[0].get("timestamp") == "2026-01-01T00:00:00"


def test_junit_of_a_run_that_is_red_without_a_red_check() -> None:
    stale = Report(
        GREEN.header, GREEN.records, replace(GREEN.footer, exit_code=1, reasons=("1 newly passes",))
    )
    (extra,) = [case for case in cases(stale) if case.get("classname") == "loadproof"]
    assert (extra[0].tag, extra[0].text) == ("error", "1 newly passes")
    assert len(cases(GREEN)) == 1
    both = Report(REPORT.header, RECORDS, footer(RECORDS, newly_passing=("URI-009 streamer none",)))
    assert len(cases(both)) == len(RECORDS) + 1
    assert len(cases(EMPTY)) == 1


def test_parquet_keeps_every_type(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    path.write_bytes(parquet(REPORT))
    table = read_parquet(path)
    original = frame(REPORT)
    assert list(table.columns) == COLUMNS
    assert dict(table.dtypes) == dict(original.dtypes)
    pd.testing.assert_frame_equal(table, original)
    hostile = HOSTILE.replace("\x00", "\\x00").replace("\udcff", "\\udcff")
    assert table["tensor"].tolist()[1] == hostile
    assert table["offset"].tolist()[1] == 7 and table["offset"].isna().sum() == 6
    assert table["trace"].isna().sum() == 6
    types = {name: str(table[name].dtype) for name in ("number", "seconds", "offset", "verdict", "seed")}
    assert types == {
        "number": "int64",
        "seconds": "float64",
        "offset": "Int64",  # whole bytes, missing or not: beyond 2**53 a float would be another number
        "verdict": "string",
        "seed": "int64",
    }
    assert str(table["started"].dtype).endswith(", UTC]")


def test_csv_reads_back_what_csv_can_hold(tmp_path: Path) -> None:
    report = Report(
        REPORT.header, (*RECORDS[:6], replace(RECORDS[6], message="", evidence="NA")), REPORT.footer
    )
    (tmp_path / "r.csv").write_bytes(csv_text(report))
    (tmp_path / "r.parquet").write_bytes(parquet(report))
    table, exact = read_csv(tmp_path / "r.csv"), read_parquet(tmp_path / "r.parquet")
    assert table["evidence"].tolist()[6] == "NA"
    assert exact["message"].tolist()[6] == "" and pd.isna(table["message"].tolist()[6])
    exact.loc[6, "message"] = pd.NA
    pd.testing.assert_frame_equal(table, exact, check_dtype=False)
    differing = {name for name in COLUMNS if table[name].dtype != exact[name].dtype}
    assert differing <= {"started"}, "whose resolution CSV doesn't know"
    assert str(table["started"].iloc[0]) == "2026-01-01 00:00:00+00:00"


def test_csv_is_plain_enough_for_others() -> None:
    text = csv_text(GREEN).decode()
    head, row = text.splitlines()
    assert head.split(",")[0] == '"requirement"'
    assert row.startswith('"WEIGHT-001","MUST","WEIGHT","reference","1","disk","PASS",3,0.5,1,')
    assert io.StringIO(text).newlines is None and "\r" not in text


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("report", [REPORT, GREEN, EMPTY], ids=["full", "green", "empty"])
def test_every_form_takes_every_report(name: str, report: Report) -> None:
    assert FORMATS[name].content(report)


def test_the_block_is_the_terminals() -> None:
    text = block(RECORDS[1], rule("WEIGHT-001"), seed=5, long=False)
    (first,) = [line for line in text.splitlines() if line.startswith("  requirement")]
    assert first.endswith("WEIGHT-001 (MUST): What WEIGHT-001 says, with `code` and <b>no bold</b>.")
    assert "https://example.org/failure/WEIGHT-001" in text
    assert "catches" not in block(RECORDS[1], None, seed=5, long=False)
