"""The state of one conformance run: what was asked for, and what it has found so far."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports import machine
from reports.catalogue import Requirement
from reports.expectations import Expectation
from reports.model import SCHEMA_VERSION, Footer, Header, Interruption, Verdict, VerdictRecord
from reports.redaction import Redactor
from reports.writer import ReportWriter

if TYPE_CHECKING:
    from reports.attempt import Attempt

DEFAULT_SUBJECTS = "reference,streamer"
DEFAULT_STORES = "disk,moto,minio"
DEFAULT_SEED = 20260101


@dataclass
class Run:
    """One per pytest session. `active` only where the conformance folder is part of what was asked for."""

    root: Path
    conformance: Path
    subjects: tuple[str, ...]
    stores: tuple[str, ...]
    seed: int
    writer: ReportWriter
    active: bool
    covers_all: bool  # the paths hold the whole conformance folder
    redactor: Redactor = field(default_factory=lambda: Redactor(os.environ))
    catalogue: Mapping[str, Requirement] = field(default_factory=dict)
    expectations: tuple[Expectation, ...] = ()
    long: bool = False  # the long tier was asked for
    left_to_long: frozenset[str] = frozenset()  # requirements without a check outside the long tier
    #: of a subject, a requirement and a store: whether its checks are collected at all; None: all are
    wanted: Callable[[str, Requirement, str], bool] | None = None
    deselected: bool = False
    stopped: bool = False
    writing: bool = False
    checks: int = 0
    checked: frozenset[str] = frozenset()  # ids of their requirements
    other_failures: int = 0  # of tests outside the conformance folder
    attempts: dict[str, Attempt] = field(default_factory=dict)  # by node id: the checks of this run
    records: list[VerdictRecord] = field(default_factory=list)
    footer: Footer | None = None
    interrupted_by: str | None = None  # what ended the run from outside
    interruption: Interruption | None = None  # stands in the report in the footer's place
    stumbles: list[str] = field(default_factory=list)  # over what the interruption had left half done
    proven: int = 0  # checkpoints of the oracle that the official library reads as expected
    unreadable: Counter[str] = field(default_factory=Counter)  # why it can't read others -> how many
    subject_versions: dict[str, dict[str, str]] = field(default_factory=dict)
    store_versions: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def full(self) -> bool:
        """Whether everything that the options name was run: only then is silence a finding."""
        return self.covers_all and not self.deselected and not self.stopped

    def version_of(self, subject: str) -> str | None:
        """The entry under the subject's own name, else the first one: adapters put their library first."""
        versions = self.subject_versions.get(subject, {})
        return versions.get(subject) or next(iter(versions.values()), None)

    def expectation_for(self, requirement: str, subject: str, store: str) -> Expectation | None:
        """The expectation that describes this failure of this version, if there is one."""
        version = self.version_of(subject)
        for one in self.expectations:
            same = one.subject == subject and one.requirement == requirement and store in one.stores
            if same and one.covers_version(version):
                return one
        return None

    def header(self, config: pytest.Config) -> Header:
        """What is known before the first check, redacted."""
        return Header(
            schema=SCHEMA_VERSION,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            seed=self.seed,
            subjects=self.subjects,
            stores=self.stores,
            checks=self.checks,
            machine=machine.machine(),
            versions=machine.versions(),
            configuration=self.redactor.value(
                {
                    "arguments": list(config.invocation_params.args),
                    "covers_all": self.covers_all,
                    "tier": "long" if self.long else "main",
                }
            ),
            environment=self.redactor.value(machine.relevant_environment(os.environ)),
            requirements={one: self.catalogue[one] for one in sorted(self.checked)},
        )

    def add(self, record: VerdictRecord) -> None:
        """Keeps the record and writes it."""
        self.records.append(record)
        if self.writing:
            self.writer.write(record)

    def counts(self) -> dict[str, int]:
        """Checks by verdict, every verdict named."""
        return {
            verdict.value: sum(record.verdict is verdict for record in self.records) for verdict in Verdict
        }


def split_names(option: str, text: str) -> tuple[str, ...]:
    """A comma-separated option's names, in order, each once. Raises pytest.UsageError."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise pytest.UsageError(f"{option} names nothing")
    return names


def paths_of(arguments: Iterable[str], folder: Path) -> list[tuple[Path, bool]]:
    """pytest's arguments as (path, whether the path stands for all that it holds)."""
    found = []
    for argument in arguments:
        path, separator, _ = argument.partition("::")
        found.append(((folder / path).resolve(), not separator))
    return found


def touches(arguments: Iterable[str], folder: Path, conformance: Path) -> bool:
    """Whether any argument lies in the conformance folder or holds it."""
    return any(
        path == conformance or conformance in path.parents or path in conformance.parents
        for path, _ in paths_of(arguments, folder)
    )


def covers(arguments: Iterable[str], folder: Path, conformance: Path) -> bool:
    """Whether any argument holds the whole conformance folder."""
    return any(
        whole and (path == conformance or path in conformance.parents)
        for path, whole in paths_of(arguments, folder)
    )
