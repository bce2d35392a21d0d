"""Reads the known failures of the field, `suites/failures/*.toml`, and accepts nothing half written."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.catalogue import CatalogueError, read_toml, require_https

#: seen: a run has shown it; read: it stands in shipped code or its documentation; reported: somebody says so
KNOWN = ("seen", "read", "reported")
TEXTS = ("id", "title", "what", "project", "versions", "link", "thread", "known")
OPTIONAL = ("evidence", "fixed", "requirements", "without", "no_mutant")


class FailureListError(CatalogueError):
    """The list can't be used; the message names the file and, where there is one, the failure."""


@dataclass(frozen=True)
class Failure:
    """One way in which a loader, an engine or a client of a store is known to go wrong."""

    id: str
    title: str
    what: str
    project: str
    versions: str
    link: str
    #: the title of what `link` leads to, so that a reader can tell whether it is still the same
    thread: str
    known: str
    #: one command and what it printed; only where the failure was seen and no expectation records it
    evidence: str | None
    #: where the source says in which version it was mended
    fixed: str | None
    requirements: tuple[str, ...]
    #: why no requirement asks for it; None where one does
    without: str | None
    #: why its requirements kill no mutant; None where they do
    no_mutant: str | None


@dataclass(frozen=True)
class Theme:
    """One file of the list."""

    name: str
    title: str
    failures: tuple[Failure, ...]


def read_failures(
    folder: Path, requirements: Collection[str], recorded: Collection[str]
) -> tuple[Theme, ...]:
    """Every theme, in the order of its first id. Raises FailureListError.

    `requirements` are the ids of the catalogue, `recorded` those for which an expectation is recorded.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise FailureListError(f"{folder}: no *.toml file with failures")
    try:
        themes = [_theme(file, requirements, recorded) for file in files]
    except FailureListError:
        raise
    except CatalogueError as error:  # the shared field checks speak of the catalogue
        raise FailureListError(str(error)) from error
    places: dict[str, str] = {}
    for theme in themes:
        for failure in theme.failures:
            if failure.id in places:
                where = f"{folder / theme.name}.toml: {failure.id}"
                raise FailureListError(f"{where}: this id is already in {places[failure.id]}.toml")
            places[failure.id] = theme.name
    return tuple(sorted(themes, key=lambda theme: theme.failures[0].id))


def unlisted(themes: Collection[Theme], wanted: Collection[str]) -> list[str]:
    """Those of the `wanted` requirements that no failure of the list asks for, sorted."""
    asked = {one for theme in themes for failure in theme.failures for one in failure.requirements}
    return sorted(set(wanted) - asked)


def _theme(file: Path, requirements: Collection[str], recorded: Collection[str]) -> Theme:
    document = read_toml(file)
    if unknown := sorted(set(document) - {"title", "failure"}):
        raise FailureListError(f"{file}: unknown field {unknown[0]!r}")
    title = document.get("title")
    if not isinstance(title, str) or not title.strip():
        raise FailureListError(f"{file}: title is missing or not a text")
    tables = document.get("failure")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise FailureListError(f"{file}: has no [[failure]]")
    failures = [_failure(file, n, table, requirements, recorded) for n, table in enumerate(tables, start=1)]
    if twice := [one.id for one in failures if [other.id for other in failures].count(one.id) > 1]:
        raise FailureListError(f"{file}: {twice[0]}: this id exists twice")
    return Theme(file.stem, title.strip(), tuple(sorted(failures, key=lambda failure: failure.id)))


def _failure(
    file: Path,
    number: int,
    table: Mapping[str, Any],
    requirements: Collection[str],
    recorded: Collection[str],
) -> Failure:
    identity = table.get("id")
    where = f"{file}: {identity if isinstance(identity, str) else f'failure number {number}'}"
    if missing := [name for name in TEXTS if name not in table]:
        raise FailureListError(f"{where}: {missing[0]} is missing")
    if unknown := sorted(set(table) - {*TEXTS, *OPTIONAL}):
        raise FailureListError(f"{where}: unknown field {unknown[0]!r}")
    optional = [name for name in OPTIONAL if name != "requirements"]
    for name in (*TEXTS, *optional):
        if name in table and (not isinstance(table[name], str) or not table[name].strip()):
            raise FailureListError(f"{where}: {name} must be a text that isn't empty")
    if not re.fullmatch(r"F-\d{3}", table["id"]):
        raise FailureListError(f"{where}: id must be F- and three digits")
    if table["known"] not in KNOWN:
        raise FailureListError(f"{where}: known {table['known']!r} must be one of {', '.join(KNOWN)}")
    require_https(where, "link", table["link"])
    asked = _requirements(where, table, requirements)
    _require_evidence(where, table, asked, recorded)
    texts: dict[str, Any] = dict.fromkeys(optional)
    texts |= {name: table[name].strip() for name in (*TEXTS, *optional) if name in table}
    return Failure(requirements=asked, **texts)


def _requirements(where: str, table: Mapping[str, Any], known: Collection[str]) -> tuple[str, ...]:
    if ("requirements" in table) == ("without" in table):
        state = "both" if "without" in table else "neither"
        raise FailureListError(f"{where}: needs either requirements or without, has {state}")
    if "without" in table:
        return ()
    asked = table["requirements"]
    if not isinstance(asked, list) or not asked or not all(isinstance(one, str) for one in asked):
        raise FailureListError(f"{where}: requirements must be a list of ids that isn't empty")
    if len(set(asked)) != len(asked):
        raise FailureListError(f"{where}: requirements names one twice")
    if strange := [one for one in asked if one not in known]:
        raise FailureListError(f"{where}: no requirement {strange[0]} in the catalogue")
    return tuple(asked)


def _require_evidence(
    where: str, table: Mapping[str, Any], asked: tuple[str, ...], recorded: Collection[str]
) -> None:
    """What was seen can be seen again: by a recorded expectation or by the entry's own command."""
    if table["known"] != "seen" and "evidence" in table:
        raise FailureListError(f"{where}: has evidence, so known must be 'seen'")
    if table["known"] == "seen" and "evidence" not in table and not set(asked) & set(recorded):
        raise FailureListError(
            f"{where}: is seen, but has no evidence, and no expectation is recorded for its requirements"
        )
