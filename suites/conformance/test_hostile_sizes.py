"""SECURITY, fourth part: stores that lie about sizes, and metadata that fills a disk."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.hostile_store import Bait, HostileStore
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_names, error_of
from suites.conformance.memory import MiB, Peak, allocated
from suites.conformance.refusals import assert_deliberate

GB = 10**9
MODEL = "org/model"
INDEX = f"{MODEL}/model.safetensors.index.json"
CONFIG = Bait(b'{"model_type": "made-up"}')
#: bytes that an index which is refused in the end may cost the store, the disk and the memory
MOST = 256 * MiB
#: the same for a body of which 100 bytes were promised; the rest fills buffers on its way
MOST_UNASKED = 24 * MiB
DEADLINE = 30.0
#: a listing of the longest model has a tenth of it
MOST_PAGES = 1_000


def assert_bounded(
    check: Check, subject: Bench, store: HostileStore, operation: str, *, why: str, most: int, name: str
) -> None:
    """An error that names `name`; the store sends, and the disk keeps, at most `most` bytes, memory MOST."""
    __tracebackhide__ = True
    worker = subject.worker(**store.environment)
    settings: dict[str, Any] = {"settings": {}} if operation == "model_tensors" else {}
    peak = Peak(worker)
    uri = store.uri(MODEL)
    error = error_of(check, worker, operation, why=why, deadline=DEADLINE, uri=uri, **settings)
    grown = peak.growth()
    assert_deliberate(check, error)
    for actual, what in (
        (store.asked.sent, "bytes of bodies that left the store"),
        (allocated(subject.cache_root.parent), "bytes on the disk afterwards"),
    ):
        check.true(actual <= most, what=f"{what} where {why}", expected=f"at most {most}", actual=actual)
    what = f"growth of the worker's memory where {why}"
    check.true(grown <= MOST, what=what, expected=f"at most {MOST}", actual=grown)
    assert_names(check, error, name)


@requirement("SECURITY-018")
@pytest.mark.parametrize(
    ("sizes", "name"),
    [({"vocab.json": 10 * GB}, "vocab.json"), ({f"{n:03}.json": GB // 20 for n in range(200)}, MODEL)],
    ids=["one", "many"],
)
def test_metadata_of_ten_gigabytes(check: Check, subject: Bench, sizes: dict[str, int], name: str) -> None:
    objects = {f"{MODEL}/{key}": Bait(b"{", listed=size) for key, size in sizes.items()}
    with HostileStore({f"{MODEL}/config.json": CONFIG, **objects}) as store:
        why = f"{len(sizes)} files have {sum(sizes.values())} bytes"
        error = error_of(
            check, subject.worker(**store.environment), "pull_metadata", why=why, uri=store.uri(MODEL)
        )
        read = sorted({key for key in store.asked.reads if key in objects})
        check.equal(expected=[], actual=read, what=f"objects that were asked for where {why}")
        check.equal(expected=0, actual=store.asked.sent, what="bytes of bodies that left the store")
        assert store.asked.listings, "the store was not asked"
    assert_deliberate(check, error)
    assert_names(check, error, name)


@requirement("SECURITY-019")
@pytest.mark.parametrize(
    "bait",
    [Bait(b"{", listed=100, endless=True), Bait(b"{", listed=100, sized=10 * GB)],
    ids=["endless", "sized"],
)
def test_a_body_without_an_end(check: Check, subject: Bench, bait: Bait) -> None:
    with HostileStore({f"{MODEL}/config.json": CONFIG, f"{MODEL}/vocab.json": bait}) as store:
        why = "100 bytes are listed and more are sent"
        assert_bounded(check, subject, store, "pull_metadata", why=why, most=MOST_UNASKED, name="vocab.json")
        assert f"{MODEL}/vocab.json" in store.asked.reads, "the body was not asked for"


@requirement("SECURITY-020")
@pytest.mark.parametrize(
    "index",
    [Bait(b"{", listed=10 * GB), Bait(b'{"weight_map": {', listed=100, endless=True)],
    ids=["stated", "endless"],
)
def test_an_index_of_ten_gigabytes(check: Check, subject: Bench, index: Bait) -> None:
    objects = {f"{MODEL}/config.json": CONFIG, INDEX: index}
    with HostileStore(objects, most_sent=MOST + 64 * MiB) as store:
        why = "the index never ends" if index.endless else "the index has 10 GB"
        assert_bounded(check, subject, store, "model_tensors", why=why, most=MOST, name="index.json")
        assert INDEX in store.asked.reads, "the index was not asked for"


@requirement("SECURITY-021")
def test_a_listing_without_an_end(check: Check, subject: Bench) -> None:
    with HostileStore({f"{MODEL}/model.safetensors": Bait(b"x")}, empty_pages=MOST_PAGES + 500) as store:
        worker = subject.worker(**store.environment)
        why = f"each of {MOST_PAGES + 500} pages promises another one"
        error = error_of(check, worker, "list_weights", why=why, uri=store.uri(MODEL))
        assert_deliberate(check, error)
        pages = store.asked.listings
    check.true(
        pages <= MOST_PAGES + 1,
        what="pages that were asked for",
        expected=f"at most {MOST_PAGES + 1}",
        actual=pages,
    )
