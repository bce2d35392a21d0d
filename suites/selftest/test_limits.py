"""What a machine can do without a loader: bytes that arrive, a cache that is as it was asked to be."""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fixtures.limits import Way, WrongBytes, shares, ways
from fixtures.page_cache import StaysInMemory, evict, resident, warm
from tooling.__main__ import main
from tooling.limits import GIB, measured, table

MIB = 1 << 20
#: a file system that lies in memory, on every Linux
MEMORY = Path("/dev/shm")


@pytest.fixture
def on_a_disk(tmp_path: Path) -> Path:
    kind = subprocess.run(["stat", "-f", "-c", "%T", tmp_path], capture_output=True, text=True, check=True)
    if kind.stdout.strip() in ("tmpfs", "ramfs"):
        pytest.skip(f"{tmp_path} lies in memory; --basetemp names a folder on a disk")
    return tmp_path


def test_a_file_is_evicted_and_warmed(on_a_disk: Path) -> None:
    path = on_a_disk / "file"
    path.write_bytes(os.urandom(8 * MIB + 1))
    assert resident(path) == 1.0, "it has just been written"
    evict(path)
    assert resident(path) < 0.01
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # lest the kernel reads ahead
        file.read(MIB)
    assert 0.0 < resident(path) < 1.0, "a part of it was read"
    warm(path)
    assert resident(path) == 1.0


def test_an_empty_file_lies_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    warm(path)
    evict(path)
    assert resident(path) == 0.0


def test_what_lies_in_memory_is_not_called_cold() -> None:
    path = MEMORY / f"loadproof-selftest-{os.getpid()}"
    path.write_bytes(bytes(MIB))
    try:
        with pytest.raises(StaysInMemory, match="100%"):
            evict(path)
    finally:
        path.unlink()


def test_every_way_brings_the_bytes(on_a_disk: Path) -> None:
    with ways(on_a_disk, 3 * MIB + 7) as (right, every):
        assert [way.name for way in every] == ["memory copy", "page cache", "cold read", "loopback TCP"]
        for way in (*every, *reversed(every)):
            assert way.seconds(right) > 0
    assert list(on_a_disk.iterdir()) == []


def test_a_file_that_gets_shorter_ends_the_read(on_a_disk: Path) -> None:
    with ways(on_a_disk, 2 * MIB) as (right, every):
        (file,) = on_a_disk.iterdir()
        os.truncate(file, MIB)
        with pytest.raises(OSError, match="the file ends early"):
            next(way for way in every if way.name == "page cache").seconds(right)


def test_wrong_bytes_are_no_measurement() -> None:
    right = np.arange(10, dtype=np.uint8)
    target = np.empty_like(right)
    with pytest.raises(WrongBytes, match="idle"):
        Way("idle", target, lambda: None).seconds(right)


def test_parts_cover_everything_once() -> None:
    assert shares(10, 3) == [(0, 3), (3, 6), (6, 10)]
    assert shares(2, 4) == [(0, 1), (1, 2)]


def test_rates_are_of_what_was_moved() -> None:
    lines = table({"even": [0.5, 1.0, 2.0], "odd": []}, {"odd": "no disk"}, GIB)
    assert lines[1].split() == ["even", "1.00", "0.50", "2.00", "3"]
    assert lines[2].split(maxsplit=1) == ["odd", "NOT-RUN: no disk"]


def test_every_round_has_an_order_of_its_own_and_what_cannot_be_is_asked_once() -> None:
    asked: list[str] = []
    right = np.zeros(4, dtype=np.uint8)

    def way(name: str) -> Way:
        return Way(name, np.empty_like(right), lambda: asked.append(name))

    def refuse() -> None:
        asked.append("cold")
        raise StaysInMemory("all of it stays")

    every = [way("a"), way("b"), way("c"), dataclasses.replace(way("cold"), prepare=refuse)]
    taken, missing = measured(every, right, 6, random.Random(1))
    assert {name: len(seconds) for name, seconds in taken.items() if seconds} == {"a": 6, "b": 6, "c": 6}
    assert list(missing) == ["cold"]
    assert asked.count("cold") == 1
    rest = [name for name in asked if name != "cold"]
    assert len({tuple(rest[start : start + 3]) for start in range(0, 18, 3)}) > 1


def test_the_command_prints_a_table(on_a_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", "--size", "2", "--rounds", "2", "--folder", str(on_a_disk)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["round 1 of 2", "round 2 of 2"]
    assert [line.split()[-1] for line in lines[-4:]] == ["2"] * 4


def test_what_cannot_be_measured_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", "--size", "2", "--rounds", "2", "--folder", str(MEMORY)]) == 1
    assert "cold read       NOT-RUN: 100%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--folder", "/no/such/folder"], "there is no folder /no/such/folder"),
        (["--size", str(1 << 40)], "has room for"),
    ],
)
def test_bad_input_is_told_in_a_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", *words]) == 2
    assert said in capsys.readouterr().err
