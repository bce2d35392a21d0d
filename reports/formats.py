"""The forms that a report can be given, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reports.html import html
from reports.junit import junit
from reports.markdown import markdown
from reports.reader import Report
from reports.tables import csv_text, parquet


@dataclass(frozen=True)
class Format:
    """How a report becomes a file of this form."""

    suffix: str
    content: Callable[[Report], bytes]


FORMATS = {
    "markdown": Format(".md", lambda report: markdown(report).encode()),
    "html": Format(".html", lambda report: html(report).encode()),
    "junit": Format(".junit.xml", junit),
    "parquet": Format(".parquet", parquet),
    "csv": Format(".csv", csv_text),
}


def write(report: Report, name: str, folder: Path, stem: str) -> Path:
    """Writes one form as `folder`/`stem` with the form's suffix. Raises OSError."""
    form = FORMATS[name]
    content = form.content(report)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}{form.suffix}"
    path.write_bytes(content)
    return path
