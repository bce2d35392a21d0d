"""Where secrets that were planted in a worker's surroundings come to light."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised

#: seconds; a process that lives for less is not caught in the listing
LOOK_EVERY = 0.02


class Leaks:
    """Collects what a worker lets out, and looks for secrets in it; it never repeats one.

    :param secrets: by the name that a failure may print.
    """

    def __init__(self, secrets: dict[str, str]) -> None:
        self._secrets = secrets
        self._found: list[str] = []

    def outcome(self, worker: Worker, operation: str, *, deadline: float = 60.0, **arguments: Any) -> str:
        """Asks, and looks into the answer or the error with its traceback; `answered` or the error's type."""
        try:
            answer = worker.ask(operation, deadline=deadline, **arguments)
        except SubjectRaised as error:
            self.look(f"the error of {operation}", error.message)
            self.look(f"the traceback of {operation}", error.traceback)
            return error.type
        self.look(f"the answer to {operation}", json.dumps(answer))
        return "answered"

    def look(self, where: str, text: str) -> None:
        """Remembers which secrets `text` holds."""
        self._found += [f"{where} holds {name}" for name, secret in self._secrets.items() if secret in text]

    def look_into_files(self, folder: Path) -> None:
        """The same for all files below `folder`, and their names."""
        for path in sorted(folder.rglob("*")):
            self.look("a file's name", path.name)
            if path.is_file():
                self.look(f"the file {path.name}", path.read_bytes().decode(errors="replace"))

    @property
    def found(self) -> list[str]:
        """In words, each once."""
        return list(dict.fromkeys(self._found))


class Listing:
    """Looks at the command lines of all processes, again and again, from `with` to its end."""

    def __init__(self, leaks: Leaks) -> None:
        self._leaks = leaks
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.looks = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            self.looks += 1
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):  # it has ended meanwhile
                    self._leaks.look("a process's command line", line.read_bytes().decode(errors="replace"))
