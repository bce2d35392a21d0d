"""All that is known of a requirement, as text for a terminal of 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from fixtures.subjects.mutants import Mutant
from reports.block import quoted
from reports.catalogue import NO_STORE, Requirement
from reports.claims import Claimant
from reports.expectations import Expectation
from reports.failures import Failure
from reports.last_report import LastReport
from reports.printable import printable

WIDTH = 100
TITLE_WIDTH = 12


def explanation(
    requirement: Requirement,
    claimants: Sequence[Claimant],
    expectations: Sequence[Expectation],
    last: LastReport,
    *,
    root: Path,
    field: Sequence[Failure] = (),
    mutants: Sequence[Mutant] = (),
) -> str:
    """Only addresses, commands and paths may be wider than WIDTH. `root`: what paths are relative to.

    `field`: the failures of the field that the requirement would have caught. `mutants`: those that it kills.
    """
    stores = "none takes part" if requirement.stores == (NO_STORE,) else ", ".join(requirement.stores)
    lines = [
        *wrapped(f"{requirement.id} ({requirement.level}): {requirement.sentence}", ""),
        "",
        *titled("why", requirement.why),
        *titled("", requirement.link),
        *titled("source", requirement.source),
        *titled("capability", requirement.capability),
        *titled("stores", stores),
    ]
    for number, one in enumerate(claimants):
        place = one.file.relative_to(root)
        tiers = f" ({', '.join(one.tiers)})" if one.tiers else ""
        lines += titled("" if number else "checked by", f"{place}:{one.line} {one.name}{tiers}")
    for number, one in enumerate(claimants):
        node = quoted(f"{one.file.relative_to(root)}::{one.name}")
        option = " --long" if "long" in one.tiers else ""
        lines += titled("" if number else "run it", f"tox -e conformance -- {node}{option}", is_command=True)
    if not claimants:
        lines += titled("checked by", "no test function")
    lines.append("")
    for expected in expectations:
        lines += titled(
            "known", f"{expected.subject} {expected.versions} fails on {', '.join(expected.stores)}"
        )
        lines += titled("", expected.evidence)
        lines += titled("", expected.link) if expected.link else []
    if not expectations:
        lines += titled("known", "no failure is recorded")
    lines.append("")
    for number, failure in enumerate(field):
        what = f"{failure.id} {failure.title} ({failure.project}, {failure.versions}; {failure.known})"
        lines += titled("" if number else "in the field", what)
        lines += titled("", failure.link)
    if field:
        lines.append("")
    for number, mutant in enumerate(mutants):
        lines += titled("" if number else "mutants", f"{mutant.name}: {mutant.text}")
    if mutants:
        lines.append("")
    said = [*last.lines, *last.remarks]
    for number, text in enumerate(said):
        lines += titled("" if number else "last report", text)
    return "\n".join(lines)


def titled(title: str, text: str, *, is_command: bool = False) -> list[str]:
    """The text beside its title; commands stay on one line, to be copied."""
    head = f"{title:>{TITLE_WIDTH}}  "
    if is_command:
        return [head + printable(text)]
    return wrapped(text, head)


def wrapped(text: str, head: str) -> list[str]:
    """Lines of at most WIDTH columns; a word is never cut."""
    made = textwrap.wrap(
        printable(" ".join(text.split())),
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return made or [head.rstrip()]
