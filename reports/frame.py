"""Reports as pandas frames: one row per check, for whoever wants to count, join and compare."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pandas as pd

from reports.model import VerdictRecord
from reports.printable import encodable

if TYPE_CHECKING:
    from reports.reader import Report

LEADING = [
    "requirement",
    "level",
    "area",
    "subject",
    "version",
    "store",
    "verdict",
    "comparisons",
    "seconds",
]
COLUMNS = [
    *LEADING,
    *(field.name for field in fields(VerdictRecord) if field.name not in LEADING),
    "started",
    "seed",
]


NUMBERS = {
    "number": "int64",
    "comparisons": "int64",
    "seconds": "float64",
    "offset": "Int64",
    "seed": "int64",
}
TEXTS = [name for name in COLUMNS if name not in NUMBERS and name != "started"]
TYPES = NUMBERS | dict.fromkeys(TEXTS, "string")
"""Of all columns but `started`; missing texts are <NA>, whatever pandas would take for a text by itself."""


def frame(*reports: Report) -> pd.DataFrame:
    """All checks of these reports, in order; `seconds` in seconds, `offset` in bytes (nullable integers).

    Texts are as in the report, but for NUL and lone surrogates, which frames can't hold: these are escaped.
    `started` (UTC) and `seed` tell the rows of several reports apart. Without rows, the columns are there.
    """
    rows = [
        {name: _held(getattr(record, name)) for name in COLUMNS[:-2]}
        | {"verdict": str(record.verdict), "started": report.header.started, "seed": report.header.seed}
        for report in reports
        for record in report.records
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["started"] = pd.to_datetime(table["started"], utc=True)
    return table.astype(TYPES)


def _held(value: object) -> object:
    return encodable(value) if isinstance(value, str) else value
