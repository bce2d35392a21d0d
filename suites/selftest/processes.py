"""Which processes somebody started and has not taken along."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def exists(pid: int) -> bool:
    """Whether the process is there and not just its remains, which only its parent can take away."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid: int) -> set[int]:
    """Processes below `pid`, without their remains."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            parents[int(stat.parent.name)] = int(parent)
    found: set[int] = set()
    new = {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def commands(pids: set[int]) -> list[str]:
    """Their command lines, of those that are still there."""
    found = []
    for pid in sorted(pids):
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@contextmanager
def orphans_kept() -> Iterator[Callable[[], set[int]]]:
    """Whatever loses its parent below this process becomes its child, however detached it is.

    Gives a function that says which processes have been started since, and are still there.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    before = descendants(os.getpid())
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield lambda: descendants(os.getpid()) - before
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Whether it holds within so many seconds."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True
