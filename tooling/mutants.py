"""`mutants`: runs the conformance suite against every mutant and holds each to what it declares.

Exit code: 0 every mutant turns red exactly what it declares and every MUST is killed; 1 otherwise, each
difference in a line; 2 a name that no mutant has; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooling.nightly import interruptible, stop
from tooling.publishing import checkout, note, pack, prepare
from tooling.trouble import Trouble

if TYPE_CHECKING:
    from fixtures.subjects.mutants import Mutant
    from reports.mutants import Trial

SUMMARY = "prove that every MUST has a mutant that dies, and that nothing else turns red"
ROOT = Path(__file__).parent.parent
OUT = ROOT / "reports" / "out" / "mutants"
SAMPLE = 3
"""Checks for each mutant, of its areas and of others: with some 200 mutants more than a thousand in all."""
BATCH = 40
"""Mutants that share a run of pytest, at the least: a progress line every two minutes or so."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="MUTANT", help="default: all of them")
    parser.add_argument(
        "--file", metavar="NAME", help="only those of fixtures/subjects/mutants/NAME.py, such as cache"
    )
    parser.add_argument(
        "--sample",
        type=int,
        default=SAMPLE,
        metavar="N",
        help="other checks of its areas that each must pass, and as many of other areas; -1: all "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--areas", action="store_true", help="every check of the areas that a mutant touches: twice the time"
    )
    parser.add_argument("--seed", type=int, help="of the sample and of all data (default: the suite's)")
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="FOLDER", help="default: reports/out/mutants"
    )
    parser.add_argument(
        "-n", dest="processes", default="auto", help="as of pytest-xdist (default: a core each)"
    )
    parser.add_argument(
        "--publish",
        type=Path,
        metavar="FOLDER",
        help="a new one, for tables and reports of a green run of all",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for each batch of mutants, then every difference, then the verdict. Raises Trouble."""
    try:
        with interruptible():
            return hold(options)
    except KeyboardInterrupt:
        print("mutants: interrupted, no result")
        return 130


def hold(options: argparse.Namespace) -> int:
    """Runs the mutants and says where one is not as declared. Raises Trouble, KeyboardInterrupt."""
    from reports.catalogue import read_catalogue
    from reports.mutants import kills
    from reports.mutants_table import write

    mutants = chosen(options.names, options.file)
    whole = not options.names and not options.file
    if options.publish and not whole:
        raise Trouble("only a run of all mutants is published", "leave out what narrows it", code=2)
    if options.publish:
        if 0 <= options.sample < SAMPLE:
            raise Trouble(f"a sample of {options.sample} is not published", "leave out --sample", code=2)
        prepare(options.publish)
    commit = checkout()
    start = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    found: list[Trial] = []
    groups = batches(mutants)
    for number, (name, group) in enumerate(groups, start=1):
        began = time.monotonic()
        tried = trial_run(name, group, options)
        wrong = sum(bool(trial.problems()) for trial in tried)
        checks = sum(len(trial.records) for trial in tried)
        state = f"{wrong} of them not as declared" if wrong else "as declared"
        took = time.monotonic() - began
        print(
            f"{number}/{len(groups)} {name}: {len(group)} mutants, {checks} checks, {state}, {took:.0f} s",
            flush=True,
        )
        found += tried
    catalogue = read_catalogue(ROOT / "suites" / "requirements")
    result = kills(found, catalogue)
    problems = [problem for trial in found for problem in trial.problems()]
    if whole:
        problems += [f"{one}: a MUST that no mutant turns red" for one in result.unkilled]
        tables = write(found, result, catalogue, options.out)
        if options.publish and problems:
            options.publish.rmdir()
            problems.append(f"nothing is published in {options.publish}")
        elif options.publish:
            tables = published(tables, [name for name, _ in groups], options, commit)
        print(*tables, sep="\n")
    for problem in problems:
        print(problem)
    killed = sum(bool(names) for names in result.killers.values())
    print(
        f"mutants: {'red' if problems else 'green'}: {len(found)} mutants, {killed} requirements killed, "
        f"{len(problems)} problems, {extent(options)}, "
        f"in {time.monotonic() - start:.0f} s"
    )
    return int(bool(problems))


def published(
    tables: Sequence[Path], names: Sequence[str], options: argparse.Namespace, commit: Mapping[str, Any]
) -> list[Path]:
    """Copies of the tables and, compressed, of the reports that they were made from, and what was asked."""
    for name in names:
        pack(options.out / f"{name}.jsonl", options.publish)
    note(options.publish, asked=extent(options), seed=options.seed, **commit)
    return [Path(shutil.copy(path, options.publish)) for path in tables]


def extent(options: argparse.Namespace) -> str:
    """What each mutant was asked, in words."""
    asked = "all checks of its areas" if options.areas else "all checks of the files that it turns red"
    return f"{asked} and samples of {options.sample}"


def chosen(names: Sequence[str], file: str | None) -> list[Mutant]:
    """The mutants that were asked for, by file and in the order of their declaration. Raises Trouble."""
    from fixtures.subjects.mutants import MUTANTS

    if unknown := [name for name in names if name not in MUTANTS]:
        raise Trouble(f"no mutant {unknown[0]!r}", f"one of {', '.join(sorted(MUTANTS))}", code=2)
    files = sorted({mutant.file for mutant in MUTANTS.values()})
    if file is not None and file not in files:
        raise Trouble(f"no file of mutants {file!r}", f"one of {', '.join(files)}", code=2)
    wanted = [
        mutant
        for mutant in MUTANTS.values()
        if (not names or mutant.name in names) and file in (None, mutant.file)
    ]
    if not wanted:
        raise Trouble(f"none of these mutants is in {file!r}", "leave out --file", code=2)
    return sorted(wanted, key=lambda one: one.file)


def batches(mutants: Sequence[Mutant]) -> list[tuple[str, tuple[Mutant, ...]]]:
    """Those that share a run of pytest, with its name: files as they follow, those of the long tier last.

    A run of its own for each file would spend a third of the time on starting stores and fork servers.
    """
    found: list[tuple[str, tuple[Mutant, ...]]] = []
    for is_long, tier in groupby(sorted(mutants, key=lambda one: one.long), key=lambda one: one.long):
        names: list[str] = []
        members: list[Mutant] = []
        for file, group in groupby(tier, key=lambda one: one.file):
            names.append(file)
            members += group
            if len(members) >= BATCH:
                found.append((name_of(names, is_long), tuple(members)))
                names, members = [], []
        if members:
            found.append((name_of(names, is_long), tuple(members)))
    return found


def name_of(files: Sequence[str], is_long: bool) -> str:
    """Of a batch, as its report and log are called."""
    span = files[0] if len(files) == 1 else f"{files[0]}-to-{files[-1]}"
    return f"{span}-long" if is_long else span


def trial_run(name: str, mutants: Sequence[Mutant], options: argparse.Namespace) -> list[Trial]:
    """One pytest over the conformance suite with these mutants as subjects.

    Raises Trouble where a check has no verdict: what was not judged must not be taken for green.
    """
    from reports.mutants import FAMILY, trials
    from reports.reader import ReportRefused, read_report

    report, log = (options.out / f"{name}{ending}" for ending in (".jsonl", ".log"))
    stores = {store for mutant in mutants for store in mutant.stores}
    command = [sys.executable, "-m", "pytest", "-q", "-c", "tox.ini", "--rootdir", "."]
    command += ["-p", "tooling.mutant_selection", "--mutant-sample", str(options.sample)]
    command += ["-n", options.processes, f"--report={report.resolve()}"]
    command += ["--subjects", ",".join(f"{FAMILY}{mutant.name}" for mutant in mutants)]
    command += ["--stores", ",".join(sorted(stores))]
    if options.areas:
        command.append("--mutant-areas")
    if mutants[0].long:
        command.append("--long")
    if options.seed is not None:
        command += ["--seed", str(options.seed)]
    report.unlink(missing_ok=True)
    # the user's own options for pytest could leave checks out, or stop at the first red one
    environment = {key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"}
    with log.open("wb") as output:
        # a group of its own: Ctrl-C is for this process, which ends the run in good order
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            process_group=0,
        )
        try:
            child.wait()
        finally:
            stop(child)
    try:
        found = read_report(report)
    except (ReportRefused, OSError) as error:
        raise Trouble(f"{name}: the suite left no whole report: {error}", f"read {log}") from error
    if len(found.records) != found.header.checks:
        judged = f"{len(found.records)} of {found.header.checks} checks have a verdict"
        raise Trouble(f"{name}: {judged}", f"read {log}")
    return trials(mutants, found.records)
