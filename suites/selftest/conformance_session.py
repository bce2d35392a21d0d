"""A tiny conformance suite in a folder of its own, run by pytest in this process and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PREAMBLE = """
import pytest
from hypothesis import given, strategies
from fixtures.subjects.protocol import SubjectHung, SubjectRaised
from reports import recorder
from reports.marks import Mismatch, NotRun, Unsupported, requirement

@pytest.fixture(autouse=True)
def _version(request, pytestconfig):
    if request.node.get_closest_marker("requirement"):
        names = request.node.callspec.params
        subject, store = names["subject_name"], names["store_name"]
        recorder.set_subject_version(pytestconfig, subject, {subject: "0.17.2", "torch": "2.15"})
        recorder.set_store_version(pytestconfig, store, "9.9")
"""
REQUIREMENT = """
[[requirement]]
id = "{id}"
level = "{level}"
sentence = "The answer is right, as {id} says."
why = "a wrong answer"
link = "https://example.org/failure"
source = "https://example.org/rule"
capability = "tensors"
stores = {stores}
"""


@dataclass
class Session:
    """What one run of the tiny suite came to."""

    exit_code: int
    output: str
    report: Path
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdict by the last part of the node id: `test_x[reference-disk]`."""
        return {
            line["check"].rpartition("::")[2]: line["verdict"]
            for line in self.lines
            if line["kind"] == "verdict"
        }

    @property
    def last_line(self) -> str:
        return self.output.rstrip().splitlines()[-1]

    @property
    def footer(self) -> dict[str, Any]:
        assert self.lines[-1]["kind"] == "footer"
        return self.lines[-1]

    def verdict_line(self, name: str) -> dict[str, Any]:
        (line,) = [
            one for one in self.lines if one["kind"] == "verdict" and one["check"].endswith(f"::{name}")
        ]
        return line


@dataclass
class TinySuite:
    """Requirements `X-001`… and the tests for them, in pytester's folder."""

    pytester: pytest.Pytester
    requirements: list[str] = field(default_factory=list)

    def requires(self, *ids: str, level: str = "MUST", stores: Sequence[str] = ("disk",)) -> None:
        self.requirements += [
            REQUIREMENT.format(id=one, level=level, stores=json.dumps(list(stores))) for one in ids
        ]

    def expects(self, requirement: str, *, subject: str = "reference", **changed: str) -> None:
        fields = {
            "requirement": f'"{requirement}"',
            "stores": '["disk"]',
            "versions": '">=0.17"',
            "evidence": '"it printed 2"',
            "link": '"https://example.org/known"',
        } | changed
        file = self.folder("known") / f"{subject}.toml"
        text = file.read_text() if file.exists() else ""
        table = "\n".join(f"{name} = {value}" for name, value in fields.items())
        file.write_text(f"{text}\n[[expectation]]\n{table}\n")

    def folder(self, name: str) -> Path:
        path = self.pytester.path / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def run(
        self,
        tests: str,
        *arguments: str,
        paths: Sequence[str] = ("suites/conformance",),
        subjects: str = "reference",
        stores: str = "disk",
        others: Mapping[str, str] | None = None,
    ) -> Session:
        """Writes the suite and runs it. `others`: further test files by path."""
        self.folder("rules").joinpath("x.toml").write_text(
            'area = "X"\ntitle = "x"\n' + "".join(self.requirements)
        )
        self.folder("suites/conformance").joinpath("test_x.py").write_text(PREAMBLE + tests)
        for path, content in (others or {}).items():
            self.folder(str(Path(path).parent)).joinpath(Path(path).name).write_text(content)
        self.folder("known")
        report = self.pytester.path / "reports" / "out" / "conformance.jsonl"
        chosen = ["--subjects", subjects, "--stores", stores]
        fixed = [
            "-p",
            "reports.recorder",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "--rootdir",
            str(self.pytester.path),
        ]
        folders = ["--catalogue", "rules", "--expectations", "known"]
        result = self.pytester.runpytest_inprocess(
            *fixed, *folders, *chosen, *arguments, *paths, no_reraise_ctrlc=True
        )
        lines = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        return Session(int(result.ret), result.stdout.str() + "\n" + result.stderr.str(), report, lines)
