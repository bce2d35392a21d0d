"""How much memory a worker took for one answer, measured from outside, in bytes."""

from __future__ import annotations

from pathlib import Path

from fixtures.subjects.client import Worker

MiB = 1 << 20
#: what resets the peak: https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
RESET_PEAK = "5"


class Peak:
    """The growth of a worker's resident memory, from the moment when this is made to its highest point."""

    def __init__(self, worker: Worker) -> None:
        self._status = Path(f"/proc/{worker.pid}/status")
        Path(f"/proc/{worker.pid}/clear_refs").write_text(RESET_PEAK)
        self._before = self._field("VmRSS")

    def growth(self) -> int:
        """Bytes; the worker must be alive."""
        return max(0, self._field("VmHWM") - self._before)

    def _field(self, name: str) -> int:
        for line in self._status.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"{self._status} has no {name}")


def allocated(folder: Path) -> int:
    """Bytes that the files below `folder` take on the disk, links not followed; sparse holes don't count."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_symlink())
