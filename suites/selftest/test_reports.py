"""Reports are refused for every way in which they can be wrong, and can be looked at."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from reports import reader
from reports.differences import SHOWN, difference, first_difference, shown
from reports.frame import COLUMNS, frame
from reports.matrix import cell, render
from reports.model import SCHEMA_VERSION, Footer, Header, Interruption, Line, Verdict, VerdictRecord
from reports.reader import Report, read_report
from reports.writer import ReportWriter

HEADER = Header(
    schema=SCHEMA_VERSION,
    started="2026-01-01T00:00:00+00:00",
    seed=5,
    subjects=("reference",),
    stores=("disk",),
    checks=2,
    machine={"cpus": 2},
    versions={},
    configuration={},
    environment={},
)


def record(number: int = 1, verdict: Verdict = Verdict.PASS, **changed: object) -> VerdictRecord:
    values: dict[str, object] = {
        "check": f"test_x.py::test_{number}[reference-disk]",
        "requirement": "URI-001",
        "level": "MUST",
        "area": "URI",
        "sentence": "s",
        "subject": "reference",
        "version": "1",
        "store": "disk",
        "store_version": None,
        "verdict": verdict,
        "comparisons": 3,
        "seconds": 0.5,
    }
    return VerdictRecord(**(values | changed))  # type: ignore[arg-type]


def footer(*records: VerdictRecord, exit_code: int = 0, reasons: tuple[str, ...] = ()) -> Footer:
    return Footer(
        counts=dict(Counter(one.verdict.value for one in records)),
        seconds=1.0,
        exit_code=exit_code,
        reasons=reasons,
        unmatched=(),
        newly_passing=(),
        full=True,
    )


def written(folder: Path, *lines: Line) -> Path:
    writer = ReportWriter(folder / "out" / "report.jsonl")
    writer.discard_old()
    for line in lines:
        writer.write(line)
    writer.close()
    return writer.path


GOOD = (HEADER, record(1), record(2, expected="\udcff"), footer(record(1), record(2)))


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    numbered = (replace(GOOD[1], number=1), replace(GOOD[2], number=2))
    assert read_report(written(tmp_path, *GOOD)) == Report(GOOD[0], numbered, GOOD[3])


def test_every_line_is_on_disk_at_once(tmp_path: Path) -> None:
    writer = ReportWriter(tmp_path / "report.jsonl")
    writer.write(HEADER)
    writer.write(record(1))
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 2
    writer.close()


TWICE = replace(HEADER, checks=3)
STOPPED = Interruption(by="SIGINT", counts={"PASS": 1}, seconds=0.5, exit_code=2)


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ((), None),
        ((HEADER,), reader.ReportTruncated),
        ((HEADER, record(1), record(2)), reader.ReportTruncated),
        ((HEADER, STOPPED), reader.ReportInterrupted),
        ((HEADER, record(1), STOPPED), reader.ReportInterrupted),
        ((HEADER, record(1), STOPPED, STOPPED), reader.ReportDuplicated),
        ((HEADER, record(1), STOPPED, record(2)), reader.ReportReordered),
        ((record(1), STOPPED), reader.ReportInconsistent),
        ((*GOOD, STOPPED), reader.ReportInconsistent),
        ((HEADER, record(1), replace(STOPPED, exit_code=0)), reader.ReportMalformed),
        ((HEADER, HEADER, *GOOD[1:]), reader.ReportDuplicated),
        ((*GOOD, GOOD[3]), reader.ReportDuplicated),
        ((TWICE, record(1), record(2), record(2), GOOD[3]), reader.ReportDuplicated),
        ((*GOOD, *GOOD), reader.ReportDuplicated),
        (GOOD[1:], reader.ReportInconsistent),
        ((record(1), HEADER, record(2), GOOD[3]), reader.ReportReordered),
        ((HEADER, record(1), GOOD[3], record(2)), reader.ReportReordered),
        ((HEADER, record(1), GOOD[3]), reader.ReportInconsistent),
        ((HEADER, record(1), footer(record(1))), reader.ReportInconsistent),
        ((HEADER, record(1), record(2, Verdict.FAIL), GOOD[3]), reader.ReportInconsistent),
        ((*GOOD[:3], replace(GOOD[3], exit_code=1)), reader.ReportInconsistent),
        ((*GOOD[:3], replace(GOOD[3], reasons=("x",))), reader.ReportInconsistent),
        ((HEADER, record(1, comparisons=0), *GOOD[2:]), reader.ReportInconsistent),
        ((replace(HEADER, schema=99), *GOOD[1:]), reader.ReportIncomparable),
        ((HEADER, record(1, comparisons=True), *GOOD[2:]), reader.ReportMalformed),
    ],
)
def test_a_wrong_report_is_refused(
    tmp_path: Path, lines: tuple[Line, ...], refusal: type[reader.ReportRefused] | None
) -> None:
    if refusal is None:
        (tmp_path / "empty.jsonl").write_text("\n")
        with pytest.raises(reader.ReportEmpty, match="empty.jsonl"):
            read_report(tmp_path / "empty.jsonl")
        return
    with pytest.raises(refusal, match="report.jsonl"):
        read_report(written(tmp_path, *lines))


def test_an_interrupted_report_says_by_what_and_when(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, record(1), STOPPED)
    with pytest.raises(reader.ReportInterrupted) as refused:
        read_report(path)
    assert str(refused.value) == f"{path}: interrupted by SIGINT after 1 of 2 checks"
    assert "again to its end" in refused.value.remedy


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR, Verdict.NOT_RUN])
def test_a_green_exit_code_over_red_verdicts_is_refused(tmp_path: Path, verdict: Verdict) -> None:
    both = (record(1, verdict), record(2, verdict))
    with pytest.raises(reader.ReportInconsistent, match="exit code 0 although"):
        read_report(written(tmp_path, HEADER, *both, footer(*both)))


def test_a_report_cut_anywhere_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    whole = written(tmp_path, *GOOD).read_bytes()
    cut = tmp_path / "cut.jsonl"
    for length in range(1, len(whole) - 1, 7):
        cut.write_bytes(whole[:length])
        with pytest.raises(reader.ReportTruncated):
            read_report(cut)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"kind": "verdict"', '"kind": "remark"'),
        ('"verdict": "PASS"', '"verdict": "FINE"'),
        ('"requirement": "URI-001", ', ""),
        ('"kind": "verdict"', '"kind": [1]'),
        ('{"kind": "verdict"', '"kind": "verdict"'),
    ],
)
def test_a_strange_line_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = written(tmp_path, *GOOD)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(reader.ReportMalformed, match="line 2"):
        read_report(path)


def test_fields_of_a_later_writer_are_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path, *GOOD)
    lines = [json.dumps(json.loads(line) | {"later": 1}) for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")
    assert len(read_report(path).records) == 2


def test_the_frame_has_a_row_per_check_and_columns_without_rows() -> None:
    records = (record(1), record(2, Verdict.FAIL, offset=7))
    report = Report(HEADER, records, footer(*records))
    table = frame(report, report)
    assert list(table.columns) == COLUMNS
    assert table.groupby("verdict")["comparisons"].sum().to_dict() == {"PASS": 6, "FAIL": 6}
    assert table["offset"].dropna().tolist() == [7, 7]
    assert list(frame().columns) == COLUMNS
    assert str(table["started"].iloc[0]) == "2026-01-01 00:00:00+00:00"


@pytest.mark.parametrize(
    ("verdicts", "text"),
    [
        ([Verdict.PASS] * 12, "12 pass"),
        ([Verdict.PASS] * 11 + [Verdict.KNOWN_FAIL], "11 pass 1 known"),
        ([Verdict.NOT_RUN] * 3, "NOT-RUN"),
        ([Verdict.PASS, Verdict.FAIL, Verdict.ERROR], "1 ERROR 1 FAIL 1 pass"),
        ([Verdict.UNSUPPORTED, Verdict.NOT_RUN], "1 unsupported 1 NOT-RUN"),
        ([], "-"),
    ],
)
def test_a_cell_says_what_happened(verdicts: list[Verdict], text: str) -> None:
    assert cell(verdicts).plain == text


def test_the_matrix_fits_and_needs_no_colour() -> None:
    records = [
        record(1, verdict, area=area, subject=subject, store=store)
        for area in ("URI", "CACHE", "WEIGHT")
        for subject in ("reference", "streamer", "sglang")
        for store in ("none", "disk", "moto", "minio")
        for verdict in ([Verdict.PASS] * 11 + [Verdict.KNOWN_FAIL])
    ]
    text = render(records)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert "no store" in text.splitlines()[0]
    assert text.count("11 pass 1 known") == 36
    assert "\x1b" in render(records, colour=True)


def test_a_difference_is_seen_however_long_the_values_are() -> None:
    names = [f"layer.{n}" for n in range(500)]
    other = [*names[:400], "layer.x", *names[401:]]
    assert len(shown(names)) < SHOWN + 40
    assert difference(names, other) == "index 400: expected 'layer.400', actual 'layer.x'"
    assert difference(names, names[:-1]) == "500 items expected, 499 came"
    assert difference({"a": 1, "b": 2}, {"a": 1, "c": 2}) == "missing (1): ['b']; unexpected (1): ['c']"
    assert difference({"a": 1}, {"a": 2}) == "key 'a': expected 1, actual 2"
    assert difference("x" * 700 + "a", "x" * 700 + "b") == "byte 700 of the UTF-8 text"


@pytest.mark.parametrize(
    ("left", "right", "offset"),
    [
        (b"", b"", None),
        (b"a", b"", 0),
        (b"abc", b"abd", 2),
        (b"ab", b"abc", 2),
        (b"xbc", b"abc", 0),
        ("a", b"a", None),
    ],
)
def test_the_first_differing_byte(left: object, right: object, offset: int | None) -> None:
    assert first_difference(left, right) == offset
