"""The files in `suites/automatic`: the scope, equivalent mutants with their reasons, known survivors."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TEXTS = ("module", "function", "removed", "added")


class EntryError(ValueError):
    """An entry is malformed; the message names the file and the entry."""


@dataclass(frozen=True)
class Entry:
    """One mutant, told apart by what it changes: other changes of the loader leave the entry valid."""

    module: str
    function: str
    removed: str
    added: str
    occurrence: int = 1
    #: why no check can notice it, or, of a known survivor, why none does; empty where nobody has said so yet
    reason: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str, int]:
        """As of `Mutant.identity`."""
        return self.module, self.function, self.removed, self.added, self.occurrence

    def __str__(self) -> str:
        place = ".".join(part for part in (self.module, self.function) if part)
        return f"{place}: {' '.join(self.removed.split())} -> {' '.join(self.added.split())}"


def read_entries(path: Path, *, with_reasons: bool) -> tuple[Entry, ...]:
    """All tables `mutant` of the file; none where there is no file. Raises EntryError."""
    if not path.exists():
        return ()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise EntryError(f"{path.name}: no TOML: {error}") from None
    if unknown := content.keys() - {"mutant"}:
        raise EntryError(f"{path.name}: unknown key {min(unknown)!r}, only tables [[mutant]] are known")
    entries: list[Entry] = []
    for number, values in enumerate(content.get("mutant", []), 1):
        place = f"{path.name}: mutant {number}"
        if unknown := values.keys() - {*TEXTS, "occurrence", "reason"}:
            raise EntryError(f"{place}: unknown key {min(unknown)!r}")
        for key in (*TEXTS, "reason") if with_reasons else TEXTS:
            if not isinstance(values.get(key), str):
                raise EntryError(f"{place}: {key!r} must be a text, and is {values.get(key)!r}")
        if type(values.get("occurrence", 1)) is not int:
            raise EntryError(f"{place}: 'occurrence' must be a number, and is {values['occurrence']!r}")
        entry = Entry(**values)
        if with_reasons and not entry.reason.strip():
            raise EntryError(f"{place}: it needs a reason")
        if entry.identity in {one.identity for one in entries}:
            raise EntryError(f"{place}: named twice: {entry}")
        entries.append(entry)
    return tuple(entries)


@dataclass(frozen=True)
class Outside:
    """A module, or one function of it, that no check can run."""

    module: str
    reason: str
    function: str = ""

    def holds(self, module: str, function: str) -> bool:
        return module == self.module and self.function in ("", function)


def read_scope(path: Path) -> tuple[Outside, ...]:
    """All tables `outside` of the file; none where there is no file. Raises EntryError."""
    if not path.exists():
        return ()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(Outside(**values) for values in content["outside"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise EntryError(f"{path.name}: tables [[outside]] with module and reason: {error}") from None


def as_toml(entries: Iterable[Entry], introduction: str) -> str:
    """The file's text, sorted, so that a later one is easily compared."""
    blocks = ["".join(f"# {line}\n" for line in introduction.splitlines())]
    for entry in sorted(entries, key=lambda one: one.identity):
        lines = ["[[mutant]]", *(f"{key} = {text(getattr(entry, key))}" for key in TEXTS)]
        if entry.occurrence != 1:
            lines.append(f"occurrence = {entry.occurrence}")
        if entry.reason:
            lines.append(f"reason = {text(entry.reason)}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def text(value: str) -> str:
    """A TOML text, over several lines where it has several; literal where nothing must be escaped."""
    if "'''" not in value and "\r" not in value and ("\n" in value or "\\" in value or '"' in value):
        return f"'''\n{value}'''" if "\n" in value or "'" in value else f"'{value}'"
    return json.dumps(value, ensure_ascii=False)  # a JSON text is a TOML text
