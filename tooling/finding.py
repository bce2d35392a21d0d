"""What a probe of this machine found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

INSTALL = "pip install -r requirements.txt"


class State(StrEnum):
    """What a probe came to."""

    OK = "ok"
    ABSENT = "absent"  # some checks are then NOT-RUN
    BROKEN = "BROKEN"  # the suite can't do without


@dataclass(frozen=True)
class Finding:
    """What is there, or what isn't and how to get it."""

    state: State
    detail: str
    remedy: str | None = None


def ok(detail: str) -> Finding:
    return Finding(State.OK, detail)


def absent(detail: str, remedy: str) -> Finding:
    return Finding(State.ABSENT, detail, remedy)


def broken(detail: str, remedy: str) -> Finding:
    return Finding(State.BROKEN, detail, remedy)
