"""How a subject takes files that nobody has built for it, and what counts as a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fixtures.official import judge
from fixtures.raw_files import RawFile
from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectFailure, SubjectLacks, SubjectRaised
from reports.marks import Check, Mismatch
from suites.conformance.bench import Bench
from suites.conformance.tensors import assert_same_tensors

Outcome = dict[str, Any] | SubjectFailure


def is_refusal(outcome: Outcome) -> bool:
    """An exception is one; a worker that died or hung is none."""
    return isinstance(outcome, SubjectRaised)


def in_words(outcome: Outcome) -> str:
    """For a report: what the subject did."""
    if isinstance(outcome, SubjectRaised):
        return f"{outcome.type.removeprefix('builtins.')}: {outcome.message}"
    if isinstance(outcome, SubjectFailure):
        return str(outcome)
    return f"loaded {[tensor['name'] for tensor in outcome['tensors']]}"


class Trials:
    """One subject before one store; a worker that a file has ended is replaced."""

    def __init__(self, subject: Bench, place: Place, known: dict[str, Outcome]) -> None:
        """`known`: the outcomes by file name that other checks of this subject and store have seen."""
        self._subject = subject
        self._place = place
        self._known = known
        self._worker: Worker | None = None

    @property
    def worker(self) -> Worker:
        """The one that the next file meets."""
        if self._worker is None:
            self._worker = self._subject.worker()
        return self._worker

    def load(self, key: str, content: bytes, *, deadline: float | None = None) -> Outcome:
        """Puts the file into the store and loads it, whatever is known; `deadline` in seconds."""
        self._place.put(key, content)
        return self.ask(f"{self._place.uri}/{key}", deadline=deadline)

    def ask(self, address: str, *, deadline: float | None = None) -> Outcome:
        """Loads a file that lies somewhere already."""
        try:
            answer: dict[str, Any] = self.worker.ask(
                "tensors", deadline=deadline, files=[address], settings={}
            )
        except SubjectRaised as error:
            return error
        except SubjectLacks:
            raise
        except SubjectFailure as failure:
            self._worker = None
            return failure
        return answer

    def of(self, files: Mapping[str, bytes]) -> dict[str, Outcome]:
        """The outcomes for a corpus, by key; each file is loaded once per subject and store."""
        for key, content in files.items():
            if key not in self._known:
                self._known[key] = self.load(key, content)
        return self._known


def described(file: RawFile) -> str:
    """For a report: the file, and what the official library says of it."""
    return f"{file}; the official library {judge(file.content)}"


def assert_loaded_alike(check: Check, trials: Trials, file: RawFile, outcome: Outcome) -> None:
    """What the loader handed out is what the official library hands out; a failure shows the file."""
    __tracebackhide__ = True
    if isinstance(outcome, SubjectFailure):
        check.true(False, what=described(file), expected="the same tensors", actual=in_words(outcome))
        return
    try:
        assert_same_tensors(check, trials.worker, expected=judge(file.content).tensors, actual=outcome)
    except Mismatch as wrong:
        raise Mismatch(
            what=f"{wrong.what} of {described(file)}",
            expected=wrong.expected,
            actual=wrong.actual,
            tensor=wrong.tensor,
            offset=wrong.offset,
        ) from None
