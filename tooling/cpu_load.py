"""Keeps processors busy, so that a suite can show that it says the same on a machine that has no time for it.

Run as a script, this file is one busy process: `python cpu_load.py PARENT`, PARENT a process id.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

SLICE = 0.05
"""Seconds between two looks at whether anybody still wants the load."""


@contextmanager
def cpu_load(processes: int) -> Iterator[tuple[int, ...]]:
    """This many busy processes while the block runs, none after it; their process ids."""
    burners: list[subprocess.Popen[bytes]] = []
    command = [sys.executable, "-I", "-S", __file__, str(os.getpid())]
    none = subprocess.DEVNULL  # whoever reads this process's output waits for nobody else's
    try:
        for _ in range(processes):
            burners.append(subprocess.Popen(command, stdin=none, stdout=none, stderr=none))
        yield tuple(burner.pid for burner in burners)
    finally:
        for burner in burners:
            burner.kill()
        for burner in burners:
            burner.wait()


def burn(parent: int) -> None:
    """Calculates until the parent is gone: one that was killed can't end its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    while os.getppid() == parent:
        until = time.monotonic() + SLICE
        while time.monotonic() < until:
            sum(range(1000))


if __name__ == "__main__":
    burn(int(sys.argv[1]))
