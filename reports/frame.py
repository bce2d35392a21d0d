"""Reports as pandas frames: one row per check, for whoever wants to count, join and compare."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pandas as pd

from reports.model import VerdictRecord

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


def frame(*reports: Report) -> pd.DataFrame:
    """All checks of these reports, in order; `seconds` in seconds, `offset` in bytes (nullable integers).

    `started` (UTC) and `seed` tell the rows of several reports apart. Without rows, the columns are there.
    """
    rows = [
        {name: getattr(record, name) for name in COLUMNS[:-2]}
        | {"verdict": str(record.verdict), "started": report.header.started, "seed": report.header.seed}
        for report in reports
        for record in report.records
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["started"] = pd.to_datetime(table["started"], utc=True)
    return table.astype({"comparisons": "int64", "seconds": "float64", "offset": "Int64", "seed": "int64"})
