"""A right loader for local disks, but for the one bad habit that its own file's name says."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HABIT = Path(__file__).stem
HELD: list[Any] = []
FIRST: list[Any] = []


def leak(kind: str) -> None:
    if kind == "descriptor":
        HELD.append(os.open(os.devnull, os.O_RDONLY))
    elif kind == "thread":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    elif kind == "child":
        HELD.append(subprocess.Popen(["sleep", "600"]))
    elif kind == "file":
        os.close(tempfile.mkstemp()[0])
    elif kind == "variable":
        os.environ["LAST_LOAD"] = "here"
    elif kind == "native_variable":
        os.putenv("LAST_LOAD", "here")
    elif kind == "memory":
        HELD.append(os.urandom(4 << 20))


class Subject:
    name = HABIT
    capabilities = {"tensors": "full"}

    def versions(self) -> dict[str, str]:
        return {HABIT: "1.0"}

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        leak(HABIT)
        if HABIT == "shared_files":
            FIRST[:] = files  # and whoever comes next has others
            time.sleep(0.05)
            files = list(FIRST)
        elif HABIT == "not_in_a_child":
            FIRST.append(os.getpid())
            files = files[os.getpid() != FIRST[0] :]
        elif HABIT == "a_thousand":
            files = files[:1000]
        tensors = read(files)
        if HABIT == "everything_first":
            tensors = iter(list(tensors))
        kept: list[bytes] = []
        try:
            for name, tensor in tensors:
                if HABIT == "everything_twice":
                    kept.append(bytes(bytearray(tensor[2])))
                yield name, tensor
        except GeneratorExit:
            leak("descriptor" if HABIT == "when_given_up" else "")
            raise
        except Exception:
            leak("descriptor" if HABIT == "when_it_fails" else "")
            raise


def read(files: list[str]) -> Iterator[tuple[str, Any]]:
    for file in files:
        whole = memoryview(Path(file).read_bytes()) if HABIT == "views" else None
        with open(file, "rb") as stream:
            start = 8 + int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(start - 8))
            for name, entry in header.items():
                begin, end = (start + offset for offset in entry["data_offsets"])
                stream.seek(begin)
                data = whole[begin:end] if whole else stream.read(end - begin)
                if len(data) < end - begin:
                    raise EOFError(f"{file} is too short for {name}")
                yield name, (entry["dtype"], entry["shape"], data)
