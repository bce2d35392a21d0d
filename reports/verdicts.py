"""From what a check raised to its verdict."""

from __future__ import annotations

from collections.abc import Iterator

from fixtures.subjects.protocol import SubjectFailure
from reports.marks import Mismatch, NotRun, Unsupported
from reports.model import Verdict


def verdict_of(error: BaseException, *, phase: str) -> Verdict:
    """The verdict for an exception in the phase "setup", "call" or "teardown".

    Only a check's own call may blame the subject: what breaks around it is the suite's fault until shown
    otherwise. Skips are errors too, for a silent skip would be a hole in the proof.
    """
    if phase == "teardown":
        return Verdict.ERROR
    if isinstance(error, NotRun):
        return Verdict.NOT_RUN
    if isinstance(error, Unsupported):
        return Verdict.UNSUPPORTED
    leaves = list(_leaves(error))
    if phase == "call" and leaves and all(_blames_subject(leaf) for leaf in leaves):
        return Verdict.FAIL
    return Verdict.ERROR


def telling(error: BaseException) -> BaseException:
    """The exception that says most: a Mismatch out of a group, else the first of the group, else itself.

    Hypothesis groups what it found when a failure doesn't repeat; a subject that is wrong only sometimes
    is wrong all the same.
    """
    leaves = list(_leaves(error))
    return next((leaf for leaf in leaves if isinstance(leaf, Mismatch)), leaves[0] if leaves else error)


def notes_of(error: BaseException) -> list[str]:
    """What hypothesis added: the falsifying example. A group's notes come before its leaf's."""
    leaf = telling(error)
    errors = [error] if leaf is error else [error, leaf]
    return [note for one in errors for note in getattr(one, "__notes__", [])]


def _blames_subject(error: BaseException) -> bool:
    return isinstance(error, (Mismatch, SubjectFailure))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
