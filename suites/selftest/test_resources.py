"""The checks of resources turn red for a loader that keeps what it took, each for its own kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.model import Verdict
from reports.reader import Report
from suites.selftest.test_mutants import CONFORMANCE, ROOT, run, told

ADAPTERS = ROOT / "suites" / "selftest" / "adapters"
RESOURCES = f"{CONFORMANCE}/test_resources.py"
MEMORY = f"{CONFORMANCE}/test_memory.py"
#: what the adapter does -> the requirements that turn red for it, and no others
LEAKS = {
    "nothing": set[str](),
    "descriptor": {"RESOURCE-001", "RESOURCE-006", "RESOURCE-007"},
    "thread": {"RESOURCE-002", "RESOURCE-006", "RESOURCE-007"},
    "child": {"RESOURCE-003", "RESOURCE-006", "RESOURCE-007"},
    "file": {"RESOURCE-003", "RESOURCE-006", "RESOURCE-007"},
    "variable": {"RESOURCE-004"},
    "native_variable": {"RESOURCE-004"},
    "memory": {"RESOURCE-005", "RESOURCE-006", "RESOURCE-007"},
    "when_it_fails": {"RESOURCE-006"},
    "when_given_up": {"RESOURCE-007"},
}
HOARDS = {
    "nothing": set[str](),
    "everything_first": {"RESOURCE-009"},
    "everything_twice": {"RESOURCE-008", "RESOURCE-009"},
    "views": {"RESOURCE-009", "RESOURCE-010"},
}


def red_by_subject(report: Report) -> dict[str, set[str]]:
    """Subject -> the requirements that it fails by a comparison."""
    red: dict[str, set[str]] = {record.subject: set() for record in report.records}
    for record in report.records:
        if record.verdict is not Verdict.PASS:
            assert record.verdict is Verdict.FAIL, told(record)
            assert record.what, told(record)  # an exception would be red as well, but proves nothing
            red[record.subject].add(record.requirement)
    return red


@pytest.mark.parametrize(("file", "habits"), [(RESOURCES, LEAKS), (MEMORY, HOARDS)])
def test_what_is_kept_is_seen(tmp_path: Path, file: str, habits: dict[str, set[str]]) -> None:
    code = (ADAPTERS / "leaking.py").read_text()
    subjects = {}
    for habit in habits:
        adapter = tmp_path / f"{habit}.py"
        adapter.write_text(code)
        subjects[str(adapter)] = habits[habit]
    _, report = run(",".join(subjects), "disk", tmp_path, file)
    assert red_by_subject(report) == subjects


def test_reading_everything_first_is_seen(tmp_path: Path) -> None:
    subject = str(ADAPTERS / "hoarding.py")
    _, report = run(subject, "moto", tmp_path, MEMORY)
    assert red_by_subject(report) == {subject: {"RESOURCE-011"}}


def test_a_buffer_that_is_filled_again_is_seen(tmp_path: Path) -> None:
    """The library lends its buffers where it is told to: the proof that the check of ownership can fail."""
    subject = str(ADAPTERS / "borrowed.py")
    only = ("-k", "test_tensors_stay_valid")
    _, report = run(subject, "disk", tmp_path, f"{CONFORMANCE}/test_streaming.py", *only)
    (with_limit_0,) = [record for record in report.records if record.check.endswith("-0]")]
    assert with_limit_0.verdict is Verdict.FAIL
    assert with_limit_0.what == "bytes"
