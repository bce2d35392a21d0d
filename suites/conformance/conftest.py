"""Brings together a subject, a store and a prefix for each check."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.stores import STORES, Place, Store, StoreFailed, Unavailable
from fixtures.subjects.capabilities import NOT_IMPLEMENTED, Claim, claim, own_version
from fixtures.subjects.client import SubjectServer, spec_of
from fixtures.subjects.explanation import EXPLANATIONS
from fixtures.subjects.protocol import KINDS, SubjectFailure, SubjectGarbled
from fixtures.wire import Wire
from reports.attempt import ATTEMPT
from reports.marks import NotRun, Unsupported
from reports.recorder import set_store_version, set_subject_version
from reports.run import split_names
from suites.conformance.bench import Bench

#: seconds; the longest load of a check takes one or two of them
DEADLINE = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """What only this suite has a use for."""
    parser.getgroup("loadproof").addoption(
        "--deadline",
        type=float,
        default=DEADLINE,
        metavar="SECONDS",
        help="that a loader has for an answer (default: %(default)s)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """A name that nobody has, or a deadline that no loader can keep, ends the run before it begins."""
    for store in split_names("--stores", config.getoption("--stores")):
        if store not in STORES:
            raise pytest.UsageError(f"--stores: no store {store!r}: there are {', '.join(STORES)}")
    for subject in split_names("--subjects", config.getoption("--subjects")):
        try:
            spec_of(subject)
        except LookupError as error:
            raise pytest.UsageError(f"--subjects: {error.args[0]}") from error
    if not config.getoption("--deadline") > 0:
        raise pytest.UsageError("--deadline: must be more than 0 seconds")


class Subjects:
    """The fork servers of this run, one for each adapter, started when a check first asks for it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._servers: dict[Path, SubjectServer] = {}
        self._descriptions: dict[str, dict[str, Any] | SubjectFailure] = {}

    def server(self, name: str) -> tuple[SubjectServer, dict[str, Any]]:
        """The subject's server and what it says of itself; one that does not start is asked only once."""
        if name not in self._descriptions:
            try:
                self._descriptions[name] = self._start(name)
            except SubjectFailure as failure:
                self._descriptions[name] = failure
        description = self._descriptions[name]
        if isinstance(description, SubjectFailure):
            raise description
        return self._servers[spec_of(name).adapter], description

    def _start(self, name: str) -> dict[str, Any]:
        spec = spec_of(name)
        if spec.adapter not in self._servers:
            deadline: float = self._config.getoption("--deadline", DEADLINE)
            self._servers[spec.adapter] = SubjectServer(spec, deadline=deadline)
        server = self._servers[spec.adapter]
        with server.worker({}, variant=spec.variant) as worker:
            description: dict[str, Any] = worker.ask("describe")
        if not isinstance(description["capabilities"], dict) or not isinstance(description["versions"], dict):
            raise SubjectGarbled(f"{name}: its capabilities and versions must map names to texts")
        if (kinds := description["kinds"]) and (not isinstance(kinds, dict) or kinds.keys() != KINDS.keys()):
            raise SubjectGarbled(f"{name}: its kinds must name a class for each of {', '.join(KINDS)}")
        set_subject_version(self._config, name, description["versions"])
        return description

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()


class Stores:
    """The stores of this run, each started once; one that can't be had is remembered as such."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stores: dict[str, Store | Unavailable | StoreFailed] = {}

    def get(self, name: str) -> Store:
        if name not in self._stores:
            store = STORES[name]()
            try:
                store.start()
            except (Unavailable, StoreFailed) as reason:
                self._stores[name] = reason
            else:
                self._stores[name] = store
                set_store_version(self._config, name, store.version())
        found = self._stores[name]
        if isinstance(found, Unavailable):
            raise NotRun(found.reason, found.remedy)
        if isinstance(found, StoreFailed):
            raise found
        return found

    def stop(self) -> None:
        for store in self._stores.values():
            if not isinstance(store, Unavailable | StoreFailed):
                store.stop()


@pytest.fixture(scope="session")
def subjects(pytestconfig: pytest.Config) -> Iterator[Subjects]:
    running = Subjects(pytestconfig)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def stores(pytestconfig: pytest.Config) -> Iterator[Stores]:
    running = Stores(pytestconfig)
    yield running
    running.stop()


@pytest.fixture
def store(stores: Stores, store_name: str) -> Store | None:
    """The check's store; None where the requirement needs none."""
    return None if store_name == "none" else stores.get(store_name)


@pytest.fixture
def place(request: pytest.FixtureRequest, store: Store | None) -> Iterator[Place]:
    """The check's own prefix, emptied afterwards by the store's administrator."""
    assert store is not None, "a requirement without stores has no place"
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    # parameters that differ in punctuation alone would share a prefix without the digest
    own = f"{words}-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]}"
    yield store.place(f"{own}/model")
    store.place(own).clear()  # neighbours of the model, too


@pytest.fixture
def subject(
    request: pytest.FixtureRequest, subjects: Subjects, subject_name: str, store: Store | None, tmp_path: Path
) -> Iterator[Bench]:
    """The subject on the bench, if it claims every capability that the requirement needs."""
    server, description = subjects.server(subject_name)
    spec = spec_of(subject_name)
    version = own_version(spec.name, description["versions"])
    tried = False
    needed = request.node.stash[ATTEMPT].requirement.capabilities
    for capability in needed:
        state = description["capabilities"].get(capability, NOT_IMPLEMENTED)
        claimed = claim(state, version)
        if claimed is Claim.REFUSED:
            raise Unsupported(f"{capability}: {state}")
        tried |= claimed is Claim.TRIED
    environment = store.environment() if store is not None else {}
    variable = description["cache_variable"]
    explains = claim(description["capabilities"].get(EXPLANATIONS, NOT_IMPLEMENTED), version)
    bench = Bench(
        server,
        variable,
        environment,
        tmp_path,
        capabilities=needed,
        wait_variable=description["wait_variable"],
        kinds=description["kinds"],
        variant=spec.variant,
        tried=tried,
        explains=request.node.stash[ATTEMPT].check if explains is Claim.CLAIMED else None,
    )
    yield bench
    bench.close()
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def wire(subject: Bench, store: Store) -> Iterator[Wire]:
    """A recording, fault-injecting proxy through which fresh workers reach the store."""
    with Wire(upstream=store.environment()["AWS_ENDPOINT_URL"]) as wire:
        subject.through(wire.endpoint)
        yield wire
