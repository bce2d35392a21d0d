"""`report`: a report in forms that people and other programs read."""

from __future__ import annotations

import argparse
from pathlib import Path

from tooling.trouble import Trouble

SUMMARY = "write a report as Markdown, HTML, JUnit XML, Parquet and CSV"
REPORT = "reports/out/conformance.jsonl"
NAMES = ("markdown", "html", "junit", "parquet", "csv")
"""As in reports.formats, which this file doesn't import before it has to: it needs pandas."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("report", nargs="?", default=REPORT, metavar="REPORT", help="default: %(default)s")
    parser.add_argument(
        "--to", default=",".join(NAMES), metavar="FORMS", help="separated by commas; default: %(default)s"
    )
    parser.add_argument("--out", metavar="FOLDER", help="default: where the report lies")


def run(options: argparse.Namespace) -> None:
    """Write the forms that were asked for and print their paths. Raises Trouble."""
    names = _names(options.to)
    from reports import formats
    from reports.reader import ReportRefused, read_report

    path = Path(options.report)
    try:
        report = read_report(path)
    except ReportRefused as refused:
        reason = f"refused ({type(refused).__name__}): {refused}"
        raise Trouble(reason, refused.remedy) from refused
    except OSError as error:
        remedy = "run the suite first (tox -e conformance), or name its report"
        raise Trouble(f"{path}: {error.strerror or error}", remedy) from error
    folder = Path(options.out) if options.out is not None else path.parent
    for name in names:
        try:
            print(formats.write(report, name, folder, path.stem), flush=True)
        except OSError as error:
            raise Trouble(f"{folder}: {error.strerror or error}", "name another folder with --out") from error


def _names(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if unknown := [name for name in names if name not in NAMES]:
        raise Trouble(f"no such form: {unknown[0]!r}", f"--to takes {', '.join(NAMES)}")
    if not names:
        raise Trouble("--to names no form", f"--to takes {', '.join(NAMES)}")
    return names
