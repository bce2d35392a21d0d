"""How verdicts travel from where a check was judged to the process that writes the report.

Without pytest-xdist both are one process; with it, its workers judge and its controller writes.
"""

from __future__ import annotations

import json

import pytest

from fixtures.oracle.proof import LEDGER
from reports.model import Verdict, VerdictRecord, as_mapping
from reports.printable import encodable
from reports.run import Run

#: more processes than this make one store per process and no faster run
MOST_WORKERS = 8


def is_worker(config: pytest.Config) -> bool:
    """Whether this process only judges checks for another one."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether other processes judge the checks for this one."""
    return config.pluginmanager.has_plugin("dsession")


def had_enough(session: pytest.Session) -> bool:
    """Whether `-x` or `--maxfail` ended the run, which xdist's controller tells as an interruption."""
    controller = session.config.pluginmanager.get_plugin("dsession")
    return str(getattr(controller, "shouldstop", "")).startswith("stopping after")


def pack(report: pytest.TestReport, record: VerdictRecord, run: Run) -> None:
    """Puts a finished check on pytest's report of its tear-down, as ASCII, which xdist can carry.

    With it goes what was proven of the oracle since the last check of this process.
    """
    proven, unreadable = LEDGER.drain()
    values = {
        "record": as_mapping(record),
        "subjects": run.subject_versions,
        "stores": run.store_versions,
        "proven": proven,
        "unreadable": unreadable,
    }
    report.__dict__["loadproof"] = json.dumps(values)


def redact(report: pytest.TestReport, run: Run) -> None:
    """Takes secrets out of what pytest itself keeps of a check; `--junitxml`, for one, writes it down."""
    clean = run.redactor.brief
    report.sections = [(title, clean(content)) for title, content in report.sections]
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, clean(reason))
    elif report.longrepr is not None:
        report.longrepr = clean(report.longreprtext)


def make_portable(report: pytest.TestReport) -> None:
    """Escapes what xdist can't carry, lone surrogates, in what pytest itself says of a phase."""
    report.sections = [(title, encodable(content)) for title, content in report.sections]
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, encodable(reason))
    elif report.longrepr is not None:
        report.longrepr = encodable(report.longreprtext)


class Keeper:
    """The plugin that takes verdicts in; registered in the process that writes the report."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds a finished check to the run; a failure that belongs to no check is counted.

        A check whose process died has no record of its own: then this one says so.
        """
        if not self._run.active:
            return
        attempt = self._run.attempts.get(report.nodeid)
        if hasattr(report, "loadproof"):
            packed = json.loads(report.loadproof)
            self._run.subject_versions.update(packed["subjects"])
            self._run.store_versions.update(packed["stores"])
            self._run.proven += packed["proven"]
            self._run.unreadable.update(packed["unreadable"])
            values = packed["record"]
            del values["kind"]
            self._run.add(VerdictRecord(**values | {"verdict": Verdict(values["verdict"])}))
        elif report.failed and not hasattr(report, "verdict"):
            if attempt is None:
                self._run.other_failures += 1
            else:
                attempt.give_up(str(report.longrepr))
                self._run.add(attempt.record(report.nodeid, self._run))
