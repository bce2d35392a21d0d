"""How much memory a worker took for one answer, measured from outside, in bytes."""

from __future__ import annotations

from pathlib import Path

from fixtures.subjects.client import Worker
from fixtures.subjects.footprint import footprint, reset_peak

MiB = 1 << 20


class Peak:
    """The growth of a worker's resident memory, from the moment when this is made to its highest point."""

    def __init__(self, worker: Worker) -> None:
        self._pid = worker.pid
        reset_peak(worker.pid)
        self._before = footprint(worker.pid).resident

    def growth(self) -> int:
        """Bytes; the worker must be alive."""
        return max(0, footprint(self._pid).peak - self._before)


def allocated(folder: Path) -> int:
    """Bytes that the files below `folder` take on the disk, links not followed; sparse holes don't count."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_symlink())
