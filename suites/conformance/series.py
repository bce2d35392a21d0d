"""Many loads in one process, and what the process holds after each of them."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fixtures.subjects.client import Worker
from fixtures.subjects.footprint import Footprint, footprint
from reports.marks import Check
from suites.conformance.folders import everything_below

MiB = 1 << 20
#: bytes; the streamer's pools breathe by some 4 MiB, and half of a round of loads takes 12 MiB and more
BREATHING = 8 * MiB
#: seconds that threads and connections have to end after the last load; they take milliseconds
PATIENCE = 1.0
#: a pool that grows once does so in one round, a leak in every one
ROUNDS = 3
COUNTED = ("descriptors", "threads", "children")


@dataclass
class Series:
    """What one worker held after each of its loads, all tensors dropped and all garbage collected."""

    after: list[Footprint] = field(default_factory=list)
    """Of the last round."""
    environments: list[Mapping[str, Mapping[str, str]]] = field(default_factory=list)
    """Before the first load, and after each."""
    files: set[str] = field(default_factory=set)
    """Below the worker's folder for temporary files, which is its home as well, after the last load."""
    errors: list[str] = field(default_factory=list)
    """Of the loads that failed."""

    @property
    def halves(self) -> tuple[list[Footprint], list[Footprint]]:
        middle = len(self.after) // 2
        return self.after[:middle], self.after[middle:]

    @property
    def grows(self) -> bool:
        return growth_of_memory(self) > BREATHING or any(more_than_before(self, what) for what in COUNTED)


def load_many(worker: Worker, times: int, load: Callable[[Worker, int], str | None]) -> Series:
    """Lets `load(worker, number)` load `times` times; it returns the text of an error, if there was one.

    Where something grew meanwhile, that is repeated: what still grows in the last round is a leak.
    """
    found = Series()
    found.environments.append(worker.ask("rest"))
    folder = Path(found.environments[0]["python"]["TMPDIR"])
    for _ in range(ROUNDS):
        found.after.clear()
        for number in range(times):
            error = load(worker, number)
            if error is not None:
                found.errors.append(error)
            found.environments.append(worker.ask("rest"))
            found.after.append(footprint(worker.pid))
        if not found.grows:
            break
    give_up = time.monotonic() + PATIENCE
    while found.grows and time.monotonic() < give_up:
        time.sleep(0.05)
        found.after[-1] = footprint(worker.pid)
    found.files = everything_below(folder)
    return found


def more_than_before(series: Series, what: str) -> dict[str, str]:
    """Of `what` (descriptors, threads, children), the kinds of which there are more and more.

    More after every load of the second half than after any of the first half: a pool that breathes isn't
    growth, and one of each load is.
    """
    earlier, later = series.halves
    kinds: set[str] = set().union(*(counts(one, what) for one in later))
    found = {}
    for kind in kinds:
        most = max(counts(one, what)[kind] for one in earlier)
        least = min(counts(one, what)[kind] for one in later)
        if least > most:
            found[kind] = f"{most} after the first half of the loads, {least} after the second"
    return found


def counts(one: Footprint, what: str) -> Counter[str]:
    found: Counter[str] = getattr(one, what)
    return found


def growth_of_memory(series: Series) -> int:
    """Bytes by which the second half's median lies above the first half's."""
    earlier, later = ([one.own for one in half] for half in series.halves)
    return int(statistics.median(later) - statistics.median(earlier))


def assert_nothing_grows(check: Check, series: Series, *what: str) -> None:
    """No kind of descriptor, thread or child becomes more from load to load."""
    __tracebackhide__ = True
    for one in what:
        check.equal(expected={}, actual=more_than_before(series, one), what=f"{one} that become more")


def assert_environment_is_kept(check: Check, series: Series) -> None:
    """After every load the environment is the one before the first, for Python and for native code."""
    __tracebackhide__ = True
    before, *after = series.environments
    for number, now in enumerate(after, 1):
        for view in ("python", "native"):
            was, is_now = before[view], now[view]
            changed = {
                name: is_now.get(name) for name in {*was, *is_now} if was.get(name) != is_now.get(name)
            }
            what = f"variables changed or unset (None) after load {number}, as {view} code sees them"
            check.equal(expected={}, actual=changed, what=what)


def assert_nothing_is_left(check: Check, series: Series) -> None:
    """No child process at last, and no file in the folder for temporary files."""
    __tracebackhide__ = True
    check.equal(
        expected={}, actual=dict(series.after[-1].children), what="child processes after the last load"
    )
    check.equal(expected=[], actual=sorted(series.files), what="files in the temporary folder")


def assert_memory_is_given_back(check: Check, series: Series) -> None:
    """The memory in use doesn't grow from load to load."""
    __tracebackhide__ = True
    growth = growth_of_memory(series)
    check.true(
        growth <= BREATHING,
        what=f"growth of the memory in use over {len(series.after) // 2} loads",
        expected=f"at most {BREATHING >> 20} MiB",
        actual=f"{growth / MiB:.1f} MiB",
    )
