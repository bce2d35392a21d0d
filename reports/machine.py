"""What a run took place on: the part of the header that makes two reports comparable."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

DISTRIBUTIONS = (
    "pytest",
    "hypothesis",
    "torch",
    "safetensors",
    "runai-model-streamer",
    "boto3",
    "moto",
    "testcontainers",
    "huggingface_hub",
)
PREFIXES = ("AWS_", "RUNAI_", "HF_", "LOADPROOF_", "CUDA_", "DOCKER_", "TESTCONTAINERS_", "GOOGLE_", "AZURE_")
NAMES = ("PYTHONHASHSEED", "PYTEST_ADDOPTS", "OMP_NUM_THREADS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def machine() -> dict[str, Any]:
    """CPU count (of this process and of the machine), memory in GiB, platform, kernel."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpus": usable,
        "cpus_of_machine": os.cpu_count(),
        "memory_gib": memory_gib(),
        "platform": platform.platform(),
        "architecture": platform.machine(),
        "kernel": platform.release(),
    }


def memory_gib() -> float | None:
    """Physical memory in GiB; None where the system doesn't say."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return None


def versions() -> dict[str, str]:
    """Of Python and of what is installed next to pytest, read from metadata: nothing is imported."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def relevant_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that change how a subject, a store or the suite behaves; not yet redacted."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.upper().startswith(PREFIXES) or name.upper() in NAMES
    }
