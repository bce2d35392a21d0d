"""Writes a report line by line, so that a run that is killed leaves what it had found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from reports.model import Line, VerdictRecord, as_mapping


class ReportWriter:
    """The file exists with its header from the start; only a footer makes it a whole report.

    The header goes first and at once, although versions of subjects and stores are learnt later: a run that
    dies before its first verdict then still says what it was. The late versions are on every record, where
    they survive truncation, and in the footer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None
        self._records = 0

    def discard_old(self) -> None:
        """Removes an earlier run's report, lest it be taken for this one's. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)

    def write(self, line: Line) -> None:
        """Appends one line, a record with its number, and hands it to the system. Raises OSError."""
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8")
        if isinstance(line, VerdictRecord):
            self._records += 1
            line = replace(line, number=self._records)
        # ASCII escapes carry lone surrogates, which hostile object keys may hold, through any reader.
        self._file.write(json.dumps(as_mapping(line), ensure_ascii=True, allow_nan=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None
