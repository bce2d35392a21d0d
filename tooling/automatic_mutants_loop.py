"""A pytest plugin that collects the suite once and then runs its checks for one mutant after the other.

Collecting the suite for thousands of subjects would take hours and gigabytes. Here every check is collected
for the subject `automatic`, and is run with another subject's name each time. Several such processes share a
list of jobs: each takes the next one that nobody has. A job is a line of JSON:

    {"collect": true}                            which checks are there?
    {"check": ID}                                what does the loader run in it, and does it pass?
    {"mutant": NAME, "function": …, "checks": [ID, ID, …]}
                                                 the first of these checks that turns red ends it

What comes of a job is appended to one file, a line of JSON for each.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from fixtures.subjects import client
from fixtures.subjects.automatic import VARIABLE
from fixtures.subjects.client import AUTOMATIC, RECORDING
from fixtures.subjects.protocol import SubjectHung, SubjectRaised
from reports.attempt import ATTEMPT, Attempt
from reports.marks import Mismatch
from reports.model import Verdict

#: checks that killed neighbours and are asked first, for each function
REMEMBERED = 6


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("loadproof").addoption("--automatic-jobs", type=Path, help="folder with jobs.jsonl")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Late, so that the loop comes before the recorder's, which would write a report.

    That a property fails is all that counts: its smallest failing case would cost minutes.
    """
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("automatic", phases=phases)
    hypothesis.settings.load_profile("automatic")
    folder: Path = session.config.getoption("--automatic-jobs")
    session.config.pluginmanager.register(Loop(folder))


class Loop:
    """Does jobs until none is left, or until the process that made them is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._killers: defaultdict[str, list[str]] = defaultdict(list)
        self._items: dict[str, pytest.Item] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted(f"{session.testsfailed} errors during collection")
        self._items = {item.nodeid: item for item in session.items if ATTEMPT in item.stash}
        # the variable reaches the workers of a recording only; it is set for no other
        client.INHERITED = (*client.INHERITED, VARIABLE)
        for job in self._jobs():
            if "collect" in job:
                self._tell({"checks": list(self._items)})
            else:
                self._tell(self._recorded(job["check"]) if "check" in job else self._tried(job))
        session._setupstate.teardown_exact(None)
        return True

    def _jobs(self) -> Iterator[dict[str, Any]]:
        """The jobs that no other process took before."""
        parent = os.getppid()
        with (self._folder / "jobs.jsonl").open("rb") as jobs, (self._folder / "next").open("r+b") as place:
            while os.getppid() == parent:
                fcntl.flock(place, fcntl.LOCK_EX)
                place.seek(0)
                jobs.seek(int(place.read() or b"0"))
                line = jobs.readline()
                place.seek(0)
                place.write(b"%d" % jobs.tell())
                place.flush()
                fcntl.flock(place, fcntl.LOCK_UN)
                if not line:
                    return
                yield json.loads(line)

    def _tell(self, result: dict[str, Any]) -> None:
        line = json.dumps(result).encode() + b"\n"
        descriptor = os.open(self._folder / "results.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, line)  # in one piece, since other processes write, too
        finally:
            os.close(descriptor)

    def _recorded(self, check: str) -> dict[str, Any]:
        """A check's lines; it counts only if it passes without being watched, too."""
        lines = self._folder / f"lines-{os.getpid()}"
        lines.unlink(missing_ok=True)
        os.environ[VARIABLE] = str(lines)
        watched = self._run(check, RECORDING)
        del os.environ[VARIABLE]
        plain = self._run(check, "")
        return {
            "check": check,
            "verdict": plain.verdict,
            "watched": watched.verdict,
            "messages": [one.message for one in (watched, plain) if one.message],
            "seconds": round(plain.seconds, 3),
            "lines": sorted(set(lines.read_text().split())) if lines.exists() else [],
        }

    def _tried(self, job: dict[str, Any]) -> dict[str, Any]:
        """Asks until a check is red twice: what is red by chance alone is no kill."""
        began = time.monotonic()
        killers = self._killers[job["function"]]
        wanted = {check: None for check in job["checks"] if check in self._items}
        asked = errors = unstable = 0
        outcome: dict[str, Any] = {"killed": False}
        # what killed a neighbour is asked first, also where it is none of the first checks for this one
        for check in dict.fromkeys([*killers, *wanted]):
            attempt = self._run(check, job["mutant"])
            asked += 1
            errors += attempt.verdict is Verdict.ERROR
            if attempt.verdict is not Verdict.FAIL:
                continue
            if self._run(check, job["mutant"]).verdict is not Verdict.FAIL:
                unstable += 1
                continue
            requirement = attempt.requirement.id
            outcome = {"killed": True, "by": way_of(attempt), "check": check, "requirement": requirement}
            killers[:] = [check, *(one for one in killers if one != check)][:REMEMBERED]
            break
        counts = {"asked": asked, "errors": errors, "unstable": unstable}
        seconds = round(time.monotonic() - began, 3)
        return {"mutant": job["mutant"], **outcome, **counts, "seconds": seconds}

    def _run(self, check: str, variant: str) -> Attempt:
        """One check, from set-up to tear-down, against the loader of that name."""
        item = self._items[check]
        assert isinstance(item, pytest.Function)
        subject = f"{AUTOMATIC}/{variant}" if variant else AUTOMATIC
        before = item.stash[ATTEMPT]
        item.callspec.params["subject_name"] = subject
        item.stash[ATTEMPT] = attempt = Attempt(before.requirement, subject, before.store, long=False)
        item._initrequest()
        # of what follows only the way to it is asked for: the session's fixtures, and no other, stay
        runtestprotocol(item, log=False, nextitem=cast(pytest.Item, item.session))
        return attempt


def way_of(attempt: Attempt) -> str:
    """What turned the check red, in a word."""
    error = attempt.error
    if isinstance(error, Mismatch):
        return "comparison"
    if isinstance(error, SubjectRaised):
        return "exception"
    return "hang" if isinstance(error, SubjectHung) else "crash"
