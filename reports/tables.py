"""The frame of a report as a file, Parquet or CSV, and back."""

from __future__ import annotations

import csv
from io import BytesIO
from pathlib import Path

import pandas as pd

from reports.frame import TYPES, frame
from reports.reader import Report


def parquet(report: Report) -> bytes:
    """Keeps every type."""
    target = BytesIO()
    frame(report).to_parquet(target, engine="pyarrow", index=False)
    return target.getvalue()


def csv_text(report: Report) -> bytes:
    """UTF-8 with a header; a missing value is an empty field, an empty text is `""`."""
    table = frame(report)
    text = table.to_csv(
        index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S%z"
    )
    return text.encode("utf-8")


def read_parquet(path: Path) -> pd.DataFrame:
    """The frame as it was written. Raises OSError and pyarrow's errors."""
    return pd.read_parquet(path, engine="pyarrow")


def read_csv(path: Path) -> pd.DataFrame:
    """The frame with its types; a text that was empty comes back as missing, which CSV can't tell apart."""
    table = pd.read_csv(path, dtype=TYPES, keep_default_na=False, na_values=[""], encoding="utf-8")
    table["started"] = pd.to_datetime(table["started"], utc=True)
    return table
