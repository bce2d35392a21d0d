"""What decides how a mutant's checks end, as one digest: a result of another state says nothing."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from tooling.automatic_mutants_jobs import ROOT
from tooling.trouble import Trouble

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
    "hypothesis_seed",
    "marks",
    "recorder",
    "run",
    "verdicts",
)
PACKAGES = ("boto3", "hypothesis", "moto", "pytest", "runai-model-streamer", "safetensors", "torch")


def state_of(loader: Iterable[Path], deadline: float) -> str:
    """Of all these modules of the loader, the suite, its judges, what is installed, and seconds to answer.

    :raises Trouble: a package is missing.
    """
    try:
        versions = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    except metadata.PackageNotFoundError as error:
        raise Trouble(f"{error.name} isn't installed", "pip install -r requirements.txt", code=2) from error
    words = [digest([*loader, *suite_files()]), platform.python_version(), *versions, f"{deadline:g}"]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def suite_files() -> list[Path]:
    """All but the loader itself."""
    fixtures = (ROOT / "fixtures").rglob("*.py")
    return [
        *(path for path in fixtures if not any(path.is_relative_to(folder) for folder in OTHERS)),
        *(ROOT / "suites" / "conformance").glob("*.*"),
        *(ROOT / "suites" / "requirements").glob("*.toml"),
        *(ROOT / "reports" / f"{name}.py" for name in JUDGES),
        ROOT / "tooling" / "automatic_mutants_loop.py",
    ]


def digest(files: Iterable[Path]) -> str:
    """Of names and contents, whatever the order."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()
