"""SECURITY, last part: keys, tokens and passwords stay where they were put."""

from __future__ import annotations

import hashlib
import socket

import pytest

from fixtures.checkpoints import sharded
from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, error_of
from suites.conformance.leaks import Leaks, Listing

VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "AZURE_STORAGE_ACCOUNT_KEY")
#: all that the libraries under a loader have to say
TALKATIVE = {"RUNAI_STREAMER_LOG_TO_STDERR": "1", "RUNAI_STREAMER_LOG_LEVEL": "DEBUG"}
SIGNED = ("X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "sig", "token")
TREE = {"config.json": b"{}", "tokenizer.json": b"[]"}


def secret_of(name: str, seed: int) -> str:
    """A text that occurs nowhere else; of letters and digits, so that no encoding changes it."""
    return f"planted{hashlib.sha256(f'{name} {seed}'.encode()).hexdigest()[:32]}"


def with_a_slash(name: str, seed: int) -> tuple[str, dict[str, str]]:
    """A password that holds `/` and `+`, as keys of AWS do, and its two parts, each of which is a secret."""
    parts = {f"{name}'s {part} part": secret_of(f"{name} {part}", seed) for part in ("first", "second")}
    return "/+".join(parts.values()), parts


@pytest.fixture
def secrets(seed: int) -> dict[str, str]:
    return {name: secret_of(name, seed) for name in VARIABLES}


@requirement("SECURITY-029")
@pytest.mark.parametrize(
    "fault",
    [None, 403, 404, pytest.param(500, marks=pytest.mark.long), pytest.param(503, marks=pytest.mark.long)],
)
def test_credentials(
    check: Check,
    subject: Bench,
    place: Place,
    seed: int,
    wire: Wire,
    secrets: dict[str, str],
    fault: int | None,
) -> None:
    checkpoint = sharded(seed)
    place.put_all({**checkpoint.files, **TREE})
    if fault is not None:
        wire.inject(Fault(match="/model-00002-of", method=None, status=fault))
        wire.inject(Fault(match="/tokenizer.json", method=None, status=fault))
    leaks = Leaks(secrets)
    worker = subject.worker(**secrets, **TALKATIVE)
    files = [f"{place.uri}/{file}" for file in checkpoint.weight_files]
    with Listing(leaks) as listing:
        outcomes = [
            leaks.outcome(worker, "list_weights", uri=place.uri),
            leaks.outcome(worker, "tensors", files=files, settings={}),
            leaks.outcome(worker, "pull_metadata", uri=place.uri),
            leaks.outcome(worker, "list_weights", uri=f"{place.uri}/nothing-here"),
        ]
    answered = ["answered"] * (3 if fault is None else 1)
    check.equal(
        expected=answered, actual=outcomes[: len(answered)], what="what came of listing, loading, pulling"
    )
    refused = outcomes[len(answered) : 3]
    check.equal(expected=False, actual="answered" in refused, what=f"whether a {fault} was answered")
    leaks.look("the log", worker.log())
    leaks.look_into_files(subject.cache_root.parent)
    check.equal(expected=[], actual=leaks.found, what="where secrets came to light")
    assert listing.looks, "nobody looked at the processes"


@requirement("SECURITY-030")
@pytest.mark.parametrize(
    ("status", "slash"),
    [(None, False), (403, False), pytest.param(0, False, marks=pytest.mark.long), (None, True)],
    ids=["healthy", "refusing", "closed", "slash"],
)
def test_a_password_in_the_endpoint(
    check: Check, subject: Bench, place: Place, seed: int, wire: Wire, status: int | None, slash: bool
) -> None:
    checkpoint = sharded(seed)
    place.put_all({**checkpoint.files, **TREE})
    if status:
        wire.inject(Fault(match="", method=None, status=status))
    secrets = {name: secret_of(name, seed) for name in ("the user", "the password")}
    password = secrets["the password"]
    if slash:
        password, parts = with_a_slash("the password", seed)
        secrets = {"the user": secrets["the user"], **parts}
    host = wire.endpoint.removeprefix("http://")
    if status == 0:
        with socket.create_server(("127.0.0.1", 0)) as free:
            host = f"127.0.0.1:{free.getsockname()[1]}"
    leaks = Leaks(secrets)
    endpoint = f"http://{secrets['the user']}:{password}@{host}"
    worker = subject.worker(AWS_ENDPOINT_URL=endpoint, **TALKATIVE)
    files = [f"{place.uri}/{file}" for file in checkpoint.weight_files]
    outcomes = outcomes_of(worker, leaks, place, files, deadline=120)
    if status is not None:
        check.equal(
            expected=False, actual="answered" in outcomes, what="whether a store without answers answered"
        )
    assert_kept(check, subject, worker, leaks, outcomes)


def outcomes_of(
    worker: Worker, leaks: Leaks, place: Place, files: list[str], *, deadline: float
) -> list[str]:
    """What comes of listing, pulling and loading, each within `deadline` seconds, while somebody looks."""
    with Listing(leaks):
        return [
            leaks.outcome(worker, "list_weights", uri=place.uri, deadline=deadline),
            leaks.outcome(worker, "pull_metadata", uri=place.uri, deadline=deadline),
            leaks.outcome(worker, "tensors", files=files, settings={}, deadline=deadline),
        ]


def assert_kept(check: Check, subject: Bench, worker: Worker, leaks: Leaks, outcomes: list[str]) -> None:
    """No secret came to light in what was answered, in the log, or in a file."""
    __tracebackhide__ = True
    leaks.look("the log", worker.log())
    leaks.look_into_files(subject.cache_root.parent)
    check.equal(expected=[], actual=leaks.found, what=f"where secrets came to light; outcomes: {outcomes}")


@requirement("SECURITY-030")
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "RUNAI_STREAMER_OVERRIDE_ENDPOINT_URL"])
def test_a_password_in_another_variable(
    check: Check, subject: Bench, place: Place, seed: int, wire: Wire, variable: str
) -> None:
    checkpoint = sharded(seed)
    place.put_all({**checkpoint.files, **TREE})
    secrets = {name: secret_of(name, seed) for name in ("the user", "the password")}
    leaks = Leaks(secrets)
    host = wire.endpoint.removeprefix("http://")
    endpoint = f"http://{secrets['the user']}:{secrets['the password']}@{host}"
    worker = subject.worker(**{variable: endpoint}, **TALKATIVE)
    files = [f"{place.uri}/{file}" for file in checkpoint.weight_files]
    outcomes = outcomes_of(worker, leaks, place, files, deadline=60)
    assert_kept(check, subject, worker, leaks, outcomes)
    if "answered" not in outcomes:
        error = error_of(check, worker, "list_weights", why="the endpoint has a password", uri=place.uri)
        names = (variable, host, place.uri)
        check.true(
            any(name in error.message for name in names),
            what="the error about an endpoint with a password",
            expected=f"a text that names one of {names}",
            actual=error.message,
        )


