"""A report whose lines have left their places is refused, whatever became of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reports import reader
from reports.reader import read_report
from suites.selftest.test_reports import HEADER, footer, record, written

RECORDS = tuple(record(number) for number in range(1, 6))


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Header, five records, footer."""
    return written(tmp_path, replace(HEADER, checks=5), *RECORDS, footer(*RECORDS))


def edited(path: Path, edit: Callable[[list[str]], object]) -> Path:
    lines = path.read_text().splitlines()
    edit(lines)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def swap(first: int, second: int) -> Callable[[list[str]], object]:
    def edit(lines: list[str]) -> None:
        lines[first], lines[second] = lines[second], lines[first]

    return edit


def test_the_writer_numbers_the_records(whole: Path) -> None:
    assert [one.number for one in read_report(whole).records] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("first", range(7))
@pytest.mark.parametrize("second", range(7))
def test_any_two_swapped_lines_are_noticed(whole: Path, first: int, second: int) -> None:
    if first == second:
        assert len(read_report(edited(whole, swap(first, second))).records) == 5
        return
    with pytest.raises(reader.ReportReordered, match="report.jsonl"):
        read_report(edited(whole, swap(first, second)))


def test_the_refusal_names_the_first_line_out_of_place(whole: Path) -> None:
    with pytest.raises(reader.ReportReordered, match="is record 4, found in place 2"):
        read_report(edited(whole, swap(2, 4)))


@pytest.mark.parametrize(
    ("edit", "refusal"),
    [
        (lambda lines: lines.insert(5, lines.pop(1)), reader.ReportReordered),
        (lambda lines: lines.insert(1, lines.pop(5)), reader.ReportReordered),
        (lambda lines: lines.append(lines.pop(1)), reader.ReportReordered),
        (lambda lines: lines.insert(0, lines.pop(3)), reader.ReportReordered),
        (lambda lines: lines.reverse(), reader.ReportReordered),
        (lambda lines: lines.insert(4, lines[2]), reader.ReportDuplicated),
        (lambda lines: lines.pop(), reader.ReportTruncated),
        (lambda lines: lines.pop(3), reader.ReportInconsistent),
        (lambda lines: lines.pop(5), reader.ReportInconsistent),
        (lambda lines: lines.pop(0), reader.ReportInconsistent),
    ],
)
def test_a_line_moved_copied_or_removed_is_noticed(
    whole: Path, edit: Callable[[list[str]], object], refusal: type[reader.ReportRefused]
) -> None:
    with pytest.raises(refusal, match="report.jsonl"):
        read_report(edited(whole, edit))


def renumbered(line: int, **changed: object) -> Callable[[list[str]], None]:
    def edit(lines: list[str]) -> None:
        lines[line] = json.dumps(json.loads(lines[line]) | changed)

    return edit


@pytest.mark.parametrize(
    ("edit", "refusal", "text"),
    [
        (renumbered(2, number=1), reader.ReportDuplicated, "two records have the number 1"),
        (renumbered(3, number=10**15), reader.ReportInconsistent, "record 3 is missing"),
        (renumbered(3, number=0), reader.ReportMalformed, "number"),
        (renumbered(3, number="3"), reader.ReportMalformed, "number"),
    ],
)
def test_wrong_numbers_are_noticed(
    whole: Path, edit: Callable[[list[str]], None], refusal: type[reader.ReportRefused], text: str
) -> None:
    with pytest.raises(refusal, match=text):
        read_report(edited(whole, edit))


def test_a_record_without_a_number_is_refused(whole: Path) -> None:
    whole.write_text(whole.read_text().replace('"number": 3, ', ""))
    with pytest.raises(reader.ReportMalformed, match="line 4, a verdict: 'number' is a required property"):
        read_report(whole)


def test_a_record_lost_together_with_its_count_is_missed(whole: Path) -> None:
    """Only the number tells: the footer of a run that was cut short counts what it should."""

    def edit(lines: list[str]) -> None:
        del lines[3]
        lines[-1] = json.dumps(json.loads(lines[-1]) | {"counts": {"PASS": 4}, "full": False})

    with pytest.raises(reader.ReportInconsistent, match="record 3 is missing"):
        read_report(edited(whole, edit))
