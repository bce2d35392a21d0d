"""`minio-image`: builds MinIO's image from its Go module, for machines that can't pull one.

The image holds one static binary and nothing else; `docker import` makes it from a tar stream, so no base
image is needed. Two minutes the first time on idle cores,
six on two busy ones; nearly all of it is Go compiling.
"""

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from typing import IO

from tooling.trouble import Trouble

SUMMARY = "build MinIO's image from its Go module and load it into the local Docker engine"
MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
TAG = "loadproof/minio:7aac2a2c5b7c"
RELEASE = "minio/minio:RELEASE.2025-09-07T16-13-09Z"
"""The public image that the store minio takes where one can be pulled."""

BUILD_SECONDS = 1800
ENGINE_SECONDS = 30
IMPORT_SECONDS = 300
PULL_SECONDS = 120


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help=f"build even if {TAG} is in the engine")
    parser.add_argument(
        "--pull", action="store_true", help=f"be content with {RELEASE} if it is here or can be pulled"
    )


def run(options: argparse.Namespace) -> None:
    """Make sure that the engine holds TAG (with --pull: or RELEASE). Raises Trouble."""
    docker = _program("docker", "install Docker (https://docs.docker.com/engine/install/)")
    if not _succeeds([docker, "info"]):
        raise Trouble("no Docker engine answers", "start it; `docker info` must answer")
    if not options.force and _succeeds([docker, "image", "inspect", TAG]):
        say(f"{TAG} is in the engine already; --force builds it again")
        return
    if options.pull and _pulled(docker):
        say(f"{RELEASE} is in the engine, nothing to build")
        return
    go = _program("go", "install Go 1.24 or later (https://go.dev/dl/)")
    with tempfile.TemporaryDirectory(prefix="loadproof-minio-") as folder:
        binary = build(go, Path(folder))
        say(f"packing {binary.stat().st_size / 2**20:.0f} MiB as {TAG}")
        load(docker, binary)
    say(f"done: {TAG}; the store minio finds it by itself")


def build(go: str, folder: Path) -> Path:
    """Compile MODULE to `folder`/minio, without C libraries so that the image needs no others."""
    say(f"go install {MODULE} (two minutes or more when nothing is cached)")
    start = time.monotonic()
    environment = {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(folder)}
    environment.pop("GOOS", None)  # with either set, go installs into a folder of its own choice
    environment.pop("GOARCH", None)
    try:
        done = subprocess.run(
            [go, "install", MODULE],
            env=environment,
            cwd=folder,  # outside any module whose go.mod could interfere
            stdin=subprocess.DEVNULL,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise Trouble(
            f"go install did not end within {BUILD_SECONDS} s", "try again; what it compiled is cached"
        ) from error
    if done.returncode != 0:
        raise Trouble(
            f"go install ended with exit code {done.returncode}, its own message is above",
            "see that the Go module proxy can be reached (`go env GOPROXY`), then try again",
        )
    say(f"compiled in {time.monotonic() - start:.0f} s")
    return folder / "minio"


def load(docker: str, binary: Path) -> None:
    """Import an image of `binary` under TAG; its entry point is the binary, its command the caller's."""
    with tempfile.TemporaryFile() as said:  # a file, not a pipe: nothing reads while the tar is written
        importing = subprocess.Popen(
            [docker, "import", "--change", 'ENTRYPOINT ["/bin/minio"]', "-", TAG],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
        )
        assert importing.stdin is not None
        # A broken pipe is docker's refusal: it has said why, and its exit code tells.
        with contextlib.suppress(BrokenPipeError), importing.stdin:
            pack(binary, importing.stdin)
        try:
            code = importing.wait(IMPORT_SECONDS)
        except subprocess.TimeoutExpired:
            importing.kill()
            code = importing.wait()
        if code != 0:
            said.seek(0)
            message = said.read().decode(errors="replace").strip()
            raise Trouble(
                f"docker import failed ({code}): {message}", "see the engine's log and its free disk"
            )


def pack(binary: Path, out: IO[bytes]) -> None:
    """Write the image's file system as tar: the binary, and the folders that MinIO writes to."""
    with tarfile.open(fileobj=out, mode="w|") as tar:
        for folder, mode in (("bin", 0o755), ("tmp", 0o1777), ("data", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry, io.BytesIO())
        entry = tarfile.TarInfo("bin/minio")
        entry.size, entry.mode = binary.stat().st_size, 0o755
        with binary.open("rb") as content:
            tar.addfile(entry, content)


def say(line: str) -> None:
    print(f"minio-image: {line}", flush=True)


def _pulled(docker: str) -> bool:
    """Whether RELEASE is in the engine, now at the latest."""
    if _succeeds([docker, "image", "inspect", RELEASE]):
        return True
    say(f"pulling {RELEASE}, for at most {PULL_SECONDS} s")
    return _succeeds([docker, "pull", "--quiet", RELEASE], seconds=PULL_SECONDS)


def _program(name: str, remedy: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise Trouble(f"the program {name!r} is not on the PATH", remedy)
    return path


def _succeeds(command: list[str], seconds: float = ENGINE_SECONDS) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
