"""Reads the requirement catalogue, `suites/requirements/*.toml`, and accepts nothing half written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

LEVELS = ("MUST", "SHOULD")
NO_STORE = "none"
FIELDS = ("id", "level", "sentence", "why", "link", "source", "capability", "stores")


class CatalogueError(Exception):
    """The catalogue can't be used; the message names the file and, where there is one, the requirement."""


@dataclass(frozen=True)
class Requirement:
    """One testable sentence with a permanent id."""

    id: Annotated[str, "permanent: the area and three digits"]
    area: Annotated[str, "what the requirement is about, in capital letters"]
    level: Annotated[str, "MUST or SHOULD"]
    sentence: Annotated[str, "what has to hold"]
    why: Annotated[str, "the failure that its checks are there to catch"]
    link: Annotated[str, "where that failure can be read about"]
    source: Annotated[str, "where the rule comes from"]
    capability: Annotated[str, "what a subject has to claim for the check to be run, `a and b` if both"]
    stores: Annotated[tuple[str, ...], "where it is checked; none alone where no store takes part"]

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Each that is needed, in the order in which a subject is asked for it."""
        return tuple(self.capability.split(" and "))


def read_catalogue(folder: Path) -> dict[str, Requirement]:
    """All requirements by id, sorted. Raises CatalogueError."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise CatalogueError(f"{folder}: no *.toml file with requirements")
    found: dict[str, Requirement] = {}
    areas: dict[str, Path] = {}
    for file in files:
        document = read_toml(file)
        area = _area(file, document)
        if area in areas:
            raise CatalogueError(f"{file}: area {area} is already in {areas[area].name}")
        areas[area] = file
        for requirement in _requirements(file, area, document):
            if requirement.id in found:
                raise CatalogueError(f"{file}: {requirement.id}: this id exists twice")
            found[requirement.id] = requirement
    return dict(sorted(found.items()))


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file's content; CatalogueError with its name where it isn't TOML."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{file}: not TOML: {error}") from error


def _area(file: Path, document: Mapping[str, Any]) -> str:
    if unknown := set(document) - {"area", "title", "requirement"}:
        raise CatalogueError(f"{file}: unknown field {min(unknown)!r}")
    for name in ("area", "title"):
        if not isinstance(document.get(name), str) or not document[name].strip():
            raise CatalogueError(f"{file}: {name} is missing or not a text")
    area: str = document["area"]
    if not re.fullmatch(r"[A-Z]+", area):
        raise CatalogueError(f"{file}: area {area!r} must be capital letters only")
    return area


def _requirements(file: Path, area: str, document: Mapping[str, Any]) -> list[Requirement]:
    tables = document.get("requirement")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise CatalogueError(f"{file}: has no [[requirement]]")
    return [_requirement(file, area, number, table) for number, table in enumerate(tables, start=1)]


def _requirement(file: Path, area: str, number: int, table: Mapping[str, Any]) -> Requirement:
    identity = table.get("id")
    where = f"{file}: {identity if isinstance(identity, str) else f'requirement number {number}'}"
    if missing := [name for name in FIELDS if name not in table]:
        raise CatalogueError(f"{where}: {missing[0]} is missing")
    if unknown := sorted(set(table) - set(FIELDS)):
        raise CatalogueError(f"{where}: unknown field {unknown[0]!r}")
    for name in FIELDS[:-1]:
        if not isinstance(table[name], str) or not table[name].strip():
            raise CatalogueError(f"{where}: {name} must be a text that isn't empty")
    if not re.fullmatch(re.escape(area) + r"-\d{3}", table["id"]):
        raise CatalogueError(f"{where}: id must be {area}- and three digits, as the file's area is {area}")
    if table["level"] not in LEVELS:
        raise CatalogueError(f"{where}: level {table['level']!r} must be one of {', '.join(LEVELS)}")
    for name in ("link", "source"):
        require_https(where, name, table[name])
    return Requirement(
        area=area,
        stores=read_stores(where, table["stores"]),
        **{name: table[name].strip() for name in FIELDS[:-1]},
    )


def require_https(where: str, name: str, value: object) -> None:
    """Public links only, so that a reader of a report can follow each. Raises CatalogueError."""
    if not isinstance(value, str) or not re.fullmatch(r"https://[^\s/]+\.[^\s/]+(/\S*)?", value):
        raise CatalogueError(f"{where}: {name} must be an https:// address, is {value!r}")


def read_stores(where: str, value: object) -> tuple[str, ...]:
    """A list of store names without repetition, or ["none"] alone. Raises CatalogueError."""
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise CatalogueError(f"{where}: stores must be a list of names that isn't empty")
    if len(set(value)) != len(value):
        raise CatalogueError(f"{where}: stores names one twice")
    if NO_STORE in value and len(value) > 1:
        raise CatalogueError(f'{where}: stores is either ["{NO_STORE}"] or names stores')
    return tuple(value)
