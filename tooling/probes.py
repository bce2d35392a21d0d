"""The probes of this machine, by name.

Each runs in a process of its own, `python -m tooling.probes NAME`, which may hang or crash; smoke.py reads
what it said.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tooling import probes_of_machine as machine
from tooling import probes_of_suite as suite
from tooling.finding import INSTALL, Finding, State


@dataclass(frozen=True)
class Probe:
    """`needed`: without an answer the suite is broken, else something is merely absent."""

    look: Callable[[], Finding]
    seconds: float
    needed: bool
    remedy: str
    """Where the probe itself has no answer: it hung, or died."""


_AGAIN = "run it again, since a first import from a cold disk is slow; else " + INSTALL
_DOCKER = "restart Docker; `docker info` must answer"
_NO_ANSWER = "run `python -m tooling.probes NAME` to see why"
PROBES: dict[str, Probe] = {  # the slow ones first, since they start in this order
    "reference": Probe(suite.reference, 18, True, _AGAIN),
    "moto": Probe(suite.moto_store, 18, True, _AGAIN),
    "torch": Probe(suite.torch, 18, True, _AGAIN),
    "streamer": Probe(suite.streamer, 18, True, _AGAIN),
    "docker": Probe(suite.docker_engine, 9, False, _DOCKER),
    "minio image": Probe(suite.minio_image, 9, False, _DOCKER),
    "gpu": Probe(machine.gpu, 16, False, "see dmesg; restart the driver"),
    "disk": Probe(suite.disk_store, 9, True, "see whether the disk under TMPDIR hangs"),
    "python": Probe(suite.python, 9, True, _NO_ANSWER),
    "sglang": Probe(machine.sglang, 9, False, _NO_ANSWER),
    "vllm": Probe(machine.vllm, 9, False, _NO_ANSWER),
    "s3 credentials": Probe(machine.s3_credentials, 9, False, _NO_ANSWER),
    "gcs credentials": Probe(machine.gcs_credentials, 9, False, _NO_ANSWER),
    "azure credentials": Probe(machine.azure_credentials, 9, False, _NO_ANSWER),
    "free disk": Probe(machine.free_disk, 9, True, "see whether the disk under TMPDIR hangs"),
    "free memory": Probe(machine.free_memory, 9, True, _NO_ANSWER),
}


def found(name: str) -> Finding:
    """What the probe finds; whatever it raises is a finding, too."""
    probe = PROBES[name]
    state = State.BROKEN if probe.needed else State.ABSENT
    try:
        return probe.look()
    except ModuleNotFoundError as error:
        return Finding(state, str(error), INSTALL)
    except Exception as error:  # noqa: BLE001  of any library, about any machine
        lines = str(error).strip().splitlines() or [""]
        return Finding(
            state, f"{type(error).__name__}: {lines[-1]}", probe.remedy.replace("NAME", repr(name))
        )


if __name__ == "__main__":
    print(json.dumps(asdict(found(sys.argv[1]))), flush=True)
