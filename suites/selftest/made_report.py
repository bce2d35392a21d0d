"""Reports as a run would have written them, from verdicts alone."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.model import (
    PROVING,
    SCHEMA_VERSION,
    Footer,
    Header,
    Interruption,
    Line,
    Verdict,
    VerdictRecord,
    as_mapping,
)
from reports.reader import Report
from reports.writer import ReportWriter

HEADER = Header(
    schema=SCHEMA_VERSION,
    started="2026-01-01T02:00:00+00:00",
    seed=5,
    subjects=("reference",),
    stores=("disk",),
    checks=0,
    machine={"cpus": 2},
    versions={"python": "3.11.7"},
    configuration={"tier": "long"},
    environment={},
)


def record(test: str, verdict: Verdict, **changed: Any) -> VerdictRecord:
    """The verdict of `test_<test>` by the reference loader on a disk, unless `changed` says otherwise."""
    values: dict[str, Any] = {
        "requirement": "URI-001",
        "level": "MUST",
        "area": "URI",
        "sentence": "s",
        "subject": "reference",
        "version": "0.1.0",
        "store": "disk",
        "store_version": None,
        "comparisons": 3 if verdict in PROVING else 0,
        "seconds": 0.5,
    } | changed
    check = f"suites/conformance/test_uri.py::test_{test}[{values['subject']}-{values['store']}]"
    return VerdictRecord(check=check, verdict=verdict, **values)


def report(
    records: Sequence[VerdictRecord], footer: Mapping[str, Any] | None = None, **header: Any
) -> Report:
    """A whole report with these records; its footer says what the run would have said."""
    verdicts = [one.verdict for one in records]
    red = [one for one in records if one.verdict is Verdict.ERROR]
    red += [one for one in records if one.verdict is Verdict.FAIL and one.level == "MUST"]
    reasons = [f"{len(red)} checks are red"] if red else []
    if not PROVING & set(verdicts):
        reasons.append("empty run: no check compared anything")
    end = Footer(
        counts=dict(Counter(str(verdict) for verdict in verdicts)),
        seconds=1.0,
        exit_code=1 if reasons else 0,
        reasons=tuple(reasons),
        unmatched=(),
        newly_passing=(),
        full=True,
        subjects={"reference": {"reference": "0.1.0"}},
        stores={"disk": "Linux"},
    )
    return Report(
        dataclasses.replace(HEADER, checks=len(records), **header),
        tuple(records),
        dataclasses.replace(end, **(footer or {})),
    )


def interrupted(made: Report) -> str:
    """The text of this report, had Ctrl-C come just before its footer."""
    end = Interruption(by="SIGINT", counts=made.footer.counts, seconds=0.5, exit_code=2)
    numbered = (dataclasses.replace(one, number=n) for n, one in enumerate(made.records, start=1))
    lines: list[Line] = [made.header, *numbered, end]
    return "".join(json.dumps(as_mapping(line)) + "\n" for line in lines)


def write(path: Path, made: Report) -> Path:
    """As the recorder writes it."""
    writer = ReportWriter(path)
    writer.discard_old()
    lines: list[Line] = [made.header, *made.records, made.footer]
    for line in lines:
        writer.write(line)
    writer.close()
    return path
