"""A run that is told to stop leaves nothing behind, and a report that says `interrupted`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reports.interruption import Signals
from reports.reader import ReportInterrupted, read_report
from suites.selftest.processes import commands, orphans_kept, wait_until

ROOT = Path(__file__).parents[2]
CHECKS = "suites/conformance/test_weights.py"
#: of the first verdicts, and of the end; seconds, with room for a busy machine
START, END = 240, 90
#: for what ends by itself once the run is gone: servers, containers and who removes them
PATIENCE = 30


@dataclass
class Stopped:
    """What a run left."""

    exit_code: int
    output: str
    report: Path
    folders: list[str]
    processes: list[str]
    containers: list[str]

    @property
    def last_line(self) -> str:
        return self.output.rstrip().splitlines()[-1]


def engine_answers() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def containers_of(labels: set[str]) -> list[str]:
    """Those of these owners, running or not."""
    found: list[str] = []
    for label in labels:
        listed = subprocess.run(
            ["docker", "ps", "--all", "--quiet", "--filter", f"label={label}"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        found += listed.stdout.split()
    return found


def stopped(
    tmp_path: Path, stop: Callable[[int], None], *arguments: str, stores: str = "disk,moto"
) -> Stopped:
    """Starts a run of the suite, waits for its first verdicts, and stops it."""
    report, temporary, said = tmp_path / "report.jsonl", tmp_path / "tmp", tmp_path / "said"
    temporary.mkdir()
    command = [sys.executable, "-m", "pytest", CHECKS, "-p", "no:cacheprovider", *arguments]
    command += ["--subjects", "reference", "--stores", stores, "--report", str(report)]
    kinds = [f"-{store}-" if "-n" not in arguments else "" for store in stores.split(",")]

    def judged() -> bool:
        lines = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        verdicts = [line for line in lines if line["kind"] == "verdict"]
        seen = {line["store"] for line in verdicts}
        return len(verdicts) > 3 and (not any(kinds) or seen >= set(stores.split(",")))

    with orphans_kept() as started, said.open("wb") as output:
        run = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # a shell starts what it puts into the background deaf to it, and a run would inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            wait_until(lambda: judged() or run.poll() is not None, START)
            assert run.poll() is None, said.read_text()
            assert any("server.py" in line for line in commands(started())), "no subject is running"
            assert list(temporary.glob("loadproof-*")), "no folder to be left"
            owners = {
                owner for line in commands(started()) for owner in re.findall(r"loadproof\.owner=\w+", line)
            }
            assert bool(owners) == ("minio" in stores)
            stop(run.pid)
            code = run.wait(END)
        finally:
            run.kill()
            run.wait()
        wait_until(lambda: not started() and not containers_of(owners), PATIENCE)
        left = commands(started())
        for pid in started():
            os.kill(pid, signal.SIGKILL)
    folders = sorted(path.name for path in temporary.glob("loadproof-*"))
    return Stopped(code, said.read_text(), report, folders, left, containers_of(owners))


def assert_nothing_is_left(run: Stopped, by: str) -> None:
    __tracebackhide__ = True
    assert (run.folders, run.processes, run.containers) == ([], [], []), run.output
    assert run.exit_code == pytest.ExitCode.INTERRUPTED, run.output
    assert run.last_line.startswith(f"loadproof: interrupted by {by}: "), run.output
    assert "Traceback" not in run.output and "INTERNALERROR" not in run.output, run.output
    with pytest.raises(ReportInterrupted, match=f"interrupted by {by} after [1-9]"):
        read_report(run.report)


def at_the_terminal(pid: int) -> None:
    """Ctrl-C: every process of the run's group gets it."""
    os.killpg(pid, signal.SIGINT)


def twice(pid: int) -> None:
    """As a program that passes Ctrl-C on, although the terminal has sent it to all."""
    os.killpg(pid, signal.SIGINT)
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)


def from_outside(number: signal.Signals) -> Callable[[int], None]:
    """The one process that was started gets it, as from a supervisor."""
    return lambda pid: os.kill(pid, number)


@pytest.mark.parametrize("processes", ["0", "2"])
@pytest.mark.parametrize(
    ("stop", "by"),
    [
        (at_the_terminal, "SIGINT"),
        (twice, "SIGINT"),
        (from_outside(signal.SIGTERM), "SIGTERM"),
    ],
    ids=["Ctrl-C", "passed on", "SIGTERM"],
)
def test_an_interrupted_run_leaves_nothing_and_says_so(
    tmp_path: Path, stop: Callable[[int], None], by: str, processes: str
) -> None:
    assert_nothing_is_left(stopped(tmp_path, stop, "-n", processes), by)


def test_no_container_stays_behind(tmp_path: Path) -> None:
    if not engine_answers():
        pytest.skip("no Docker engine answers; start one, `docker info` must answer")
    run = stopped(tmp_path, at_the_terminal, "-n", "0", stores="disk,minio")
    assert_nothing_is_left(run, "SIGINT")


def test_a_server_that_is_still_starting_is_not_waited_for(tmp_path: Path) -> None:
    """Its adapter takes its time to be imported, and hears nothing meanwhile."""
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(600)\n")
    program = (
        "import signal, threading, time, os\n"
        "from fixtures.subjects.client import SubjectServer, spec_of\n"
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        f"began = time.monotonic()\ntry:\n    SubjectServer(spec_of({str(tmp_path / 'slow.py')!r}))\n"
        "except KeyboardInterrupt:\n    print(time.monotonic() - began)\n"
    )
    with orphans_kept() as started:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=END,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert wait_until(lambda: not started(), PATIENCE), commands(started())
    assert 1.0 <= float(done.stdout) < 8.0, done.stderr
    assert not list(tmp_path.glob("loadproof-*"))


@pytest.fixture
def earlier() -> Iterator[dict[signal.Signals, object]]:
    """What SIGINT and SIGTERM did before the test, and do again after it, whatever it left."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield dict(before)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("worker", [False, True], ids=["alone", "worker"])
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_who_insists_breaks_a_hanging_clean_up_off(
    first: signal.Signals,
    worker: bool,
    earlier: dict[signal.Signals, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The third SIGINT does, not counting the one that a process which judges is sent by the run itself."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    if worker:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signals = Signals()
    signals.watch()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(first)
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGTERM):
        signal.raise_signal(number)
    for _ in range(1 + (first is signal.SIGTERM) + worker):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) != earlier[signal.SIGTERM]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signals.received == first.name
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == earlier[signal.SIGTERM]
    signals.release()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
