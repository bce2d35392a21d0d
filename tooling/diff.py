"""`diff`: what got worse, better or lost between two reports.

Exit code: 0 nothing got worse, 1 something did, 2 the command line or a report can't be used.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooling.history import write_whole
from tooling.trouble import Trouble

if TYPE_CHECKING:
    from reports.reader import Report

SUMMARY = "compare two reports: what regressed, was fixed, vanished or fell silent"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD", type=Path, help="the report to hold the other one against")
    parser.add_argument("new", metavar="NEW", type=Path, help="the report in question")
    parser.add_argument(
        "--only-common",
        action="store_true",
        help="compare reports of different scope by the checks that both have; says how many were left out",
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write every changed check there")


def run(options: argparse.Namespace) -> int:
    """Print the comparison, its verdict last. Raises Trouble with code 2."""
    from reports import comparison, comparison_text  # here, since other commands run without what these need

    old, new = read(options.old), read(options.new)
    if not options.only_common and (obstacles := comparison.obstacles(old, new)):
        raise Trouble(
            f"{options.new} can't be held against {options.old}: {'; '.join(obstacles)}",
            "give two whole runs with the same tier and seed, and OLD's subjects and stores in NEW; "
            "or compare the checks that both have with --only-common",
            code=2,
        )
    found = comparison.compare(old, new, only_common=options.only_common)
    if not found.pairs:
        raise Trouble(
            f"{options.old} and {options.new} have no check in common",
            "give two reports of the same suite",
            code=2,
        )
    if options.json:
        files = {"old": str(options.old), "new": str(options.new)}
        write_json(options.json, files | comparison_text.as_values(found))
    print(f"OLD {options.old}, {summary(old)}\nNEW {options.new}, {summary(new)}\n")
    if new.header.started < old.header.started:
        print("NEW is the earlier one of the two: are they swapped?\n")
    print("\n".join([*comparison_text.lines(found), f"diff: {comparison_text.verdict(found)}"]))
    return 1 if found.is_worse else 0


def summary(report: Report) -> str:
    """When it was run, and why it is red where it is."""
    why = f", red: {'; '.join(reason.partition(':')[0] for reason in report.footer.reasons)}"
    return report.header.started + (why if report.footer.exit_code else ", green")


def read(path: Path) -> Report:
    """The report in this file. Raises Trouble with code 2."""
    from reports.reader import ReportRefused, read_report

    try:
        return read_report(path)
    except ReportRefused as error:
        raise Trouble(str(error), error.remedy, code=2) from error
    except OSError as error:
        raise Trouble(f"{path}: {error.strerror}", "name a report that can be read", code=2) from error


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Atomically: whoever reads the path sees all or nothing. Raises Trouble with code 2."""
    try:
        write_whole(path, json.dumps(values, indent=1, ensure_ascii=True) + "\n")
    except OSError as error:
        raise Trouble(f"{path}: {error.strerror}", "name a path that can be written", code=2) from error
