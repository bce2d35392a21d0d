"""The checks of resources, and of what is healthy today, turn red for a loader with just that bad habit."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.model import Verdict
from reports.mutants import told
from reports.reader import Report
from suites.selftest.conformance_run import CONFORMANCE, ROOT, run

ADAPTERS = ROOT / "suites" / "selftest" / "adapters"
RESOURCES = f"{CONFORMANCE}/test_resources.py"
MEMORY = f"{CONFORMANCE}/test_memory.py"
HEALTHY = f"{CONFORMANCE}/test_healthy.py"
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
SICKNESSES = {
    "nothing": set[str](),
    "shared_files": {"WEIGHT-040"},
    "not_in_a_child": {"WEIGHT-041"},
    "a_thousand": {"WEIGHT-045"},
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


@pytest.mark.parametrize(("file", "habits"), [(RESOURCES, LEAKS), (MEMORY, HOARDS), (HEALTHY, SICKNESSES)])
def test_a_bad_habit_is_seen(tmp_path: Path, file: str, habits: dict[str, set[str]]) -> None:
    code = (ADAPTERS / "leaking.py").read_text()
    subjects = {}
    for habit in habits:
        adapter = tmp_path / f"{habit}.py"
        adapter.write_text(code)
        subjects[str(adapter)] = habits[habit]
    tier = ("--long",) if habits is SICKNESSES else ()
    _, report = run(",".join(subjects), "disk", tmp_path, file, *tier)
    assert red_by_subject(report) == subjects


def test_reading_everything_first_is_seen(tmp_path: Path) -> None:
    subject = str(ADAPTERS / "hoarding.py")
    _, report = run(subject, "moto", tmp_path, MEMORY)
    assert red_by_subject(report) == {subject: {"RESOURCE-011"}}


def test_impatience_is_seen(tmp_path: Path) -> None:
    subject = str(ADAPTERS / "impatient.py")
    only = ("--long", "-k", "503 or late")
    _, report = run(subject, "moto", tmp_path, HEALTHY, *only)
    assert {record.verdict for record in report.records} == {Verdict.FAIL}
    assert {record.requirement for record in report.records} == {"WEIGHT-043", "WEIGHT-044"}


def test_a_buffer_that_is_filled_again_is_seen(tmp_path: Path) -> None:
    """The library lends its buffers where it is told to: the proof that the check of ownership can fail."""
    subject = str(ADAPTERS / "borrowed.py")
    only = ("-k", "test_tensors_stay_valid")
    _, report = run(subject, "disk", tmp_path, f"{CONFORMANCE}/test_streaming.py", *only)
    (with_limit_0,) = [record for record in report.records if record.check.endswith("-0]")]
    assert with_limit_0.verdict is Verdict.FAIL
    assert with_limit_0.what == "bytes"
