"""A folder of nights: one report and one text each, whose names sort by time and end in the verdict.

    2026-11-23T020000Z-green.jsonl    the report, as the run wrote it
    2026-11-23T020000Z-green.txt      what had changed, and the verdict as its last line

While a night runs, its report ends in -running. Whoever finds such a file under the lock knows that its night
died, for a night that ends renames it; a rename is all or nothing.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tooling.trouble import Trouble

NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d{6}Z)-(running|green|red)\.(jsonl|txt)")
STAMP = "%Y-%m-%dT%H%M%SZ"
LOCK = ".lock"
DEAD = "nightly: red: the night died before its end\n"


class History:
    """The nights in `folder`, which is made when first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def alone(self) -> Iterator[int]:
        """Keeps every other night out; the lock's descriptor. Raises Trouble if one is running, and OSError.

        A child that inherits the descriptor holds the lock as well: a run that outlives a killed night keeps
        the next one out until it has ended.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Trouble(
                    f"another night is running in {self.folder}",
                    "wait for its end, or name another --history",
                ) from error
            yield descriptor
        finally:
            os.close(descriptor)

    def begin(self, now: datetime) -> Path:
        """Where the night that starts now writes its report; dead ones are red from here on."""
        for path in self._nights("running"):
            self.end(path, is_green=False, text=DEAD)
        latest = max((stamp_of(path) for path in self._nights()), default="")
        stamp = now.astimezone(UTC).strftime(STAMP)
        if stamp <= latest:  # the order of the nights holds whatever the clock does
            stamp = (datetime.strptime(latest, STAMP) + timedelta(seconds=1)).strftime(STAMP)
        return self.folder / f"{stamp}-running.jsonl"

    def end(self, running: Path, *, is_green: bool, text: str) -> Path:
        """Gives the night its verdict, in the text first; the report's new path, whether it exists or not."""
        report = self.folder / f"{stamp_of(running)}-{'green' if is_green else 'red'}.jsonl"
        write_whole(report.with_suffix(".txt"), text)
        if running.exists():
            running.replace(report)
        return report

    def green(self) -> list[Path]:
        """Reports of green nights, the latest first."""
        return sorted((path for path in self._nights("green") if path.suffix == ".jsonl"), reverse=True)

    def prune(self, keep: int) -> list[str]:
        """Removes all nights but the last `keep` and the last green one; the stamps of those removed."""
        stamps = sorted({stamp_of(path) for path in self._nights()}, reverse=True)
        last_good = {stamp_of(path) for path in self.green()[:1]}
        doomed = set(stamps[keep:]) - last_good
        for path in self._nights():
            if stamp_of(path) in doomed:
                path.unlink()
        return sorted(doomed)

    def _nights(self, verdict: str | None = None) -> list[Path]:
        found = [path for path in self.folder.iterdir() if NAME.fullmatch(path.name)]
        return [path for path in found if verdict is None or f"-{verdict}." in path.name]


def stamp_of(path: Path) -> str:
    """The start of the night in UTC, such as 2026-11-23T020000Z."""
    return path.name.partition("Z-")[0] + "Z"


def write_whole(path: Path, text: str) -> None:
    """Writes next to `path` and renames: whoever reads it sees all or nothing. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
