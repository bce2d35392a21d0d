"""A subject runs under an interpreter of its own, with another version and without torch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures import checkpoints
from fixtures.subjects.client import SubjectServer, Worker
from fixtures.subjects.protocol import SubjectDied, SubjectSpec

ADAPTER = Path(__file__).with_name("adapters") / "plain.py"
OLDEST = (3, 10)


def version_of(python: Path | str) -> tuple[int, int] | None:
    """(major, minor) of an interpreter that can make a virtual environment, else None."""
    code = "import sys, venv; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    major, _, minor = done.stdout.partition(" ")
    return (int(major), int(minor)) if done.returncode == 0 else None


def another_python() -> str:
    """An interpreter of another minor version where there is one, else the one that runs this."""
    minors = [minor for minor in range(OLDEST[1], 30) if minor != sys.version_info.minor]
    on_path = [shutil.which(f"python3.{minor}") for minor in minors]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [str(path) for path in sorted(pyenv.glob("3.*/bin/python3")) if re.search(r"/3\.\d+", str(path))]
    for python in (*filter(None, on_path), *found):
        version = version_of(python)
        if version is not None and version >= OLDEST and version != sys.version_info[:2]:
            return python
    return sys.executable


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("second") / "venv"
    subprocess.run([another_python(), "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def worker(interpreter: Path) -> Iterator[Worker]:
    server = SubjectServer(SubjectSpec("plain", ADAPTER, str(interpreter)))
    with server.worker({}) as worker:
        yield worker
    server.stop()


def test_it_is_another_interpreter(worker: Worker, interpreter: Path) -> None:
    seen = worker.ask("describe")
    assert Path(seen["prefix"]) == interpreter.parents[1] != Path(sys.prefix)
    assert seen["python"] == seen["versions"]["python"]
    assert tuple(int(part) for part in seen["python"].split(".")[:2]) == version_of(interpreter)
    assert worker.ask("has_torch") is False


def test_it_answers_about_addresses(worker: Worker) -> None:
    assert [worker.ask("is_object_uri", value=value) for value in ("S3://b/k", "/tmp/k")] == [True, False]
    assert worker.ask("is_object_uri", value={"path": "s3:/b"}) is False


def test_it_loads_every_type_without_torch(worker: Worker, tmp_path: Path) -> None:
    checkpoint = checkpoints.dtype_matrix(20260101)
    checkpoint.write(tmp_path)
    files = [str(tmp_path / file) for file in checkpoint.weight_files]
    loaded = {one["name"]: one for one in worker.ask("tensors", files=files, settings={})["tensors"]}
    assert loaded.keys() == checkpoint.expected.keys()
    for position, (name, seen) in enumerate(loaded.items()):
        right = checkpoint.expected[name]
        assert (seen["dtype"], seen["nbytes"], seen["sha256"]) == (right.dtype, right.nbytes, right.sha256)
        kept = worker.ask("kept_bytes", position=position, offset=1, length=5)
        assert bytes.fromhex(kept) == right.data()[1:6]


def test_an_interpreter_without_the_library(interpreter: Path) -> None:
    needs_torch = ADAPTER.with_name("safetensors_mmap.py")
    with pytest.raises(SubjectDied, match="No module named 'torch'|ModuleNotFoundError"):
        SubjectServer(SubjectSpec("safetensors_mmap", needs_torch, str(interpreter)))
