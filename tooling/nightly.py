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
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tooling.history import History, stamp_of
from tooling.night import Night, judge
from tooling.trouble import Trouble

SUMMARY = "run every tier, and compare with the last good night"
HISTORY = Path("reports/history")
OUT = Path("reports/out")
STEM = "nightly"
FORMS = ("markdown", "html", "junit")
KEEP = 90
MINUTES = 120.0
STOP_SECONDS = 30.0
"""For a run that was told to stop: it takes its stores down."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--history", type=Path, default=HISTORY, metavar="FOLDER", help="of the nights (default: %(default)s)"
    )
    parser.add_argument(
        "--keep", type=at_least_one, default=KEEP, metavar="N", help="nights to keep (default: %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=OUT,
        metavar="FOLDER",
        help=f"for {STEM}.md and the report's other forms (default: %(default)s)",
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
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, is {text!r}")
    return int(text)


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
    except Exception as error:  # noqa: BLE001  a night ends in its line, even by a mistake of this file
        traceback.print_exc()
        line, is_green = f"nightly: red: {type(error).__name__} in the nightly itself, see above", False
    print(line, flush=True)
    return 0 if is_green else 1


def spend(history: History, options: argparse.Namespace, lock: int) -> tuple[str, bool]:
    """The night under its lock, up to its verdict line. Raises OSError where the history can't be written."""
    running = history.begin(datetime.now(UTC))
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--long", f"--report={running.absolute()}"]
    try:
        code = execute([*command, *options.arguments], options.minutes * 60, lock)
        night = judge(code, running, history, is_new_baseline=options.new_baseline)
        night = replace(night, reasons=(*night.reasons, *render(running, options.out)))
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


def render(path: Path, out: Path) -> list[str]:
    """The report in the forms that people and CI read, in place of the last night's; why that failed."""
    from reports import formats
    from reports.reader import ReportRefused, read_report

    try:
        for name in FORMS:
            (out / f"{STEM}{formats.FORMATS[name].suffix}").unlink(missing_ok=True)
        report = read_report(path)
        for name in FORMS:
            formats.write(report, name, out, STEM)
    except (FileNotFoundError, ReportRefused):
        return []  # the night is red for that already
    except Exception as error:  # noqa: BLE001  whatever a form stumbles over, the night has its verdict
        return [f"the report can't be shown: {type(error).__name__}: {error}"]
    return []


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

    # SIGINT too: a shell starts what it puts into the background deaf to it, and the run would inherit that
    earlier = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
