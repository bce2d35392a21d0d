"""A report as JUnit XML, which CI systems read: one test case per check.

A failed SHOULD is a failure here as well, although it leaves a run green: JUnit has no word for it.
"""

from __future__ import annotations

from typing import cast

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from reports.block import block
from reports.facts import facts, is_long
from reports.matrix import store_title
from reports.model import Verdict, VerdictRecord
from reports.printable import printable, printable_text
from reports.reader import Report

NAME = "loadproof"
DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'


def junit(report: Report) -> bytes:
    """The XML document; a suite for each subject on each store, in the order of the run."""
    suites: dict[tuple[str, str], TestSuite] = {}
    for record in report.records:
        place = (record.subject, record.store)
        if place not in suites:
            suites[place] = _suite(f"{record.subject}, {store_title(record.store)}", report)
        suites[place].add_testcase(_case(record, report))
    document = JUnitXml(NAME)
    for suite in suites.values():
        document.add_testsuite(suite)
    if beyond := _beyond_the_checks(report):
        document.add_testsuite(beyond)
    document.update_statistics()
    return DECLARATION + cast(bytes, document.tostring())


def _suite(name: str, report: Report) -> TestSuite:
    suite = TestSuite(printable(name))
    suite.timestamp = report.header.started.removesuffix("+00:00")  # JUnit has no time zones
    for title, text in facts(report):
        suite.add_property(title, printable(text))
    return suite


def _case(record: VerdictRecord, report: Report) -> TestCase:
    file, _, function = record.check.partition("::")
    case = TestCase(
        printable(f"{record.requirement} {function or file}"),
        classname=printable(file.removesuffix(".py").replace("/", ".")),
        time=record.seconds,
    )
    if record.verdict in (Verdict.FAIL, Verdict.ERROR):
        rule = report.header.requirements.get(record.requirement)
        text = block(record, rule, seed=report.header.seed, long=is_long(report))
        kind = Failure if record.verdict is Verdict.FAIL else Error
        result = kind(
            printable(f"{record.requirement}: {record.sentence}"), f"{record.verdict} {record.level}"
        )
        result.text = printable_text(text)
        case.result = [result]
    elif record.verdict is not Verdict.PASS:
        case.result = [Skipped(printable(f"{record.verdict}: {_reason(record)}"), str(record.verdict))]
    return case


def _reason(record: VerdictRecord) -> str:
    if record.verdict is Verdict.KNOWN_FAIL:
        return record.link or record.evidence or "an expectation describes it"
    text = record.message or "no reason given"
    return f"{text}; remedy: {record.remedy}" if record.remedy else text


def _beyond_the_checks(report: Report) -> TestSuite | None:
    """A red run whose checks are all well, such as one with a stale expectation, must not look green."""
    footer = report.footer
    if not footer.exit_code:
        return None
    red = any(record.verdict in (Verdict.FAIL, Verdict.ERROR) for record in report.records)
    if red and not footer.unmatched and not footer.newly_passing:
        return None
    suite = _suite("the run itself", report)
    case = TestCase("why this run is red", classname=NAME, time=0)
    result = Error("the run is red", "run")
    result.text = printable_text("\n".join(footer.reasons))
    case.result = [result]
    suite.add_testcase(case)
    return suite
