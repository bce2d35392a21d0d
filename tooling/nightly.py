"""`nightly`: every tier of the suite, held against the last good night.

Ends in one line, "nightly: green: ..." with exit code 0 or "nightly: red: ..." with 1. A night is green when
the run itself is, when it was whole, and when nothing got worse since the last good night, the latest green
one in the history folder. A folder is one series: a night that was asked for less than that one is red.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tooling.history import History, stamp_of
from tooling.trouble import Trouble

if TYPE_CHECKING:
    from reports.comparison import Comparison
    from reports.reader import Report

SUMMARY = "run every tier, and compare with the last good night"
HISTORY = Path("reports/history")
KEEP = 90
MINUTES = 120.0
STOP_SECONDS = 30.0
"""For a run that was told to stop: it takes its stores down."""
ENDINGS = {2: "interrupted", 3: "an internal error", 4: "a usage error", 5: "no tests"}
"""pytest's exit codes beyond 0 and 1: https://docs.pytest.org/en/stable/reference/exit-codes.html"""


@dataclass(frozen=True)
class Night:
    """What a night came to. It is green without reasons."""

    reasons: tuple[str, ...]
    praise: str = ""  # what a green one says
    lines: tuple[str, ...] = ()  # what changed


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--history", type=Path, default=HISTORY, metavar="FOLDER", help="of the nights (default: %(default)s)"
    )
    parser.add_argument(
        "--keep", type=at_least_one, default=KEEP, metavar="N", help="nights to keep (default: %(default)s)"
    )
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="after which the run is stopped (default: %(default)g)"
    )
    parser.add_argument(
        "--new-baseline",
        action="store_true",
        help="what changed since the last good night is intended: show it, and don't be red for it",
    )
    parser.add_argument(
        "arguments", nargs="*", metavar="-- ARGUMENT", help="for pytest, such as --stores disk,moto"
    )


def at_least_one(text: str) -> int:
    """A whole number from 1 on. Raises ValueError, which argparse turns into its own message."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def run(options: argparse.Namespace) -> int:
    """Run the night and print its verdict last. Returns 0 for green, 1 for red."""
    history = History(options.history)
    try:
        if any(word.split("=")[0] == "--report" for word in options.arguments):
            raise Trouble("the night's report belongs into the history", "leave --report out")
        with history.alone() as lock, interruptible():
            line, is_green = spend(history, options, lock)
    except Trouble as trouble:
        line, is_green = f"nightly: red: {trouble.reason}; remedy: {trouble.remedy}", False
    except KeyboardInterrupt:
        line, is_green = "nightly: red: interrupted", False
    except OSError as error:
        line, is_green = f"nightly: red: {options.history} can't be used: {error}", False
    print(line, flush=True)
    return 0 if is_green else 1


def spend(history: History, options: argparse.Namespace, lock: int) -> tuple[str, bool]:
    """The night under its lock, up to its verdict line. Raises OSError where the history can't be written."""
    running = history.begin(datetime.now(UTC))
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--long", f"--report={running.absolute()}"]
    try:
        code = execute([*command, *options.arguments], options.minutes * 60, lock)
        night = judge(code, running, history, is_new_baseline=options.new_baseline)
    except Trouble as trouble:
        night = Night((trouble.reason,))
    except KeyboardInterrupt:
        night = Night(("interrupted",))
    is_green = not night.reasons
    name = f"{stamp_of(running)}-{'green' if is_green else 'red'}"
    word, why = ("green", night.praise) if is_green else ("red", "; ".join(night.reasons))
    line = f"nightly: {word}: {why} [{name}]"
    print("\n".join(["", *night.lines]), flush=True)
    history.end(running, is_green=is_green, text="\n".join([*night.lines, line]) + "\n")
    history.prune(options.keep)
    return line, is_green


