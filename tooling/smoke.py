"""`smoke`: what this machine can run, in at most 20 seconds, whatever hangs.

Exit code: 0 the suite can run, though things may be absent, each of which is said with its remedy; 1
something that the suite can't do without is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tooling.finding import Finding, State
from tooling.probes import PROBES, Probe

SUMMARY = "say within 20 s what this machine can run, and what is missing"
LIMIT = 20.0
ROOT = Path(__file__).parent.parent
REAP_SECONDS = 1.0
"""For a killed process. One that waits for a dead device can't be killed, and is left behind."""


def arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # nothing to choose


def run(options: argparse.Namespace) -> int:
    """Print each finding as it comes, and the verdict last. Returns 0, or 1 where something is broken."""
    del options
    start = time.monotonic()
    print(f"smoke: asking this machine, for at most {LIMIT:g} s", flush=True)
    findings = {}
    for name, finding in findings_of(PROBES, start):
        findings[name] = finding
        print("\n".join(lines(name, finding)), flush=True)
    print(verdict(findings, time.monotonic() - start), flush=True)
    return int(any(finding.state is State.BROKEN for finding in findings.values()))


def findings_of(probes: dict[str, Probe], start: float) -> Iterator[tuple[str, Finding]]:
    """All probes at once, each finding as it comes."""
    answers: queue.Queue[tuple[str, Finding]] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="loadproof-smoke-", ignore_cleanup_errors=True) as folder:
        # Daemons: a probe that can't be killed must not keep this process either.
        for name, probe in probes.items():
            threading.Thread(
                target=lambda name=name, probe=probe: answers.put((name, ask(name, probe, Path(folder)))),
                daemon=True,
            ).start()
        waiting = dict(probes)
        while waiting:
            left = LIMIT - (time.monotonic() - start)
            try:
                name, finding = answers.get(timeout=max(left, 0.0))
            except queue.Empty:
                yield from ((name, no_answer(name, probe, LIMIT)) for name, probe in waiting.items())
                return
            del waiting[name]
            yield name, finding


def ask(name: str, probe: Probe, folder: Path) -> Finding:
    """Runs the probe in a process of its own, which is killed with its children when its time is up."""
    said = folder / f"{name}.json"
    own = folder / name
    own.mkdir()
    with said.open("wb") as output, (folder / f"{name}.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "tooling.probes", name],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(own)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            start_new_session=True,
        )
    try:
        code = child.wait(probe.seconds)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            child.wait(REAP_SECONDS)
        return no_answer(name, probe, probe.seconds)
    try:
        values = json.loads(said.read_text().splitlines()[-1])
        return Finding(State(values["state"]), values["detail"], values["remedy"])
    except (ValueError, LookupError, TypeError):
        how = f"ended with {code}" if code >= 0 else f"was killed by signal {-code}"
        return without(name, probe, f"the probe {how} and said nothing")


def no_answer(name: str, probe: Probe, seconds: float) -> Finding:
    return without(name, probe, f"no answer within {seconds:g} s")


def without(name: str, probe: Probe, detail: str) -> Finding:
    """The finding of a probe that has none."""
    state = State.BROKEN if probe.needed else State.ABSENT
    return Finding(state, detail, probe.remedy.replace("NAME", repr(name)))


def lines(name: str, finding: Finding) -> list[str]:
    """One line, and another one with the remedy."""
    from reports.printable import printable
    from reports.redaction import Redactor

    clean = Redactor(os.environ).text
    found = [f"  {finding.state:<7} {name:<18} {printable(clean(finding.detail))}"]
    return found + ([f"          remedy: {printable(clean(finding.remedy))}"] if finding.remedy else [])


def verdict(findings: dict[str, Finding], seconds: float) -> str:
    """One line: whether the suite can run, and without what."""
    names: dict[State, list[str]] = {state: [] for state in State}
    for name, finding in findings.items():
        names[finding.state].append(name)
    missing = f", absent: {', '.join(sorted(names[State.ABSENT]))}" if names[State.ABSENT] else ""
    if names[State.BROKEN]:
        head = f"broken: {', '.join(sorted(names[State.BROKEN]))}"
    else:
        head = f"ready: {len(names[State.OK])} of {len(findings)} ok"
    return f"smoke: {head}{missing}, in {seconds:.1f} s"
