"""Reads the recorded known failures, `suites/expectations/<subject>.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from reports.catalogue import CatalogueError, Requirement, read_stores, read_toml, require_https

REQUIRED = ("requirement", "stores", "versions", "evidence")


class ExpectationError(CatalogueError):
    """An expectation can't be used; the message names the file and the requirement."""


@dataclass(frozen=True)
class Expectation:
    """A failure of one subject that was seen, and in which of its versions."""

    subject: str
    requirement: str
    stores: tuple[str, ...]
    versions: SpecifierSet
    evidence: str
    link: str | None = None

    def covers_version(self, version: str | None) -> bool:
        """False for a version that nobody learnt: a failure is only known where it was seen."""
        if version is None:
            return False
        try:
            return self.versions.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False


def read_expectations(folder: Path, catalogue: Mapping[str, Requirement]) -> tuple[Expectation, ...]:
    """Every subject's expectations; an absent folder holds none. Raises ExpectationError."""
    found: list[Expectation] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            found.extend(_read_file(file, catalogue))
        except ExpectationError:
            raise
        except CatalogueError as error:  # the shared field checks speak of the catalogue
            raise ExpectationError(str(error)) from error
    return tuple(found)


def _read_file(file: Path, catalogue: Mapping[str, Requirement]) -> list[Expectation]:
    document = read_toml(file)
    if unknown := sorted(set(document) - {"expectation"}):
        raise ExpectationError(f"{file}: unknown field {unknown[0]!r}")
    tables = document.get("expectation", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ExpectationError(f"{file}: expectations are written as [[expectation]]")
    found: list[Expectation] = []
    taken: set[tuple[str, str, str]] = set()
    for number, table in enumerate(tables, start=1):
        expectation = _expectation(file, number, table, catalogue)
        for store in expectation.stores:
            key = (expectation.requirement, store, str(expectation.versions))
            if key in taken:
                raise ExpectationError(f"{file}: {expectation.requirement}: {store} is expected twice")
            taken.add(key)
        found.append(expectation)
    return found


def _expectation(
    file: Path, number: int, table: Mapping[str, Any], catalogue: Mapping[str, Requirement]
) -> Expectation:
    identity = table.get("requirement")
    where = f"{file}: {identity if isinstance(identity, str) else f'expectation number {number}'}"
    if missing := [name for name in REQUIRED if name not in table]:
        raise ExpectationError(f"{where}: {missing[0]} is missing")
    if unknown := sorted(set(table) - {*REQUIRED, "link"}):
        raise ExpectationError(f"{where}: unknown field {unknown[0]!r}")
    for name in ("requirement", "versions", "evidence"):
        if not isinstance(table[name], str) or not table[name].strip():
            raise ExpectationError(f"{where}: {name} must be a text that isn't empty")
    if "link" in table:
        require_https(where, "link", table["link"])
    requirement = catalogue.get(table["requirement"])
    if requirement is None:
        raise ExpectationError(f"{where}: no such requirement in the catalogue")
    stores = read_stores(where, table["stores"])
    if strange := [store for store in stores if store not in requirement.stores]:
        raise ExpectationError(f"{where}: the requirement doesn't run on the store {strange[0]}")
    try:
        versions = SpecifierSet(table["versions"])
    except InvalidSpecifier as error:
        raise ExpectationError(f"{where}: versions {table['versions']!r} is no version range") from error
    return Expectation(
        subject=file.stem,
        requirement=requirement.id,
        stores=stores,
        versions=versions,
        evidence=table["evidence"].strip(),
        link=table.get("link"),
    )