def execute(command: Sequence[str], seconds: float, lock: int) -> int:
    """Runs to the end; the exit code, negative for a signal. Raises Trouble where there is no end."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(lock,))
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise Trouble(f"the run did not end within {seconds / 60:g} minutes", "see --minutes") from error
    finally:
        stop(child)


def stop(child: subprocess.Popen[bytes]) -> None:
    """Ends the run if it hasn't: in good order first, so that no store stays behind."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):  # whoever asks twice wants it now
            child.wait(STOP_SECONDS)
        child.kill()
        child.wait()


@contextmanager
def interruptible() -> Iterator[None]:
    """A polite end from outside ends the night as Ctrl-C does, with its verdict."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def judge(code: int, path: Path, history: History, *, is_new_baseline: bool) -> Night:
    """From pytest's exit code and report, and the nights before, to the night's verdict."""
    from reports.outcome import counted
    from reports.reader import ReportRefused, read_report

    how = f"pytest ended with exit code {code}" if code >= 0 else f"pytest was killed by signal {-code}"
    crashed = (f"{how} ({ENDINGS[code]})" if code in ENDINGS else how,) if code not in (0, 1) else ()
    try:
        new = read_report(path)
    except FileNotFoundError:
        return Night((*crashed, "no report was written"))
    except ReportRefused as refusal:
        return Night((*crashed, str(refusal).replace(f"{path}: ", "the report: ")))
    reasons = [*crashed, *(reason.partition(": ")[0] for reason in new.footer.reasons)]
    if not crashed and code != new.footer.exit_code:
        reasons.append(f"{how}, and its report says {new.footer.exit_code}")
    if not new.footer.full:
        reasons.append("a narrowed run: pytest's arguments left checks out")
    before, worse, lines = against_last_good(new, history, is_new_baseline=is_new_baseline)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in new.footer.counts.items() if number)
    praise = f"{counted(len(new.records), 'check')}, {counts}; {before}"
    return Night((*reasons, *worse), praise, tuple(lines))


def against_last_good(
    new: Report, history: History, *, is_new_baseline: bool
) -> tuple[str, list[str], list[str]]:
    """(what it was held against, why that makes the night red, what changed)."""
    from reports import comparison, comparison_text

    good, damaged = last_good(history)
    notes = [f"passed over, since it can't be used: {reason}" for reason in damaged]
    if good is None:
        if damaged and not is_new_baseline:
            return "", ["no green night of the history can be read; see --new-baseline"], notes
        return "the first night, nothing to compare with", [], notes
    path, old = good
    since = f"since {stamp_of(path)}"
    obstacles = comparison.obstacles(old, new)
    found: Comparison = comparison.compare(old, new, only_common=bool(obstacles))
    lines = [*notes, f"OLD is the last good night, {path.name}; NEW is this one.", ""]
    lines += [*(f"not comparable in whole: {one}" for one in obstacles), *comparison_text.lines(found)]
    if is_new_baseline:
        return f"a new baseline, {comparison_text.verdict(found)} {since}", [], lines
    reasons = []
    if obstacles and new.footer.full:  # what a narrowed night left out is said already
        what = f"not the scope of {stamp_of(path)}: {'; '.join(obstacles)}"
        reasons.append(f"{what}; another scope needs another --history, or --new-baseline")
    if found.is_worse:
        reasons.append(f"{comparison_text.verdict(found)} {since}")
    return f"{comparison_text.verdict(found)} {since}", reasons, lines


def last_good(history: History) -> tuple[tuple[Path, Report] | None, list[str]]:
    """The latest night that is green by name and by content, and what is wrong with later ones."""
    from reports.reader import ReportRefused, read_report

    damaged = []
    for path in history.green():
        try:
            report = read_report(path)
        except (ReportRefused, OSError) as error:
            damaged.append(str(error))
            continue
        if report.footer.exit_code == 0 and report.footer.full:
            return (path, report), damaged
        damaged.append(f"{path}: isn't the report of a green night")
    return None, damaged
