"""CACHE, third part: the folder's name for many addresses, in unlike processes and in later versions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from fixtures.strategies import Address, addresses
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.look_alikes import family_of

NAMES = Path(__file__).with_name("recorded_folders.json")
URIS = [
    "s3://bucket/org/Model",
    "gs://bucket/größe/权重",
    "az://container/a b+c%20d#e?f",
    "S3://bucket/i/I/ı/İ/",
]


@requirement("CACHE-021")
def test_look_alikes_never_share_a_folder(
    check: Check, subject: Bench, examples: Callable[[int, int], int]
) -> None:
    known: dict[str, Address] = {}

    @settings(max_examples=examples(10, 300))
    @given(addresses(whole_buckets=False))
    def apart(plain: Address) -> None:
        for address in family_of(plain):
            try:
                path = subject.ask("cache_path", uri=address.text)
            except SubjectRaised:
                continue  # a loader may refuse a key; what it accepts has a folder of its own
            # file systems that fold case or accents make one folder of two names
            other = known.setdefault(path.casefold(), address)
            check.equal(expected=_model(address), actual=_model(other), what="the model in one folder")

    apart()
    # so many that folders with names of 16 bits would have met
    check.true(len(known) > 300, what="models", expected="more than 300", actual=len(known))


def _model(address: Address) -> str:
    return f"{address.scheme}://{address.bucket}/{address.key.rstrip('/')}"


@requirement("CACHE-022")
def test_nothing_but_the_root_and_the_address_count(check: Check, subject: Bench) -> None:
    def folders(**environment: str) -> list[str]:
        with subject.worker(**environment) as worker:
            return [worker.ask("cache_path", uri=uri) for uri in URIS]

    expected = folders()
    plain_c = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for environment in (
        {"HOME": "/nonexistent", "USER": "somebody", "XDG_CACHE_HOME": "/nonexistent"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-3", "TMPDIR": "/var/tmp"},
        {**plain_c, "PYTHONHASHSEED": "99"},
    ):
        # each process also has a working directory of its own
        check.equal(expected=expected, actual=folders(**environment), what=f"the folders with {environment}")


@requirement("CACHE-023")
@pytest.mark.quick
def test_the_names_of_earlier_versions(check: Check, subject: Bench, subject_name: str) -> None:
    recorded: dict[str, Any] = json.loads(NAMES.read_text(encoding="utf-8"))
    root = os.path.realpath(subject.cache_root)
    # mutants have the layout of the loader that they are made of
    loader = "reference" if subject_name.startswith(("mutants/", "automatic")) else subject_name
    assert loader in recorded, f"{NAMES.name} has no names of {loader}: record those of its first release"
    for uri, name in recorded[loader]["names"].items():
        path = os.path.relpath(os.path.realpath(subject.ask("cache_path", uri=uri)), root)
        check.equal(expected=name, actual=path, what=f"the folder of {uri!r} below the root")
