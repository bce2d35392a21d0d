"""The fork server leaves no process and no file, whoever dies first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.subjects.client import SubjectServer, spec_of
from fixtures.subjects.protocol import SubjectDied
from suites.selftest.processes import descendants
from suites.selftest.test_workers import ADAPTERS, ROOT, gone, server_of

#: prints the pids of a server, a busy worker and its daemon, and waits to be killed
RUN = """
import time
from fixtures.subjects.client import SubjectServer, spec_of
server = SubjectServer(spec_of({adapter!r}))
worker = server.worker({{}})
print(server.pid, worker.pid, worker.ask("daemon"), flush=True)
worker.send("wait", seconds=600)
time.sleep(600)
"""


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_is_left_after_stop() -> None:
    before = open_descriptors()
    server = server_of("unruly")
    workers = [server.worker({}) for _ in range(3)]
    workers[0].send("wait", seconds=600)
    started = {server.pid, *(worker.pid for worker in workers), workers[1].ask("daemon")}
    assert started - {server.pid} <= descendants(server.pid)
    folder = server.folder
    server.stop()
    assert all(gone(pid) for pid in started)
    assert not folder.exists()
    with pytest.raises(SubjectDied):
        workers[0].receive("wait", deadline=5)
    for worker in workers:
        worker.close()
        worker.close()
    server.stop()
    assert open_descriptors() == before


def test_nothing_is_left_of_a_run_that_is_killed() -> None:
    code = RUN.format(adapter=str(ADAPTERS / "unruly.py"))
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        started = [int(pid) for pid in run.stdout.readline().split()]
        assert len(started) == 3
        run.kill()
    assert all(gone(pid) for pid in started)


def test_a_server_that_dies_takes_its_workers_and_is_started_again() -> None:
    server = server_of("unruly")
    try:
        with server.worker({}) as orphan:
            orphan.send("wait", seconds=600)
            os.kill(server.pid, signal.SIGKILL)
            with pytest.raises(SubjectDied, match="vanished with its server"):
                orphan.receive("wait", deadline=5)
            assert gone(orphan.pid)
            with server.worker({}) as worker:
                assert worker.ask("echo", value=1) == 1
    finally:
        server.stop()


def test_an_adapter_that_cannot_be_imported(tmp_path: Path) -> None:
    adapter = tmp_path / "broken.py"
    adapter.write_text("import a_library_that_nobody_has\n")
    before = open_descriptors()
    with pytest.raises(SubjectDied, match="exited with 1 during start.*ModuleNotFoundError"):
        SubjectServer(spec_of(str(adapter)))
    assert open_descriptors() == before


def test_an_adapter_that_fails_in_its_worker(tmp_path: Path) -> None:
    adapter = tmp_path / "late.py"
    adapter.write_text(
        "import os\n\nclass Subject:\n    preload = ()\n"
        "    def __init__(self):\n        assert 'LATE' not in os.environ, 'too late'\n"
    )
    server = SubjectServer(spec_of(str(adapter)))
    try:
        with (
            server.worker({"LATE": "1"}) as worker,
            pytest.raises(SubjectDied, match="exited with 1.*too late"),
        ):
            worker.ask("describe")
    finally:
        server.stop()


def test_an_interrupt_at_the_terminal_is_not_the_servers() -> None:
    server = server_of("unruly")
    try:
        assert os.getsid(server.pid) != os.getsid(0)
    finally:
        server.stop()


def test_subjects_are_named_or_given_by_path() -> None:
    assert spec_of("reference").name == "reference"
    assert spec_of(str(ADAPTERS / "plain.py")).name == "plain"
    for wrong in ("nobody", "nowhere/adapter.py"):
        with pytest.raises(LookupError, match=r"reference, streamer"):
            spec_of(wrong)
