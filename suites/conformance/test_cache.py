"""CACHE, first part: the folder that a URI names."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.folders import everything_below

URI = "s3://bucket/org/Model"
BELOW_ROOT = 128
# a loader may refuse control characters and dots that climb: only what it accepts has a folder
letters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\")
segments = st.text(letters, min_size=1, max_size=12).filter(lambda segment: segment.strip(".") != "")
keys = st.lists(segments, max_size=4).map("/".join)
buckets = st.from_regex(r"[a-z0-9][a-z0-9-]{1,10}[a-z0-9]", fullmatch=True)


def normalised(bucket: str, key: str) -> str:
    return f"{bucket}/{key}".rstrip("/")


@requirement("CACHE-001")
def test_the_same_in_every_process(check: Check, subject: Bench) -> None:
    paths = []
    for hash_seed in ("0", "1", "4242"):
        with subject.worker(PYTHONHASHSEED=hash_seed) as worker:
            paths.append(worker.ask("cache_path", uri=URI))
    check.equal(expected=[paths[0]] * 3, actual=paths, what="the folder in three processes")


@requirement("CACHE-002")
def test_trailing_slashes(check: Check, subject: Bench) -> None:
    plain = subject.ask("cache_path", uri=URI)
    for slashes in ("/", "//", "///"):
        check.equal(
            expected=plain,
            actual=subject.ask("cache_path", uri=URI + slashes),
            what=f"folder of {URI + slashes}",
        )


@requirement("CACHE-003")
def test_case_of_the_scheme(check: Check, subject: Bench) -> None:
    for lower, upper in (("s3", "S3"), ("gs", "Gs"), ("az", "AZ")):
        plain = subject.ask("cache_path", uri=f"{lower}://bucket/org/Model")
        answer = subject.ask("cache_path", uri=f"{upper}://bucket/org/Model")
        check.equal(expected=plain, actual=answer, what=f"folder of {upper}://bucket/org/Model")


@requirement("CACHE-004")
def test_case_of_the_key(check: Check, subject: Bench) -> None:
    answers = {uri: subject.ask("cache_path", uri=uri) for uri in (URI, URI.lower(), "s3://bucket/ORG/Model")}
    check.equal(expected=3, actual=len(set(answers.values())), what=f"number of folders of {sorted(answers)}")


@pytest.mark.quick
@requirement("CACHE-005")
def test_no_two_models_share_a_folder(check: Check, subject: Bench) -> None:
    known: dict[str, str] = {}

    def remember(uri: str, model: str) -> None:
        path = subject.ask("cache_path", uri=uri)
        check.equal(expected=model, actual=known.setdefault(path, model), what=f"the model in {path}")

    @settings(max_examples=60)
    @given(st.sampled_from(["s3", "gs", "az"]), buckets, keys)
    def generated(scheme: str, bucket: str, key: str) -> None:
        remember(f"{scheme}://{bucket}/{key}", f"{scheme}://{normalised(bucket, key)}")

    generated()
    for number in range(500):
        remember(f"s3://bucket/model-{number}", f"s3://bucket/model-{number}")
    for alike in ("s3://a/b/c", "s3://a/b", "s3://a", "s3://a/b-c", "s3://a/b_c", "s3://a-b/c", "gs://a/b/c"):
        remember(alike, alike)
    for alike in ("s3://bucket/a b", "s3://bucket/a%20b", "s3://bucket/a+b", "s3://bucket/caf\u00e9"):
        remember(alike, alike)
    remember("s3://bucket/cafe\u0301", "s3://bucket/cafe\u0301")


@requirement("CACHE-006")
def test_inside_the_root(check: Check, subject: Bench) -> None:
    root = os.path.realpath(subject.cache_root)
    for tail in (
        "..",
        "../../etc",
        # out of any root, however deep a loader's folders lie in it
        "../" * 40 + "etc/passwd",
        "a/../../..",
        "%2e%2e/x",
        "..\\..\\x",
        "/etc/passwd",
        "~",
        "$HOME",
        "\u2025/x",
    ):
        try:
            path = os.path.realpath(subject.ask("cache_path", uri=f"s3://bucket/{tail}"))
        except SubjectRaised as refusal:
            check.true(True, what=f"folder of s3://bucket/{tail}", expected="none", actual=refusal.message)
            continue
        inside = os.path.commonpath([root, path]) == root and path != root
        check.true(inside, what=f"folder of s3://bucket/{tail}", expected=f"below {root}", actual=path)


@requirement("CACHE-007")
def test_bounded_length(check: Check, subject: Bench) -> None:
    for tail in ("k" * 1000, "/".join(["long"] * 200), "权" * 340, "x/" * 511):
        path = Path(subject.ask("cache_path", uri=f"s3://bucket/{tail}"))
        longest = max(len(os.fsencode(part)) for part in path.parts)
        check.true(longest <= 255, what="longest component", expected="at most 255 bytes", actual=longest)
        below = len(str(path)) - len(str(subject.cache_root))
        check.true(
            below <= BELOW_ROOT, what="length below the root", expected=f"at most {BELOW_ROOT}", actual=below
        )


@requirement("CACHE-008")
def test_configurable_root(check: Check, subject: Bench) -> None:
    for value in (str(subject.cache_root / "elsewhere"), "~/elsewhere"):
        with subject.worker(**{subject.cache_variable: value}) as worker:
            home = worker.ask("environment")["HOME"]
            path = worker.ask("cache_path", uri=URI)
        root = value.replace("~", home)
        check.true(path.startswith(f"{root}/"), what="the folder", expected=f"below {root}", actual=path)


@requirement("CACHE-067")
def test_the_root_without_a_setting(check: Check, subject: Bench) -> None:
    for value in (None, ""):
        with subject.worker(**{subject.cache_variable: value}) as worker:
            home = worker.ask("environment")["HOME"]
            path = worker.ask("cache_path", uri=URI)
        root = f"{home}/.cache/"
        check.true(path.startswith(root), what="the folder", expected=f"below {root}", actual=path)


def was_contacted(store: socket.socket) -> bool:
    try:
        store.accept()[0].close()
    except TimeoutError:
        return False
    return True


@requirement("CACHE-009")
def test_asking_writes_nothing(check: Check, subject: Bench) -> None:
    before = everything_below(subject.cache_root)
    with socket.create_server(("127.0.0.1", 0)) as store:
        store.settimeout(0.2)
        with subject.worker(AWS_ENDPOINT_URL=f"http://127.0.0.1:{store.getsockname()[1]}") as worker:
            path = worker.ask("cache_path", uri=URI, deadline=5)
        check.true(bool(path), what="the folder", expected="a path", actual=path)
        check.equal(expected=False, actual=was_contacted(store), what="whether the store was contacted")
    check.equal(expected=before, actual=everything_below(subject.cache_root), what="files below the root")
