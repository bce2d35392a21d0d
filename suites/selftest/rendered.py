"""Reports with everything in them, for the tests of what is made of reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from reports.catalogue import Requirement
from reports.model import Footer, Header, Verdict, VerdictRecord
from reports.reader import Report
from suites.selftest.test_reports import HEADER, record

HOSTILE = "<script>alert(1)</script> & \"q\" 'q' `x` | *b* {{ 7*7 }} ]]> \x00\x07\x1b[31m\u202e\ufffe\udcff"
VISIBLE = r"\x00\x07\x1b[31m\u202e\ufffe\udcff"
"""What becomes of its control characters."""


def rule(identity: str) -> Requirement:
    return Requirement(
        id=identity,
        area=identity.partition("-")[0],
        level="MUST",
        sentence=f"What {identity} says, with `code` and <b>no bold</b>.",
        why=f"Why {identity} exists.",
        link=f"https://example.org/failure/{identity}",
        source=f"https://example.org/rule/{identity}",
        capability="tensors",
        stores=("disk", "moto"),
    )


def check(
    number: int, verdict: Verdict, identity: str, subject: str, store: str, **changed: object
) -> VerdictRecord:
    made = record(
        number,
        verdict,
        check=f"suites/conformance/test_{identity[:1].lower()}.py::test_{number}[{subject}-{store}]",
        requirement=identity,
        area=identity.partition("-")[0],
        sentence=rule(identity).sentence,
        subject=subject,
        store=store,
        store_version="9.9",
        **changed,
    )
    return replace(made, number=number)


RECORDS = (
    check(1, Verdict.PASS, "WEIGHT-001", "reference", "disk"),
    check(
        2,
        Verdict.FAIL,
        "WEIGHT-001",
        "streamer",
        "disk",
        what="the data",
        expected="bytes 00",
        actual=f"bytes 01 {HOSTILE}",
        tensor=HOSTILE,
        offset=7,
        message=f"line one {HOSTILE}\n```\n</pre>",
    ),
    check(3, Verdict.ERROR, "WEIGHT-001", HOSTILE, "moto", message="RuntimeError: ours", trace="1\n2"),
    check(4, Verdict.UNSUPPORTED, "URI-002", "reference", "none", message="uri: unsupported"),
    check(5, Verdict.NOT_RUN, "WEIGHT-001", "streamer", "minio", message="no engine", remedy="start `it`"),
    check(
        6,
        Verdict.KNOWN_FAIL,
        "URI-002",
        "streamer",
        "none",
        evidence="`python -c x` printed <False>",
        link="https://example.org/known",
    ),
    check(7, Verdict.KNOWN_FAIL, "URI-001", "streamer", "none", evidence=HOSTILE, link="javascript:alert(1)"),
)


def footer(records: tuple[VerdictRecord, ...], **changed: object) -> Footer:
    made = Footer(
        counts={verdict.value: Counter(one.verdict for one in records)[verdict] for verdict in Verdict},
        seconds=1.5,
        exit_code=1,
        reasons=("1 check ended in ERROR", "1 check of a MUST failed"),
        unmatched=(),
        newly_passing=(),
        full=True,
        subjects={"reference": {"reference": "1"}, "streamer": {"streamer": "2", "torch": "3"}},
        stores={"disk": "9.9"},
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # the caller knows the fields


def header(records: tuple[VerdictRecord, ...]) -> Header:
    return replace(
        HEADER,
        subjects=("reference", "streamer"),
        stores=("disk", "moto", "minio"),
        checks=len(records),
        machine={"cpus": 2, "memory_gib": 8.0, "platform": "Linux"},
        versions={"python": "3.11.7"},
        configuration={"tier": "main", "arguments": ["-k", HOSTILE]},
        requirements={identity: rule(identity) for identity in ("URI-001", "URI-002", "WEIGHT-001")},
    )


REPORT = Report(header(RECORDS), RECORDS, footer(RECORDS))
GREEN = Report(
    header(RECORDS[:1]), RECORDS[:1], footer(RECORDS[:1], exit_code=0, reasons=(), stores={"disk": "9.9"})
)
EMPTY = Report(header(()), (), footer((), reasons=("empty run: no check compared anything",)))
