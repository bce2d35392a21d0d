"""`limits`: how fast this machine moves bytes where no loader is in the way.

Exit code: 0 every limit was measured; 1 one of them could not be, with the reason; 2 the command line can't
be used; 130 interrupted.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tooling.nightly import at_least_one, interruptible
from tooling.trouble import Trouble

if TYPE_CHECKING:
    from fixtures.limits import Bytes, Way

SUMMARY = "measure how fast this machine moves bytes without any loader, in GiB/s"
GIB = 1 << 30
MIB = 1 << 20
SIZE_MIB = 256
ROUNDS = 7
SEED = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size",
        type=at_least_one,
        default=SIZE_MIB,
        metavar="MIB",
        help="that each way moves, three times as much memory is needed (default: %(default)s)",
    )
    parser.add_argument(
        "--rounds", type=at_least_one, default=ROUNDS, metavar="N", help="default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of the order (default: %(default)s)")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="on the disk that is to be read (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for each round, then a table. Raises Trouble."""
    from fixtures.limits import WrongBytes, processors, ways

    size = options.size * MIB
    if not options.folder.is_dir():
        raise Trouble(f"there is no folder {options.folder}", "--folder names one that exists", code=2)
    free = shutil.disk_usage(options.folder).free
    if free < size:
        reason = f"{options.folder} has room for {free // MIB} MiB, not for {options.size}"
        raise Trouble(reason, "a smaller --size, or another --folder", code=2)
    print(f"limits: {options.size} MiB in {processors()} threads, order by seed {options.seed}", flush=True)
    try:
        with (
            interruptible(),
            tempfile.TemporaryDirectory(dir=options.folder, prefix="loadproof-limits-") as own,
            ways(Path(own), size) as (right, every),
        ):
            taken, missing = measured(every, right, options.rounds, random.Random(options.seed))
    except KeyboardInterrupt:
        print("limits: interrupted, no result")
        return 130
    except WrongBytes as error:
        raise Trouble(f"{error}: other bytes arrived than were sent", "test this machine's memory") from error
    except OSError as error:
        raise Trouble(f"{options.folder}: {error.strerror or error}", "another --folder") from error
    print("\n".join(table(taken, missing, size)))
    return int(bool(missing))


def measured(
    every: Sequence[Way], right: Bytes, rounds: int, order: random.Random
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """The seconds of each way, in every round once and each time in another order; and what could not be."""
    from fixtures.page_cache import StaysInMemory

    taken: dict[str, list[float]] = {way.name: [] for way in every}
    missing: dict[str, str] = {}
    for number in range(rounds):
        for way in order.sample(every, len(every)):
            if way.name in missing:
                continue
            try:
                taken[way.name].append(way.seconds(right))
            except (StaysInMemory, MemoryError) as error:
                missing[way.name] = f"{error}; remedy: --folder on a disk, or a smaller --size"
        print(f"round {number + 1} of {rounds}", flush=True)
    return taken, missing


def table(taken: Mapping[str, Sequence[float]], missing: Mapping[str, str], size: int) -> list[str]:
    """A line for each way: GiB/s as the median of all rounds, the slowest and the fastest."""
    lines = [f"{'':14}  {'GiB/s':>7}  {'slowest':>7}  {'fastest':>7}  rounds"]
    for name, seconds in taken.items():
        if name in missing:
            lines.append(f"{name:14}  NOT-RUN: {missing[name]}")
            continue
        rates = [size / GIB / one for one in seconds]
        middle = statistics.median(rates)
        lines.append(f"{name:14}  {middle:7.2f}  {min(rates):7.2f}  {max(rates):7.2f}  {len(rates):6}")
    return lines
