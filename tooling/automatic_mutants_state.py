"""What decides how a mutant's checks end, as digests: a result of another state says nothing.

That a mutant survives is decided by the whole suite, that a check kills it by this check alone: a check that
is written for survivors leaves the kills of all others as they are.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from reports.catalogue import CatalogueError, read_catalogue
from tooling.automatic_mutants_jobs import ROOT
from tooling.trouble import Trouble

CHECKS = ROOT / "suites" / "conformance"
REQUIREMENTS = ROOT / "suites" / "requirements"
#: the loader, which is given apart, and what no check of an automatic mutant runs: other subjects
OTHERS = (
    ROOT / "fixtures" / "plain",
    ROOT / "fixtures" / "reference",
    ROOT / "fixtures" / "subjects" / "mutants",
)
#: modules of `reports` that turn what a check saw into its verdict
JUDGES = (
    "attempt",
    "catalogue",
    "collection",
    "differences",
    "expectations",
    "hypothesis_seed",
    "marks",
    "model",
    "recorder",
    "redaction",
    "run",
    "verdicts",
)
#: how the checks are collected and run
SETTINGS = (
    "conftest.py",
    "tox.ini",
    "tooling/automatic_mutants_jobs.py",
    "tooling/automatic_mutants_loop.py",
)
PACKAGES = (
    *("boto3", "botocore", "hypothesis", "moto", "numpy", "pytest", "runai-model-streamer", "safetensors"),
    *("torch", "tqdm", "urllib3", "werkzeug"),
)


@dataclass(frozen=True)
class State:
    """Of the loader, the suite, what judges, what is installed, and the seconds for an answer."""

    #: what every check depends on
    common: str
    #: for each file of checks, below the root: the file itself and what it imports of its folder
    checks: Mapping[str, str]
    #: for each requirement: its definition
    requirements: Mapping[str, str]

    @property
    def whole(self) -> str:
        """Everything."""
        return digest_of([self.common, *pairs(self.checks), *pairs(self.requirements)])

    def of_kill(self, check: str, requirement: str) -> str | None:
        """What decides how this check ends; None where it is not there."""
        own = self.checks.get(check.partition("::")[0]), self.requirements.get(requirement)
        return None if None in own else digest_of([self.common, check, *map(str, own)])


def state_of(loader: Iterable[Path], deadline: float) -> State:
    """With all these modules of the loader, and seconds to answer.

    :raises Trouble: a package is missing, or the catalogue can't be read.
    """
    try:
        versions = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    except metadata.PackageNotFoundError as error:
        raise Trouble(f"{error.name} isn't installed", "pip install -r requirements.txt", code=2) from error
    try:
        requirements = read_catalogue(REQUIREMENTS)
    except CatalogueError as error:
        raise Trouble(str(error), f"correct it in {REQUIREMENTS}") from error
    files = [*loader, *common_files()]
    return State(
        common=digest_of([contents(files), platform.python_version(), *versions, f"{deadline:g}", user()]),
        checks={
            path.relative_to(ROOT).as_posix(): contents(with_imports(path))
            for path in sorted(CHECKS.rglob("test_*.py"))
        },
        requirements={name: digest_of([repr(one)]) for name, one in requirements.items()},
    )


def common_files() -> list[Path]:
    """All but the loader itself, the files of checks and what only they import."""
    fixtures = (ROOT / "fixtures").rglob("*.py")
    return [
        *(path for path in fixtures if not any(path.is_relative_to(folder) for folder in OTHERS)),
        *with_imports(CHECKS / "conftest.py"),
        *(path for path in CHECKS.glob("*.*") if path.suffix != ".py"),
        *(ROOT / "reports" / f"{name}.py" for name in JUDGES),
        *(ROOT / name for name in SETTINGS),
    ]


def user() -> str:
    """Some checks ask more where an administrator runs them."""
    return "administrator" if os.geteuid() == 0 else "user"


def with_imports(file: Path) -> set[Path]:
    """A file of the folder of checks, and what it imports of that folder, directly or not."""
    found: set[Path] = set()
    left = [file]
    while left:
        path = left.pop()
        if path in found or not path.exists():
            continue
        found.add(path)
        left += [CHECKS / f"{name}.py" for name in imported(path.read_text(encoding="utf-8"))]
    return found


def imported(text: str) -> set[str]:
    """The modules of the folder of checks that a module imports."""
    package = ".".join(CHECKS.relative_to(ROOT).parts)
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute here, and relative ones would be overlooked"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {f"{node.module}"}
    inside = (name.removeprefix(f"{package}.") for name in names if name.startswith(f"{package}."))
    return {name.partition(".")[0] for name in inside}


def contents(files: Iterable[Path]) -> str:
    """Digest of names and contents, whatever the order."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()


def pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{name} {value}" for name, value in sorted(values.items())]


def digest_of(words: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()
