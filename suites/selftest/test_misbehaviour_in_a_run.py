"""Whatever a loader does to its process, the check ends in a verdict, and the next check in its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.model import Verdict, VerdictRecord
from reports.reader import Report
from reports.redaction import LONGEST
from suites.selftest.adapters.nonsense import NONSENSE
from suites.selftest.conformance_run import CONFORMANCE, ROOT, run
from suites.selftest.processes import commands, orphans_kept, wait_until

ADAPTER = ROOT / "suites" / "selftest" / "adapters" / "misbehaving.py"
#: the habit shows in the first; the others are asked of the same fork server, before and after
CHECKS = [
    f"{CONFORMANCE}/test_uri.py::test_the_three_schemes",
    f"{CONFORMANCE}/test_weights.py::test_random_bits",
    f"{CONFORMANCE}/test_weights.py::test_special_values",
    f"{CONFORMANCE}/test_listing.py::test_exactly_the_weight_files",
    f"{CONFORMANCE}/test_uri.py::test_look_alikes",
]
#: a check of each capability that the loader of nonsense claims
ASKED = [
    f"{CONFORMANCE}/test_uri.py::test_the_three_schemes",
    f"{CONFORMANCE}/test_listing.py::test_exactly_the_weight_files",
    f"{CONFORMANCE}/test_cache_properties.py",
    f"{CONFORMANCE}/test_weights.py::test_random_bits",
]
LONGEST_MESSAGE = LONGEST + 200
#: what the loader does -> how the check of random bits ends for it, and how its message begins
HABITS = {
    "nothing": (Verdict.PASS, ""),
    "prints": (Verdict.PASS, ""),
    "floods_its_log": (Verdict.PASS, ""),
    "leaves_a_child": (Verdict.PASS, ""),
    "leaves_threads": (Verdict.PASS, ""),
    "changes_directory": (Verdict.PASS, ""),
    "loses_its_directory": (Verdict.PASS, ""),
    "floods_and_fails": (Verdict.FAIL, "SubjectRaised: tensors raised builtins.OSError: yyyy"),
    "exits_0_at_once": (Verdict.FAIL, "SubjectDied: worker exited with 0 during tensors"),
    "exits_0_politely": (Verdict.FAIL, "SubjectDied: worker exited with 0 during tensors"),
    "interrupts_itself": (Verdict.FAIL, "SubjectDied: worker exited with 1 during tensors"),
    "kills_its_group": (Verdict.FAIL, "SubjectDied: worker was killed by SIGKILL during tensors"),
    "kills_its_server": (Verdict.FAIL, "SubjectDied: worker vanished with its server during tensors"),
    "hangs_up": (Verdict.FAIL, "SubjectDied: worker closed its connection during tensors"),
    "closes_everything": (Verdict.FAIL, "SubjectDied: worker "),
    "deaf": (Verdict.FAIL, "SubjectHung: tensors gave no answer within 5 s"),
    "answers_garbage": (Verdict.FAIL, "SubjectGarbled: tensors was answered with"),
    "answers_another_question": (Verdict.FAIL, "SubjectGarbled: tensors was answered with"),
    "hands_out_nothing_known": (Verdict.FAIL, "SubjectGarbled: tensors was answered with"),
    "hands_out_no_pairs": (Verdict.FAIL, "SubjectRaised: tensors raised builtins.ValueError"),
    "hands_out_no_names": (Verdict.FAIL, "SubjectGarbled: tensors was answered with"),
    "can_not": (Verdict.FAIL, "SubjectRaised: tensors raised builtins.NotImplementedError"),
    "answers_as_two": (Verdict.FAIL, ""),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """One run of all of them, in whose middle each has its moment."""
    folder = tmp_path_factory.mktemp("misbehaving")
    for habit in HABITS:
        (folder / f"{habit}.py").write_text(ADAPTER.read_text())
    subjects = ",".join(str(folder / f"{habit}.py") for habit in HABITS)
    here = Path.cwd()
    with orphans_kept() as started:
        code, found = run(subjects, "disk", folder, *CHECKS, "--deadline", "5", "-n", "0")
        assert wait_until(lambda: not started(), 10), commands(started())
    assert (code, Path.cwd()) == (1, here)
    yield found


def of(report: Report, habit: str, test: str) -> list[VerdictRecord]:
    return [
        one
        for one in report.records
        if Path(one.subject).stem == habit and one.check.partition("::")[2].startswith(test)
    ]


@pytest.mark.parametrize("habit", HABITS)
def test_misbehaviour_ends_in_its_verdict(report: Report, habit: str) -> None:
    verdict, says = HABITS[habit]
    (record,) = of(report, habit, "test_random_bits")
    assert (record.verdict, (record.message or "")[: len(says)]) == (verdict, says)
    assert len(record.message or "") < LONGEST_MESSAGE
    if verdict is Verdict.PASS:
        assert record.comparisons > 10


@pytest.mark.parametrize("habit", HABITS)
def test_the_next_check_has_its_own_verdict(report: Report, habit: str) -> None:
    (record,) = of(report, habit, "test_special_values")
    assert (record.verdict, record.message) == (Verdict.PASS, None)
    others = of(report, habit, "test_the_three") + of(report, habit, "test_look_alikes")
    assert len(others) >= 2
    assert {one.verdict for one in others} == {Verdict.PASS}


@pytest.mark.parametrize("habit", HABITS)
def test_a_claimed_capability_that_is_lacking_is_a_failure(report: Report, habit: str) -> None:
    listed = of(report, habit, "test_exactly_the_weight_files")
    assert listed
    for one in listed:
        assert one.verdict is Verdict.FAIL
        assert (one.message or "").startswith("SubjectLacks: list_weights is lacking: the adapter has no")


def test_two_that_answer_are_one_wrong_answer(report: Report) -> None:
    (record,) = of(report, "answers_as_two", "test_random_bits")
    assert record.what == "the set of tensors"


def test_the_run_says_whose_fault_it_is(report: Report) -> None:
    red = sum(one.verdict is Verdict.FAIL for one in report.records)
    assert report.footer.counts["ERROR"] == 0
    assert report.footer.reasons == (f"{red} checks of a MUST failed",)


def test_nonsense_is_the_subjects_fault(tmp_path: Path) -> None:
    subjects = []
    for nonsense in NONSENSE:
        subjects.append(tmp_path / f"{nonsense}.py")
        subjects[-1].write_text(ADAPTER.with_name("nonsense.py").read_text())
    code, found = run(",".join(map(str, subjects)), "disk", tmp_path, *ASKED, "-n", "0")
    assert (code, found.footer.counts["ERROR"]) == (1, 0)
    # a constant text is what some requirements of the cache ask for
    told = {(Path(one.subject).stem, one.area): one.verdict for one in found.records if one.area != "CACHE"}
    assert len(told) == len(NONSENSE) * 3
    assert set(told.values()) == {Verdict.FAIL}
    cache = {Path(one.subject).stem for one in found.records if one.area == "CACHE" and one.verdict == "FAIL"}
    assert cache == set(NONSENSE)
    assert sum(len(one.message or "") + len(one.actual or "") for one in found.records) < 2 * LONGEST
