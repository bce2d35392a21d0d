"""`automatic-mutants`: changes the reference loader in every place that mutmut knows; counts what is noticed.

Exit code: 0 nobody survives who is neither explained nor known, and the whole run reaches the goal; 1
otherwise, each reason in a line; 2 the command line can't be used; 130 interrupted.

Kills of an earlier run stand in `suites/automatic/kills.json`. A sample asks those checks first, and looks
for others only where they don't kill; so it needs no recording of the whole suite.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tooling.nightly import interruptible
from tooling.publishing import checkout, note, pack, prepare
from tooling.trouble import Trouble

SUMMARY = "change the reference loader in every place and see which changes the suite notices"
ROOT = Path(__file__).parent.parent
OUT = ROOT / "reports" / "out" / "automatic"
FOLDER = ROOT / "suites" / "automatic"
SEED = 1
GOAL = 95.0
"""Per cent of the mutants that are not equivalent, in a run of all of them."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="MUTANT", help="default: all of them")
    parser.add_argument("--module", action="append", default=[], help="only of this one, such as backends.s3")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample (default: %(default)s)")
    parser.add_argument("--survivors", action="store_true", help="only those that survived the last time")
    parser.add_argument("--resume", action="store_true", help="leave out what was done and still holds")
    parser.add_argument("--generate", action="store_true", help="make the mutants' sources, and run nothing")
    parser.add_argument(
        "--publish",
        type=Path,
        metavar="FOLDER",
        help="a new one, for table and raw data; kills and survivors are noted in suites/automatic, too",
    )
    parser.add_argument(
        "--first",
        type=int,
        default=25,
        metavar="N",
        help="checks for each, before survivors meet all the others (default: %(default)s)",
    )
    parser.add_argument("--most", type=int, metavar="N", help="checks for each at the most (default: all)")
    parser.add_argument(
        "--deadline", type=float, default=10.0, metavar="SECONDS", help="for an answer (default: %(default)s)"
    )
    parser.add_argument(
        "-n", dest="processes", type=int, default=os.cpu_count() or 1, help="default: a core each"
    )
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="FOLDER", help="default: reports/out/automatic"
    )


def run(options: argparse.Namespace) -> int:
    """Print progress, then each problem, then the verdict. Raises Trouble."""
    from fixtures.subjects.client import AUTOMATIC_SOURCES
    from reports.automatic import matches, problems, stale
    from reports.automatic_entries import EntryError, read_entries, read_scope
    from reports.automatic_table import counted_out, written
    from tooling.automatic_mutants_run import Hunt, generated

    began = time.monotonic()
    narrowed = bool(options.names or options.module)
    if options.publish and narrowed:
        reason = "only a run of all mutants, or of a sample of all, is published"
        raise Trouble(reason, "leave out what narrows it", code=2)
    commit = checkout()
    try:
        scope = read_scope(FOLDER / "scope.toml")
        equivalent = read_entries(FOLDER / "equivalent.toml", with_reasons=True)
        survivors = read_entries(FOLDER / "survivors.toml", with_reasons=False)
    except EntryError as error:
        raise Trouble(str(error), f"correct it in {FOLDER}") from error
    mutants, left_out = generated(options.module, AUTOMATIC_SOURCES, scope)
    reasons = dict(sum(left_out.values(), Counter[str]()))
    took = time.monotonic() - began
    print(f"{len(mutants)} mutants in {took:.0f} s, not made: {counted_out(reasons)}", flush=True)
    explained, known = matches(equivalent, mutants.values()), matches(survivors, mutants.values())
    found = stale(equivalent, mutants.values(), frozenset(options.module))
    found += [
        f"scope: nothing of {one.module} {one.function} is there to leave out"
        for one in scope
        if (not options.module or one.module in options.module)
        and not left_out.get(one.module, Counter())[one.reason]
    ]
    if options.generate:
        return said(found, "only made")
    prepare(options.publish)
    hunt = Hunt(options, FOLDER, mutants, frozenset({*explained, *known}))
    try:
        with interruptible():
            pairs = [(mutants[name], result) for name, result in hunt.results().items()]
    except KeyboardInterrupt:
        print("automatic-mutants: interrupted; the same command with --resume goes on")
        return 130
    if not pairs:
        found.append("no mutant was held against any check")
    found += problems(pairs, explained, known)
    for mutant, result in pairs:
        if result.killed and mutant.name in known:
            print(f"{mutant.name}: a known survivor that is killed now, by {result.check}")
    drawn = (options.seed, len(mutants)) if options.sample else None
    total = written(options.out, pairs, explained, left_out, drawn, known)
    of_all = len(pairs) == len(mutants) and not narrowed
    if of_all and total.rate < GOAL:
        found.append(f"{total.rate:.1f} % are killed, the goal is {GOAL:.0f} %")
    if options.publish and (of_all or (len(pairs) == options.sample and not options.survivors)):
        hunt.publish(pairs, explained)
        published(options, commit)
    elif options.publish:
        found.append(
            f"nothing is published: {len(pairs)} of {len(mutants)} mutants have a result of this state"
        )
    return said(
        found,
        f"{total.kills} of {total.mutants - total.equivalent} mutants killed, {total.rate:.1f} % "
        f"({total.reached_rate:.1f} % of those that a check reaches), "
        f"{total.equivalent} equivalent, not made: {counted_out(reasons)}, "
        f"in {time.monotonic() - began:.0f} s",
    )


def published(options: argparse.Namespace, commit: Mapping[str, Any]) -> None:
    """The table, the results that it was made from, compressed, and what was run."""
    shutil.copy(options.out / "automatic.md", options.publish)
    pack(options.out / "automatic.csv", options.publish)
    asked = {name: getattr(options, name) for name in ("sample", "seed", "first", "most", "deadline")}
    note(options.publish, **asked, **commit)
    print(options.publish)


def said(found: Iterable[str], text: str) -> int:
    """Prints the problems and the verdict; the exit code."""
    found = list(found)
    for problem in found:
        print(problem)
    print(f"automatic-mutants: {'red' if found else 'green'}: {text}")
    return int(bool(found))
