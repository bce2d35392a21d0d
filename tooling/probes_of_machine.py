"""What the machine has: a GPU, engines, credentials, free disk and memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

from tooling.finding import Finding, absent, broken, ok

GPU_SECONDS = 10.0
MEMORY_MIB = 1024
"""Torch and a loader that streams take about half of it, twice where two processes run checks."""
DISK_MIB = 512
"""A process of checks keeps some checkpoints of up to 24 MiB, caches and logs at a time."""


def gpu() -> Finding:
    remedy = "none needed unless GPUs are to be tested: then an NVIDIA GPU with its driver"
    program = shutil.which("nvidia-smi")
    if program is None:
        return absent("no nvidia-smi on the PATH", remedy)
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=GPU_SECONDS)
    except subprocess.TimeoutExpired:
        return absent(f"nvidia-smi says nothing within {GPU_SECONDS:g} s", "see dmesg; restart the driver")
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().partition("\n")[0]
        return absent(f"nvidia-smi ended with {done.returncode}: {said}", "install or restart the driver")
    import torch as module

    found = done.stdout.strip().replace("\n", "; ")
    if not module.cuda.is_available():
        return absent(
            f"{found}, but torch can't use it", "install torch's build for CUDA, and see the driver"
        )
    return ok(found)


def sglang() -> Finding:
    return _engine("sglang")


def vllm() -> Finding:
    return _engine("vllm")


def _engine(name: str) -> Finding:
    try:
        return ok(f"{name} {metadata.version(name)}")
    except metadata.PackageNotFoundError:
        return absent("not installed next to this Python", f"pip install {name}, if it is to be tested")


def s3_credentials() -> Finding:
    return _credentials(
        ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        "aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )


def gcs_credentials() -> Finding:
    return _credentials(
        ("GOOGLE_APPLICATION_CREDENTIALS",),
        (),
        "~/.config/gcloud/application_default_credentials.json",
        "gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
    )


def azure_credentials() -> Finding:
    return _credentials(
        ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"),
        ("AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"),
        "~/.azure/azureProfile.json",
        "az login, or set AZURE_STORAGE_CONNECTION_STRING",
    )


def _credentials(names: tuple[str, ...], more: tuple[str, ...], file: str, remedy: str) -> Finding:
    """Whether there are some, and where from; never what they are, and nobody is asked whether they work."""
    for name in (*names, *more):
        value = os.environ.get(name)
        if value and name.endswith(("_FILE", "_APPLICATION_CREDENTIALS")) and not Path(value).is_file():
            return absent(f"{name} names a file that isn't there", f"correct it; or {remedy}")
        if value:
            return ok(f"by {name}")
    if Path(file).expanduser().is_file():
        return ok("by a file in its usual place")
    return absent("none found", f"none needed without a cloud store: else {remedy}")


def free_disk() -> Finding:
    free = shutil.disk_usage(tempfile.gettempdir()).free // 2**20
    if free < DISK_MIB:
        return broken(f"{free} MiB for temporary files", f"free {DISK_MIB} MiB there, or set TMPDIR")
    return ok(f"{free / 1024:.1f} GiB for temporary files")


def free_memory() -> Finding:
    lines = Path("/proc/meminfo").read_text().splitlines()
    (available,) = [int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:")]
    if available < MEMORY_MIB:
        return broken(f"{available} MiB available", f"free some: a run needs {MEMORY_MIB} MiB")
    return ok(f"{available / 1024:.1f} GiB available")
