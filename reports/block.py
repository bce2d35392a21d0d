"""A failure as it is shown everywhere: what was asked, expected and found, and the command to run again."""

from __future__ import annotations

import shlex

from reports.catalogue import NO_STORE, Requirement
from reports.model import VerdictRecord
from reports.run import DEFAULT_STORES, DEFAULT_SUBJECTS

TITLE_WIDTH = 13


def rows(
    record: VerdictRecord, requirement: Requirement | None, *, seed: int, long: bool
) -> list[tuple[str, str]]:
    """Title and text of each line that has something to say, in the order in which they are read.

    `long`: whether the run was one of the long tier.
    """
    found: list[tuple[str, str | None]] = [
        ("requirement", f"{record.requirement} ({record.level}): {record.sentence}"),
        ("subject", _with_version(record.subject, record.version)),
        ("store", _with_version(record.store, record.store_version)),
        ("compared", record.what),
        ("expected", record.expected),
        ("actual", record.actual),
        ("first differs", differs(record)),
        ("message", record.message),
        ("catches", f"{requirement.why} {requirement.link}" if requirement else None),
        ("trace", record.trace),
        ("seed", str(seed)),
        ("run it again", again(record, seed=seed, long=long)),
    ]
    return [(title, text) for title, text in found if text]


def block(record: VerdictRecord, requirement: Requirement | None, *, seed: int, long: bool) -> str:
    """One failure as text, so that it reads without the source."""
    lines = []
    for title, text in rows(record, requirement, seed=seed, long=long):
        first, *rest = text.split("\n")
        lines += [f"{title:>{TITLE_WIDTH}}  {first}", *(f"{'':{TITLE_WIDTH}}  {line}" for line in rest)]
    return "\n".join(lines)


def _with_version(name: str, version: str | None) -> str:
    # A store's version may begin with its name: "moto 5.2.5".
    return version if version and version.startswith(f"{name} ") else " ".join(filter(None, (name, version)))


def differs(record: VerdictRecord) -> str | None:
    """The first differing tensor and byte, or item, as far as the check knew."""
    parts = []
    if record.tensor is not None:
        parts.append(f"tensor {record.tensor}")
    if record.offset is not None:
        parts.append(f"byte {record.offset}")
    if record.difference is not None:
        parts.append(record.difference)
    return ", ".join(parts) or None


def again(record: VerdictRecord, *, seed: int, long: bool) -> str:
    """One command for just this check; subjects and stores are named where the defaults leave them out."""
    command = f"tox -e conformance -- {quoted(record.check)} --seed {seed}"
    if record.subject not in DEFAULT_SUBJECTS.split(","):
        command += f" --subjects {shlex.quote(record.subject)}"
    if record.store not in (*DEFAULT_STORES.split(","), NO_STORE):
        command += f" --stores {shlex.quote(record.store)}"
    return command + (" --long" if long else "")


def quoted(text: str) -> str:
    """Always in single quotes: node ids hold brackets, which shells expand."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
