"""The witness sees what happens to the files that it watches, whoever does it, and nothing else."""

from __future__ import annotations

import mmap
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.witness import Witness


def by_python(file: Path) -> None:
    file.read_bytes()


def by_a_native_program(file: Path) -> None:
    subprocess.run(["cat", str(file)], check=True, capture_output=True)


def past_the_page_cache(file: Path) -> None:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_DIRECT)
    except OSError:  # a temporary file system may not have it
        descriptor = os.open(file, os.O_RDONLY)
    os.close(descriptor)


def by_mapping(file: Path) -> None:
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[:1]


def through_a_link(file: Path) -> None:
    link = file.parent.parent / "link"
    link.symlink_to(file)
    link.read_bytes()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "outside" / "nested"
    folder.mkdir(parents=True)
    file = folder / "secret.bin"
    file.write_bytes(b"secret")
    return file


@pytest.mark.parametrize(
    "read", [by_python, by_a_native_program, past_the_page_cache, by_mapping, through_a_link]
)
def test_it_sees_a_read(secret: Path, read: Callable[[Path], None]) -> None:
    with Witness(secret.parent.parent) as witness:
        assert witness.seen() == []
        read(secret)
        assert f"opened {secret}" in witness.seen()


def test_it_sees_a_single_file(secret: Path) -> None:
    with Witness(secret) as witness:
        (secret.parent / "other").write_bytes(b"not watched")
        assert witness.seen() == []
        secret.read_bytes()
        assert f"opened {secret}" in witness.seen()


def test_it_sees_a_listing(secret: Path) -> None:
    with Witness(secret.parent.parent) as witness:
        list(secret.parent.iterdir())
        assert f"opened {secret.parent}" in witness.seen()


def test_it_sees_changes(secret: Path) -> None:
    with Witness(secret.parent.parent) as witness:
        (secret.parent / "new").touch()
        secret.chmod(0o600)
        secret.unlink()
        seen = witness.seen()
    assert f"created {secret.parent / 'new'}" in seen
    assert f"changed the attributes of {secret}" in seen
    assert f"deleted {secret}" in seen


def test_it_sees_nothing_else(secret: Path) -> None:
    with Witness(secret.parent.parent) as witness:
        (secret.parent.parent.parent / "elsewhere").write_bytes(b"x")
        secret.stat()
        assert witness.seen() == []
