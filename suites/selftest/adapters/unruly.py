"""A loader that does everything to its worker that a loader shouldn't; each method is one bad habit."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# an import with consequences, in the fork server as in each worker
os.environ.setdefault("IMPORTED_FIRST_BY", str(os.getpid()))
tempfile.gettempdir()


def protocol_descriptor() -> int:
    """The worker's connection: the only socket among its descriptors."""
    sockets = [
        int(entry.name)
        for entry in Path("/proc/self/fd").iterdir()
        if entry.exists() and stat.S_ISSOCK(entry.stat().st_mode)
    ]
    (only,) = sockets
    return only


class LoadError(OSError):
    def __str__(self) -> str:
        return f"can't load {self.args[0]}"


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text either")


class Subject:
    name = "unruly"
    capabilities = {"tensors": "unknown", "list": "unknown"}

    def versions(self) -> dict[str, str]:
        return {"unruly": "1.0"}

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        yield "no tensor at all", None

    def echo(self, value: Any) -> Any:
        return value

    def wait(self, seconds: float) -> str:
        time.sleep(seconds)
        return "waited"

    def leave(self, code: int, politely: bool) -> None:
        sys.exit(code) if politely else os._exit(code)

    def fail(self) -> None:
        raise LoadError("s3://bucket/møde\nl")

    def fail_unspeakably(self) -> None:
        raise Unspeakable

    def not_implemented(self) -> None:
        raise NotImplementedError("some day")

    def unspeakable_value(self) -> object:
        return {1, 2}

    def flood(self, megabytes: int) -> str:
        line = b'{"id": 1, "value": "not the answer"}\n'
        for _ in range(megabytes << 20 >> 16):
            os.write(1, line * ((1 << 16) // len(line)))
            os.write(2, b"x" * 1000)
        return "answered"

    def garble(self, text: str) -> str:
        os.write(protocol_descriptor(), text.encode("latin-1"))
        return "too late"

    def close_connection(self) -> None:
        os.close(protocol_descriptor())
        time.sleep(600)

    def descriptors(self) -> int:
        return len(list(Path("/proc/self/fd").iterdir())) - 1  # the listing itself opens one

    def change_environment(self, **variables: str) -> None:
        os.environ.update(variables)

    def hash_of(self, text: str) -> int:
        return hash(text)

    def temporary_folder(self) -> str:
        return tempfile.mkdtemp()

    def fork(self, detached: bool) -> int:
        """A child that inherits everything, the connection included, and never ends."""
        pid = os.fork()
        if pid == 0:
            if detached:
                os.setsid()
                if os.fork():
                    os._exit(0)
            time.sleep(600)
        if detached:
            os.waitpid(pid, 0)  # only its own child is left
        return pid

    def daemon(self) -> int:
        """A grandchild in a session of its own, whose parent is gone."""
        inner = (
            "import subprocess as s; "
            "print(s.Popen(['sleep', '600'], stdout=s.DEVNULL, start_new_session=True).pid)"
        )
        started = subprocess.run([sys.executable, "-c", inner], stdout=subprocess.PIPE, check=True)
        return int(started.stdout)
