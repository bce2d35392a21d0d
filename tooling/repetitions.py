"""The folder of a series of runs: what each was given, its report, compressed, and how it ended.

`run-07.json` is written last, so a run without it did not come to its end and is run again.
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooling.history import write_whole
from tooling.publishing import pack
from tooling.trouble import Trouble

if TYPE_CHECKING:
    from reports.false_alarms import Repetition
    from reports.reader import Report


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run is given. Runs of one series differ in the first five alone."""

    number: int
    seed: int
    order_seed: int
    load: int  # processes of the suite per core beside the first
    processes: int  # of the suite
    subjects: str
    stores: str
    arguments: tuple[str, ...]  # for pytest
    commit: str | None  # of the suite
    versions: dict[str, str]

    @property
    def stem(self) -> str:
        """Of the run's files."""
        return f"run-{self.number:02}"

    @property
    def told(self) -> str:
        """In words, for the progress line."""
        return f"seed {self.seed}, order {self.order_seed}, load {self.load}"


@dataclass(frozen=True)
class Folder:
    """Where the series is kept."""

    path: Path

    def report_of(self, plan: Plan) -> Path:
        """Where pytest writes; gone once the run has been kept."""
        return self.path / f"{plan.stem}.jsonl"

    def log_of(self, plan: Plan) -> Path:
        """What pytest printed."""
        return self.path / f"{plan.stem}.log"

    def keep(self, plan: Plan, *, started: str, seconds: float, exit_code: int, modified: bool) -> None:
        """The run has come to its own end, whatever that was. Raises OSError."""
        report = self.report_of(plan)
        if report.exists():
            pack(report, self.path)
            report.unlink()
        ended = {"started": started, "seconds": round(seconds, 1), "exit_code": exit_code}
        facts = json.dumps({"plan": asdict(plan), **ended, "modified": modified}, indent=1)
        write_whole(self.path / f"{plan.stem}.json", facts + "\n")

    def discard(self, plan: Plan) -> None:
        """Clears away what an interrupted run left."""
        for path in (self.report_of(plan), self.path / f"{plan.stem}.jsonl.gz"):
            path.unlink(missing_ok=True)

    def facts(self, plan: Plan) -> dict[str, Any] | None:
        """What is kept of this run, None if it is still to be run. Raises Trouble: it was another run."""
        path = self.path / f"{plan.stem}.json"
        if not path.exists():
            return None
        try:
            facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            given, wanted = facts["plan"], json.loads(json.dumps(asdict(plan)))
        except (ValueError, KeyError, TypeError) as error:
            raise Trouble(f"{path} can't be used: {error}", "remove it: the run is then repeated") from error
        for name, value in wanted.items():
            if given.get(name) != value:
                reason = f"{path} is of another series: {name} is {given.get(name)!r}, here {value!r}"
                raise Trouble(reason, "name another --out, or remove that folder", code=2)
        return facts

    def repetition(self, plan: Plan) -> Repetition | None:
        """The run as it is kept, None if it is still to be run. Raises Trouble."""
        from reports.false_alarms import Repetition
        from reports.reader import ReportRefused

        facts = self.facts(plan)
        if facts is None:
            return None
        report, refusal = None, None
        try:
            report = unpacked(self.path / f"{plan.stem}.jsonl.gz")
        except FileNotFoundError:
            refusal = "no report was written"
        except (ReportRefused, OSError, EOFError) as error:
            refusal = str(error)
        return Repetition(
            number=plan.number,
            seed=plan.seed,
            order_seed=plan.order_seed,
            load=plan.load,
            processes=plan.processes,
            seconds=facts["seconds"],
            exit_code=facts["exit_code"],
            modified=facts["modified"],
            report=report,
            refusal=refusal,
        )

    def publish(self, target: Path, plans: Iterable[Plan], tables: Iterable[Path]) -> None:
        """Copies tables, and raw data of these runs alone: a longer series may lie here. Raises OSError."""
        target.mkdir(parents=True, exist_ok=True)
        raw = [self.path / f"{plan.stem}{ending}" for plan in plans for ending in (".json", ".jsonl.gz")]
        for path in [*tables, *(one for one in raw if one.exists())]:
            shutil.copyfile(path, target / path.name)


def unpacked(path: Path) -> Report:
    """The compressed report. Raises ReportRefused, OSError and EOFError."""
    from reports.reader import ReportRefused, read_report

    content = gzip.decompress(path.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.stem
        plain.write_bytes(content)
        try:
            return read_report(plain)
        except ReportRefused as refusal:
            raise type(refusal)(str(refusal).replace(str(plain), path.name)) from refusal
