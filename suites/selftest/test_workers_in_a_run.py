"""A loader that hangs, is killed or crashes is a verdict of the run; a new loader takes one small file."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = Path("suites/selftest/adapters")
URI = "suites/conformance/test_uri.py"
WEIGHTS = "suites/conformance/test_weights.py"
#: two checks of the capability that fails, and others before and after them
CHECKS = [
    f"{URI}::test_the_three_schemes",
    f"{WEIGHTS}::test_names",
    f"{WEIGHTS}::test_random_bits",
    f"{URI}::test_look_alikes",
]


@dataclass
class Run:
    """One conformance run in a process of its own."""

    exit_code: int
    output: str
    verdicts: list[dict[str, Any]]

    def of(self, area: str) -> list[dict[str, Any]]:
        return [one for one in self.verdicts if one["area"] == area]


def conform(tmp_path: Path, adapter: str, *arguments: str) -> Run:
    report = tmp_path / "report.jsonl"
    chosen = ["--subjects", str(ADAPTERS / f"{adapter}.py"), "--stores", "disk", "--report", str(report)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, *chosen],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert lines[-1]["kind"] == "footer", done.stdout
    return Run(done.returncode, done.stdout, [line for line in lines if line["kind"] == "verdict"])


@pytest.mark.parametrize(
    ("adapter", "says", "least"),
    [
        ("hanging", "SubjectHung: tensors gave no answer within 0.5 s", 0.5),
        ("killed", "SubjectDied: worker was killed by SIGKILL during tensors", 0.0),
        ("crashing", "SubjectDied: worker was killed by SIGSEGV during tensors", 0.0),
    ],
)
def test_a_failing_loader_is_a_verdict(tmp_path: Path, adapter: str, says: str, least: float) -> None:
    run = conform(tmp_path, adapter, *CHECKS, "--deadline", "0.5")
    assert run.exit_code == 1
    assert [one["verdict"] for one in run.of("WEIGHT")] == ["FAIL", "FAIL"]
    for one in run.of("WEIGHT"):
        assert one["message"].startswith(says)
        assert "about to" in one["message"] or adapter == "killed"
    # the second one: the first starts the server, too
    assert least <= run.of("WEIGHT")[-1]["seconds"] < least + 2
    others = run.of("URI")
    assert len(others) > 2
    assert {one["verdict"] for one in others} == {"PASS"}


def test_a_new_loader_takes_one_small_file(tmp_path: Path) -> None:
    adapter = ROOT / ADAPTERS / "safetensors_mmap.py"
    code = [line for line in adapter.read_text().splitlines() if line.strip()]
    assert len(code) <= 35
    run = conform(tmp_path, "safetensors_mmap", "suites/conformance")
    assert run.exit_code == 0, run.output
    claimed = [one for one in run.verdicts if one["verdict"] != "UNSUPPORTED"]
    # the library itself quotes a header's type at its full length
    assert {one["requirement"] for one in claimed if one["verdict"] != "PASS"} <= {"SECURITY-035"}
    assert {one["area"] for one in claimed} == {"HEADER", "LIST", "LOAD", "RESOURCE", "SECURITY", "WEIGHT"}
    assert len(claimed) > 80
    others = [one for one in run.verdicts if one not in claimed]
    assert any("uri: unsupported" in one["message"] for one in others)


def test_an_unknown_capability_is_tried(tmp_path: Path) -> None:
    run = conform(tmp_path, "undecided", *CHECKS)
    assert {one["verdict"] for one in run.of("URI")} == {"UNSUPPORTED"}
    assert {one["verdict"] for one in run.of("WEIGHT")} == {"UNSUPPORTED"}
    messages = {one["message"] for one in run.verdicts}
    assert messages == {
        "is_object_uri is lacking: the adapter has no method is_object_uri",
        "tensors raised builtins.NotImplementedError: not for files of this kind",
    }
