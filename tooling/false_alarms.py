"""`false-alarms`: runs the suite many times, each with other data, another order and another load.

A verdict that isn't the same in every run is flaky. The suite is asked on stores that need nothing from
outside. Interrupted, the same command goes on with the first run that has not come to its end.

Exit code: 0 every verdict held, every run was green, and each subject was asked on each store; 1 otherwise,
each reason in the last line; 2 the command line can't be used; 130 interrupted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooling.nightly import at_least_one, interruptible, stop
from tooling.publishing import git, prepare
from tooling.repetitions import Folder, Plan
from tooling.trouble import Trouble

if TYPE_CHECKING:
    from reports.false_alarms import Repetition

SUMMARY = "run the suite under other seeds, orders and loads, and count the verdicts that change"
ROOT = Path(__file__).parent.parent
OUT = ROOT / "reports" / "out" / "false-alarms"
SUBJECTS = "reference,streamer,plain"
STORES = "disk,moto"
RUNS = 30
FIRST_SEED = 1
ORDER_OFFSET = 1000
"""From the data's seed to the order's: two numbers, lest one be taken for the other."""
LOADS = (0, 1, 2)
"""In turn: so many processes of the suite per core beside the first. What loads the machine is more of the
suite, since a process that does nothing else would take the time of half of all runs."""
MINUTES = 60.0
OWN = ("--report", "--seed", "--subjects", "--stores", "-n", "--numprocesses", "-p", "--randomly-seed")
PLUGINS = ("pytest-randomly", "pytest-xdist")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=at_least_one, default=RUNS, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--first-seed",
        type=int,
        default=FIRST_SEED,
        metavar="SEED",
        help="of the first run's data; each further run takes the next one (default: %(default)s)",
    )
    parser.add_argument("--subjects", default=SUBJECTS, help="loaders under test (default: %(default)s)")
    parser.add_argument("--stores", default=STORES, help="where the models lie (default: %(default)s)")
    parser.add_argument(
        "-n",
        dest="processes",
        type=at_least_one,
        help="of an unloaded run; loaded ones have two and three times as many (default: a core each)",
    )
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="after which a run is stopped (default: %(default)g)"
    )
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="FOLDER", help="default: reports/out/false-alarms"
    )
    parser.add_argument(
        "--publish", type=Path, metavar="FOLDER", help="a new one, for tables and raw data once all is done"
    )
    parser.add_argument("arguments", nargs="*", metavar="-- ARGUMENT", help="for pytest, such as -k uri")


def run(options: argparse.Namespace) -> int:
    """Print a line for each run, the flaky verdicts, then the series' own. Raises Trouble."""
    if own := [word for word in options.arguments if word.split("=")[0] in OWN]:
        raise Trouble(f"{own[0]} is what the series sets itself", "see --help for options of its own", code=2)
    plans = planned(options)
    prepare(options.publish)
    folder = Folder(options.out.resolve())
    folder.path.mkdir(parents=True, exist_ok=True)
    try:
        with interruptible():
            return spend(plans, folder, options)
    except KeyboardInterrupt:
        kept = sum(folder.facts(plan) is not None for plan in plans)
        print(f"false-alarms: interrupted after {kept} of {len(plans)} runs; the same command goes on")
        return 130


def planned(options: argparse.Namespace) -> list[Plan]:
    """Every run of the series. Raises Trouble: the plugin that gives the order is missing."""
    from reports import machine

    try:
        versions = machine.versions() | {name: metadata.version(name) for name in PLUGINS}
    except metadata.PackageNotFoundError as error:
        raise Trouble(f"{error.name} isn't installed", "pip install -r requirements.txt", code=2) from error
    commit = git("rev-parse", "HEAD")
    processes = options.processes or int(machine.machine()["cpus"])
    return [
        Plan(
            number=number,
            seed=(seed := options.first_seed + number - 1),
            order_seed=seed + ORDER_OFFSET,
            load=(load := LOADS[(number - 1) % len(LOADS)]),
            processes=processes * (1 + load),
            subjects=options.subjects,
            stores=options.stores,
            arguments=tuple(options.arguments),
            commit=commit,
            versions=versions,
        )
        for number in range(1, options.runs + 1)
    ]


