"""Every mutant of the reference loader turns exactly the right requirements red, and nothing else.

Each is run as a user would run it: a pytest of its own over the areas that the bug touches, judged by the
report that it leaves. Checks that neither the bug nor its look-alikes concern are left out, for time.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.subjects.client import spec_of
from reports.model import Verdict, VerdictRecord
from reports.reader import Report, read_report

ROOT = Path(__file__).parents[2]
CONFORMANCE = "suites/conformance"
#: seconds; the slowest takes a tenth of it on two cores
DEADLINE = 120


@dataclass(frozen=True)
class Kill:
    """Where a mutant is looked for, and the requirements that must turn red there: these and no others."""

    red: tuple[str, ...]
    file: str
    stores: str
    #: pytest's expression for the checks to run, empty for all of the file
    only: str = ""


KILLS = {
    "drop_tensor": Kill(("WEIGHT-016",), "test_weights.py", "disk", "names or shards or empty or header"),
    "swap_tensors": Kill(("WEIGHT-013",), "test_weights.py", "disk", "names or shards or empty or header"),
    "flip_byte": Kill(
        ("WEIGHT-006", "WEIGHT-010"), "test_weights.py", "moto", "bits or larger or odd or names"
    ),
    "reuse_buffer": Kill(
        ("WEIGHT-017", "WEIGHT-020", "WEIGHT-035"), "test_streaming.py", "disk", "valid or limit or loads"
    ),
    "fill_late": Kill(
        ("WEIGHT-029", "WEIGHT-030"), "test_consuming.py", "disk", "handed_out or slow or different_batches"
    ),
    "ignore_index": Kill(
        ("LOAD-001", "LOAD-002", "LOAD-003", "LOAD-004", "LOAD-009"), "test_loader.py", "disk", "not settings"
    ),
    "leak_settings": Kill(("LOAD-024", "LOAD-025"), "test_load_settings.py", "disk"),
    "convert_silently": Kill(("LOAD-013", "LOAD-014"), "test_modules.py", "disk"),
    "hash_only_bucket": Kill(("CACHE-004", "CACHE-005"), "test_cache.py", "disk"),
    "pull_weight_file": Kill(("META-002",), "test_metadata.py", "moto", "not any_tree"),
    "skip_nested_file": Kill(
        ("META-001", "META-002", "META-004", "META-006"), "test_metadata.py", "moto", "not any_tree"
    ),
    "list_neighbour_prefix": Kill(("LIST-002",), "test_listing.py", "moto", "not page and not unusual"),
    "follow_index": Kill(("SECURITY-001", "SECURITY-002"), "test_hostile_index.py", "disk"),
    "trust_names": Kill(("SECURITY-004", "SECURITY-005", "SECURITY-010"), "test_hostile_keys.py", "disk"),
    "import_model_code": Kill(("SECURITY-027",), "test_hostile_code.py", "disk,moto"),
    "swallow_stream_error": Kill(("WEIGHT-024",), "test_streaming.py", "moto", "refused or exist or loads"),
    "accept_trailing_bytes": Kill(("HEADER-005",), "test_headers.py", "disk"),
    "trust_every_field": Kill(("HEADER-007", "HEADER-008"), "test_headers.py", "disk"),
    "read_any_json": Kill(("HEADER-002", "HEADER-003", "HEADER-006"), "test_headers.py", "disk"),
    "load_empty_metadata": Kill(("HEADER-009",), "test_headers.py", "disk"),
}
#: the checks that kill, to be asked of the loader that the mutants are made from
CONTROL = (
    "empty_shards or order_of_the_header or random_bits or larger or stay_valid or memory_limit or refused"
    " or index or subfolder or missing or case_of_the_key or no_two_models or heavy or whole_tree or climbs"
    " or neighbours or ways_out or name_no_file or keys_that or half_folder or handed_out or slow_consumer"
    " or next_load or own_variables or another_shape or another_type"
    " or executes_nothing or layouts or of_errors or no_json or entries or odd_metadata or legal_files"
)


def run(subject: str, stores: str, folder: Path, *arguments: str) -> tuple[int, Report]:
    """Runs the conformance suite for `subject`; its exit code and its report."""
    report = folder / "report.jsonl"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    command += ["--subjects", subject, "--stores", stores, "--report", str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE)
    assert report.exists(), f"no report:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.returncode, read_report(report)


def verdicts(report: Report) -> dict[tuple[str, str], set[Verdict]]:
    """(requirement, store) -> the verdicts of its checks."""
    found: defaultdict[tuple[str, str], set[Verdict]] = defaultdict(set)
    for record in report.records:
        found[record.requirement, record.store].add(record.verdict)
    return dict(found)


def told(record: VerdictRecord) -> str:
    return (
        f"{record.verdict} {record.check}: {record.what} {record.expected} {record.actual} {record.message}"
    )


@pytest.mark.parametrize("name", KILLS)
def test_a_mutant_turns_the_right_requirements_red(name: str, tmp_path: Path) -> None:
    kill = KILLS[name]
    subject = f"mutants/{name}"
    narrowed = ("-k", kill.only) if kill.only else ()
    exit_code, report = run(subject, kill.stores, tmp_path, f"{CONFORMANCE}/{kill.file}", *narrowed)
    not_green = [record for record in report.records if record.verdict is not Verdict.PASS]
    everything = "\n".join(map(told, not_green))
    assert {record.subject for record in report.records} == {subject}
    assert {record.verdict for record in not_green} == {Verdict.FAIL}, everything
    # an exception would be red as well, but only a comparison has seen what the mutant does
    assert all(record.what and record.comparisons for record in not_green), everything
    by_place = verdicts(report)
    red = {place for place, seen in by_place.items() if Verdict.FAIL in seen}
    assert red == {place for place in by_place if place[0] in kill.red}, everything
    assert {requirement for requirement, _ in red} == set(kill.red), everything
    assert {requirement for requirement, _ in by_place} > set(kill.red), "nothing could have stayed green"
    assert exit_code == report.footer.exit_code == 1


def test_the_unchanged_loader_is_green(tmp_path: Path) -> None:
    exit_code, report = run("reference", "moto", tmp_path, CONFORMANCE, "-k", CONTROL)
    not_green = [told(record) for record in report.records if record.verdict is not Verdict.PASS]
    assert not_green == []
    assert exit_code == report.footer.exit_code == 0
    asked = {record.requirement for record in report.records}
    assert {requirement for kill in KILLS.values() for requirement in kill.red} <= asked


def test_every_mutant_is_run() -> None:
    adapters = {path.stem for path in spec_of("mutants/drop_tensor").adapter.parent.glob("[!_]*.py")}
    assert adapters == set(KILLS)
