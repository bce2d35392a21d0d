"""What lies in a folder, seen by an observer that no subject has a part in."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

#: what a loader may keep beside the files that it pulled: bookkeeping, by its leading dot
BOOKKEEPING = "."
#: bytes; metadata, logs and caches of code are smaller, weights of a megabyte are not
LARGEST_FILE = 1 << 18


def tree_of(folder: str | Path, *, held: Collection[str] = ()) -> dict[str, bytes]:
    """Content by relative path, links followed; bookkeeping at the top level is left out.

    `held` are the keys that the bucket holds: what lies under one of those is no bookkeeping.
    """
    found: dict[str, bytes] = {}
    root = Path(folder)
    for here, _, files in os.walk(root, followlinks=True):
        for file in files:
            path = Path(here) / file
            relative = path.relative_to(root).as_posix()
            if relative in held or not relative.startswith(BOOKKEEPING):
                found[relative] = path.read_bytes()
    return found


def everything_below(folder: Path) -> set[str]:
    """Every path below `folder`, hidden ones too, links not followed."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def bytes_below(folder: Path) -> int:
    """What all files below `folder` hold together, hidden ones too, links not followed."""
    return sum(path.lstat().st_size for path in files_below(folder))


def files_below(folder: Path) -> list[Path]:
    """Files in it, at any depth; links are none."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def folders_below(folder: Path) -> list[Path]:
    """Folders in it, at any depth; links are none."""
    return [path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()]