def spend(plans: Sequence[Plan], folder: Folder, options: argparse.Namespace) -> int:
    """Whatever is still to be run, and the verdict on all of it. Raises Trouble, KeyboardInterrupt."""
    from reports.false_alarms import judge
    from reports.false_alarms_tables import flaky, verdict_line, write

    done: dict[int, Repetition] = {}
    for plan in plans:  # first, so that a folder of another series costs no time
        if kept := folder.repetition(plan):
            done[plan.number] = kept
    for plan in plans:
        if plan.number in done:
            print(f"{plan.number}/{len(plans)} {plan.told}: kept from before", flush=True)
            continue
        execute(plan, folder, options.minutes * 60)
        one = folder.repetition(plan)
        assert one is not None, "kept a moment ago"
        done[plan.number] = one
        so_far = judge([done[number] for number in sorted(done)])
        left = seconds_left(list(done.values()), [each for each in plans if each.number not in done])
        state = one.refusal or f"{len(one.verdicts)} checks, exit code {one.exit_code}"
        print(
            f"{plan.number}/{len(plans)} {plan.told}: {state}, {one.seconds:.0f} s; "
            f"{len(so_far.flaky)} flaky so far; about {left / 60:.0f} min left",
            flush=True,
        )
    series = judge([done[plan.number] for plan in plans], published=bool(options.publish))
    tables = write(series, facts(plans, folder, series.repetitions), folder.path)
    for row in flaky(series).itertuples(index=False):
        print(f"flaky {row.suspect}: {row.check}: {row.verdicts}: {row.departures}")
    if options.publish:
        folder.publish(options.publish, plans, tables)
    print(tables[-1] if not options.publish else options.publish / tables[-1].name)
    print(f"false-alarms: {verdict_line(series)}")
    return int(bool(series.reasons))


def execute(plan: Plan, folder: Folder, seconds: float) -> None:
    """One run under its load, kept when it has ended, by itself or since its time was over."""
    folder.discard(plan)
    started, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    modified = bool(git("status", "--porcelain"))
    with folder.log_of(plan).open("wb") as log:
        # a group of its own: Ctrl-C is for this process, which ends the run in good order
        child = subprocess.Popen(
            command(plan, folder),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
        finally:
            stop(child)
    took = time.monotonic() - began
    folder.keep(plan, started=started, seconds=took, exit_code=child.returncode, modified=modified)


def command(plan: Plan, folder: Folder) -> list[str]:
    """pytest's command line; the report's path is relative where it can be, since the report quotes it."""
    report = folder.report_of(plan)
    place = report.relative_to(ROOT) if report.is_relative_to(ROOT) else report
    words = [sys.executable, "-m", "pytest", "-q", "-c", "tox.ini", "--rootdir", "."]
    words += ["-n", str(plan.processes)]
    words += ["-p", "randomly", f"--randomly-seed={plan.order_seed}", "--seed", str(plan.seed)]
    words += ["--subjects", plan.subjects, "--stores", plan.stores, f"--report={place}"]
    return [*words, *plan.arguments]


def seconds_left(done: Sequence[Repetition], plans: Sequence[Plan]) -> float:
    """What the remaining runs take if they take as long as those under the same load did."""
    if not done:
        return 0.0
    total = 0.0
    for plan in plans:
        alike = [one.seconds for one in done if one.load == plan.load] or [one.seconds for one in done]
        total += sum(alike) / len(alike)
    return total


def facts(plans: Sequence[Plan], folder: Folder, repetitions: Sequence[Repetition]) -> Mapping[str, Any]:
    """What the series ran on, for its page."""
    kept = [one for one in map(folder.facts, plans) if one]
    machines = {
        str(one.report.header.machine): one.report.header.machine for one in repetitions if one.report
    }
    first = plans[0]
    return {
        "commit": first.commit or "unknown",
        "local changes in runs": ", ".join(str(one["plan"]["number"]) for one in kept if one["modified"])
        or "none",
        "machine": list(machines.values()),
        "versions": first.versions,
        "subjects": first.subjects,
        "stores": first.stores,
        "pytest's arguments": " ".join(first.arguments) or "none",
        "began": min(one["started"] for one in kept),
    }