@requirement("SECURITY-031")
def test_signed_addresses(check: Check, subject: Bench, place: Place, seed: int) -> None:
    slashed, parts = with_a_slash("another password", seed)
    secrets = {name: secret_of(name, seed) for name in (*SIGNED, "a password")} | parts
    query = "&".join(f"{name}={secrets[name]}" for name in SIGNED)
    place.put_all(TREE)
    leaks = Leaks(secrets)
    uris = [f"{place.uri}/no?{query}", f"s3://user:{secrets['a password']}@{place.bucket}/no"]
    uris.append(f"S3://user:{secrets['a password']}@{place.bucket}/no")
    uris.append(f"https://user:{secrets['a password']}@127.0.0.1:1/model?{query}")
    uris += [f"s3://user:{slashed}@{place.bucket}/no", f"https://user:{slashed}@127.0.0.1:1/model"]
    worker = subject.worker(**TALKATIVE)
    refused = []
    for uri in uris:
        refused += [
            leaks.outcome(worker, "tensors", files=[f"{uri}/model.safetensors"], settings={}) != "answered",
            leaks.outcome(worker, "list_weights", uri=uri) != "answered",
        ]
        if uri.lower().startswith("s3:"):
            leaks.outcome(worker, "pull_metadata", uri=uri)
    check.true(any(refused), what="outcomes", expected="at least one error", actual=refused)
    leaks.look("the log", worker.log())
    check.equal(expected=[], actual=leaks.found, what="where secrets came to light")
