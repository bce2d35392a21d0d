"""A subject on the bench: everything that one check needs to question it, and nothing left behind."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fixtures.subjects.client import SubjectServer, Worker
from fixtures.subjects.explanation import text_wanted
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, Unsupported


class Bench:
    """One subject for one check; its workers share a cache root and see one store."""

    def __init__(
        self,
        server: SubjectServer,
        cache_variable: str,
        store: Mapping[str, str],
        folder: Path,
        *,
        capabilities: tuple[str, ...],
        wait_variable: str = "",
        kinds: Mapping[str, str] | None = None,
        variant: str = "",
        tried: bool = False,
        explains: Check | None = None,
    ) -> None:
        """`capabilities`: those that the requirement names; to ask for another is the check's mistake.

        `tried`: the subject doesn't know whether it has one of them, and lacking it is UNSUPPORTED.
        `explains`: where it claims that its errors name what they are about, the check that holds it to that.
        """
        self._capabilities = capabilities
        self._server = server
        self._variant = variant
        self._tried = tried
        self._explains = explains
        self.cache_variable = cache_variable
        #: sets the seconds that a pull waits for another one; empty for a loader that has none
        self.wait_variable = wait_variable
        #: a kind of trouble -> the name of the class whose errors say that it is that; none where it has none
        self.kinds = dict(kinds or {})
        self._store = dict(store)
        self._folder = folder
        self._workers: list[Worker] = []
        self._shared: Worker | None = None
        self.cache_root = folder / "cache"
        self.cache_root.mkdir(mode=0o700)

    def worker(self, **environment: str | None) -> Worker:
        """A fresh process that finds the store and the cache root, with `environment` on top.

        None takes a variable away.
        """
        return self.worker_in(self._folder / f"home-{len(self._workers)}", **environment)

    def worker_in(self, folder: Path, **environment: str | None) -> Worker:
        """The same, with `folder` as its home and working folder."""
        wanted = {self.cache_variable: str(self.cache_root), **self._store, **environment}
        variables = {name: value for name, value in wanted.items() if value is not None}
        worker = self._server.worker(variables, folder, self._variant)
        worker.if_lacking = Unsupported if self._tried else None
        if self._explains is not None:
            worker.if_raised = partial(assert_explained, self._explains, tuple(environment))
        worker.capabilities = self._capabilities
        self._workers.append(worker)
        return worker

    def through(self, endpoint: str) -> None:
        """From now on fresh workers reach the store at `endpoint` (a recording proxy)."""
        self._store["AWS_ENDPOINT_URL"] = endpoint

    def root(self, name: str) -> Worker:
        """A fresh process with a cache root of its own, called `name`."""
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        return self.worker(**{self.cache_variable: str(folder)})

    @property
    def shared(self) -> Worker:
        """The check's one worker, where a fresh process for every question isn't the point."""
        if self._shared is None:
            self._shared = self.worker()
        return self._shared

    def ask(self, operation: str, **arguments: Any) -> Any:
        """Asks the shared worker."""
        return self.shared.ask(operation, **arguments)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


def assert_explained(
    check: Check, others: Sequence[str], error: SubjectRaised, arguments: Mapping[str, Any]
) -> None:
    """Counts as a comparison only where it finds something: a check must compare something of its own."""
    __tracebackhide__ = True
    if wanted := text_wanted(error, arguments, others):
        what = f"the text of the error for {error.operation} (LOAD-055)"
        check.true(False, what=what, expected=wanted, actual=error.message)


def error_of(check: Check, worker: Worker, operation: str, *, why: str, **arguments: Any) -> SubjectRaised:
    """The exception with which `operation` must end; a loader that answers instead fails the check.

    A worker that dies or hangs is no refusal: those exceptions pass through and fail the check as well.
    """
    __tracebackhide__ = True
    try:
        answer: object = worker.ask(operation, **arguments)
    except SubjectRaised as error:
        check.true(True, what=f"{operation} where {why}", expected="an error", actual=error.message)
        return error
    if isinstance(answer, dict) and "tensors" in answer:
        answer = f"{len(answer['tensors'])} tensors"
    check.true(False, what=f"{operation} where {why}", expected="an error", actual=answer)
    raise AssertionError("unreachable: the comparison above has failed")


def answer_of(
    check: Check,
    worker: Worker,
    operation: str,
    *,
    what: str,
    deadline: float | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """The answer that `operation` must give, which is `what`; an exception is the wrong answer.

    A worker that dies or hangs gives none: those exceptions pass through and fail the check as well.
    `deadline`: seconds, None for that of the run.
    """
    __tracebackhide__ = True
    try:
        answer: dict[str, Any] = worker.ask(operation, deadline=deadline, **arguments)
    except SubjectRaised as error:
        told = f"the error {error.type}: {error.message}"
        check.true(False, what=what, expected="an answer", actual=told)
        raise AssertionError("unreachable: the comparison above has failed") from None
    return answer


def assert_kind(
    check: Check, subject: Bench, error: SubjectRaised, right: Collection[str], *, where: str
) -> None:
    """What the error says by its class is one of these kinds; "" stands for none that the subject names.

    Of a class that descends from another kind's, its own counts.
    """
    __tracebackhide__ = True
    of_class = {name: kind for kind, name in subject.kinds.items()}
    kind = next((of_class[name] for name in error.lineage if name in of_class), "")
    expected = " or ".join(sorted(one or "none of the named kinds" for one in right))
    what = f"the kind of the error {error.type} where {where}"
    check.true(kind in right, what=what, expected=expected, actual=kind or "none of the named kinds")


def assert_names(check: Check, error: SubjectRaised, *words: str) -> None:
    """The error's text names every one of `words`, in whatever case."""
    __tracebackhide__ = True
    for word in words:
        check.true(
            word.lower() in error.message.lower(),
            what="the error's message",
            expected=f"a text that names {word!r}",
            actual=error.message,
        )


def assert_names_setting(check: Check, error: SubjectRaised, setting: str) -> None:
    """The error names this setting, or a value of one, and not another whose name is longer."""
    __tracebackhide__ = True
    words = re.findall(r"\w+", error.message)
    check.true(setting in words, what="words of the error", expected=f"{setting} among them", actual=words)
