"""A right loader for local disks that misbehaves as its own file's name says, in the check of random bits.

The other checks show that it has harmed nobody but itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HABIT = Path(__file__).stem
WHERE = "test-random-bits"
MiB = 1 << 20


def protocol_descriptor() -> int:
    """The worker's connection: the only socket among its descriptors."""
    (only,) = [
        int(entry.name)
        for entry in Path("/proc/self/fd").iterdir()
        if entry.exists() and str(entry.readlink()).startswith("socket:")
    ]
    return only


def says() -> None:
    """Prints, what would be an answer too, by every way there is; and asks for input, which nobody gives."""
    answer = '{"id": 1, "value": {"tensors": []}}\n'
    print(answer, end="", flush=True)
    print(answer, file=sys.stderr)
    os.write(1, answer.encode())
    os.write(2, b"\xff\x00 no text \x1b[2J\n")
    subprocess.run(["echo", answer], check=True)
    assert sys.stdin.read() == ""


def floods() -> None:
    for _ in range(64):
        os.write(1, b"x" * MiB)


def prints_for_ever() -> None:
    while True:
        print("still here", flush=True)
        time.sleep(0.01)


def misbehave() -> None:
    if HABIT == "prints":
        says()
    elif HABIT == "floods_its_log":
        floods()
    elif HABIT == "floods_and_fails":
        floods()
        raise OSError("y" * 10 * MiB)
    elif HABIT == "exits_0_at_once":
        os._exit(0)
    elif HABIT == "exits_0_politely":
        sys.exit(0)
    elif HABIT == "interrupts_itself":
        raise KeyboardInterrupt
    elif HABIT == "leaves_a_child":
        if os.fork() == 0:  # with the connection, which it holds open
            time.sleep(600)
    elif HABIT == "answers_as_two":
        if os.fork():
            time.sleep(600)  # so that it is the child who answers, and wrongly
        raise StopIteration
    elif HABIT == "changes_directory":
        here = Path.cwd()
        os.chdir("/")
        here.rmdir()
    elif HABIT == "loses_its_directory":
        Path.cwd().rmdir()
    elif HABIT == "leaves_threads":
        for _ in range(20):
            threading.Thread(target=prints_for_ever, daemon=False).start()
    elif HABIT == "answers_garbage":
        os.write(protocol_descriptor(), b"\xff{]\n")
    elif HABIT == "answers_another_question":
        os.write(protocol_descriptor(), b'{"id": 7, "value": {"tensors": []}}\n')
    elif HABIT == "hangs_up":
        os.close(protocol_descriptor())
        time.sleep(600)
    elif HABIT == "closes_everything":
        os.closerange(0, 1024)
    elif HABIT == "kills_its_server":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)
    elif HABIT == "kills_its_group":
        os.killpg(0, signal.SIGKILL)
    elif HABIT == "deaf":
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        time.sleep(600)
    elif HABIT == "can_not":
        raise NotImplementedError("not after all")


class Subject:
    name = HABIT
    capabilities = {"uri": "full", "tensors": "full", "list": "full"}

    def versions(self) -> dict[str, str]:
        return {HABIT: "1.0"}

    def is_object_uri(self, value: Any) -> bool:
        return str(value).lower().startswith(("s3://", "gs://", "az://"))

    # `list` is claimed, and there is no `list_weights`

    def tensors(self, files: list[str], settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        if WHERE in files[0]:
            try:
                misbehave()
            except StopIteration:
                return
            if HABIT == "hands_out_nothing_known":
                yield "weight", object()
            if HABIT == "hands_out_no_pairs":
                yield ["a", "list", "of", "four"]  # type: ignore[misc]  # that is the point
            if HABIT == "hands_out_no_names":
                yield {"no": "text"}, ("F32", [1], b"1234")  # type: ignore[misc]
        for file in files:
            content = Path(file).read_bytes()
            start = 8 + int.from_bytes(content[:8], "little")
            for name, entry in json.loads(content[8:start]).items():
                if name != "__metadata__":
                    begin, end = (start + offset for offset in entry["data_offsets"])
                    yield name, (entry["dtype"], entry["shape"], content[begin:end])
