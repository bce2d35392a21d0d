"""Ends a run in good order when it is told to stop: everything is taken down, and the report says why.

Ctrl-C reaches every process of the run, a stop from outside often one alone, and some callers send both
signals one after the other. So the first one raises KeyboardInterrupt, and those that follow don't disturb
the clean-up that it has begun. A clean-up may hang, though: whoever insists, with a third SIGINT, breaks it
off. From then on both signals do what they do without a run, and what was left has to be removed by hand.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from reports.run import Run

WATCHED = (signal.SIGINT, signal.SIGTERM)
INSISTENT = 3
"""How many SIGINT break a clean-up off: two may come of one Ctrl-C that a caller has passed on."""


class Signals:
    """The signals that end this process's run, while they are watched."""

    def __init__(self) -> None:
        self.received: str | None = None
        # the process that keeps the report sends one on to those that judge, which isn't the user's
        self._patience = INSISTENT + ("PYTEST_XDIST_WORKER" in os.environ)
        self._earlier: dict[signal.Signals, Any] = {}

    def watch(self) -> None:
        """Begins; a signal that is being ignored, as in a shell's background, stays so."""
        for number in WATCHED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                with suppress(ValueError):  # not the main thread: then signals aren't this session's business
                    self._earlier[number] = signal.signal(number, self._interrupt)

    def release(self) -> None:
        """Puts the earlier handlers back; idempotent."""
        while self._earlier:
            number, handler = self._earlier.popitem()
            signal.signal(number, handler)

    def raise_again(self) -> None:
        """Raises KeyboardInterrupt for a signal whose own one was swallowed, by a library's callback say."""
        if self.received is not None:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._patience -= number == signal.SIGINT
        if self._patience <= 0:
            self.release()
            raise KeyboardInterrupt
        if self.received is None:
            self.received = signal.Signals(number).name
            raise KeyboardInterrupt


class Interruptions:
    """A plugin that remembers what ended the run, and tells the processes that judge checks for this one.

    A stop may have reached this one alone. Without being told, the others would go on for seconds, and be
    killed before they had cleaned up.
    """

    def __init__(self, run: Run, signals: Signals) -> None:
        self._run = run
        self._signals = signals
        self._processes: list[subprocess.Popen[bytes]] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        """Remembers the process; nothing public names it."""
        process = getattr(getattr(node.gateway, "_io", None), "popen", None)
        if process is not None:
            self._processes.append(process)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Before each check, in the process that judges it and in the one that keeps the report."""
        self._signals.raise_again()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Before the first one."""
        self._signals.raise_again()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """pytest ends the session, for a signal or because a plugin asked it to."""
        said = str(excinfo.value).strip() or excinfo.typename
        self._run.interrupted_by = self._signals.received or said
        for process in self._processes if self._run.active else ():
            process.send_signal(signal.SIGINT)  # which does nothing once the process is known to be gone
