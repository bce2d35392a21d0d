"""Runs jobs of `automatic_mutants_loop` in several processes and hands over what comes of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tooling.nightly import stop
from tooling.trouble import Trouble

ROOT = Path(__file__).parent.parent
#: the stores that every machine can run
STORES = "disk,moto"
#: seconds between two looks at what has come, and between two lines of progress
LOOK, SAY = 0.5, 20.0


@dataclass(frozen=True)
class Crew:
    """How jobs are run."""

    folder: Path
    processes: int
    #: seconds that a loader has for an answer; a mutant that never ends costs twice as much
    deadline: float
    seed: int | None = None

    def do(self, title: str, jobs: Sequence[dict[str, Any]]) -> Generator[dict[str, Any], None, None]:
        """The results, in the order in which they come. Raises Trouble: a process ended before its time."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "next").touch()
        lines = "".join(json.dumps(job) + "\n" for job in jobs)
        (self.folder / "jobs.jsonl").write_text(lines, encoding="utf-8")
        results = self.folder / "results.jsonl"
        results.touch()
        with self._running(min(self.processes, len(jobs))) as running, results.open("rb") as arriving:
            say, done, left = progress(title, len(jobs)), 0, b""
            while True:
                ended = all(process.poll() is not None for process in running)
                *whole, left = (left + arriving.read()).split(b"\n")
                for line in whole:
                    yield json.loads(line)
                done += len(whole)
                say(done)
                if done == len(jobs):
                    break
                if ended or any(process.poll() for process in running):
                    raise Trouble(f"{title}: {done} of {len(jobs)} jobs were done", self._where())
                time.sleep(LOOK)
            for process in running:
                process.wait()

    def _where(self) -> str:
        last = [path.read_text(errors="replace").strip()[-600:] for path in self.folder.glob("*.log")]
        return f"read {self.folder}/*.log, and go on with --resume. They end:\n" + "\n".join(last)

    def command(self) -> list[str]:
        """Of one process."""
        words = [sys.executable, "-m", "pytest", "-q", "-c", "tox.ini", "--rootdir", ".", "-n", "0"]
        words += ["-p", "tooling.automatic_mutants_loop", "--automatic-jobs", str(self.folder.resolve())]
        # checks of the long tier, too; the loop has them draw no more than the others
        words += ["--long"]
        words += ["--subjects", "automatic", "--stores", STORES, "--deadline", str(self.deadline)]
        words += ["--report", str(self.folder.resolve() / "none.jsonl"), "suites/conformance"]
        return words if self.seed is None else [*words, "--seed", str(self.seed)]

    @contextmanager
    def _running(self, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
        running: list[subprocess.Popen[bytes]] = []
        with ExitStack() as ending:
            for number in range(count):
                with (self.folder / f"{number}.log").open("wb") as log:
                    # a group of its own: Ctrl-C is for this process, which ends the others in good order
                    process = subprocess.Popen(
                        self.command(),
                        cwd=ROOT,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        process_group=0,
                    )
                ending.callback(stop, process)
                running.append(process)
            yield running


def progress(title: str, total: int) -> Callable[[int], None]:
    """A function that says how many are done and how long the rest takes, now and then."""
    began = time.monotonic()
    said = began

    def say(done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if done == total or now - said >= SAY:
            said = now
            left = (now - began) / done * (total - done) if done else 0.0
            print(
                f"{title}: {done}/{total} in {now - began:.0f} s, some {left / 60:.0f} min left", flush=True
            )

    return say
