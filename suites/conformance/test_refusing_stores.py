"""LIST, on stores that can't be asked or that refuse: what an error says of it, by its text and its class."""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fixtures.checkpoints import sharded
from fixtures.stores import Place
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Fault, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, assert_kind, error_of
from suites.conformance.refusals import assert_deliberate
from suites.conformance.tensors import place_checkpoint

NOBODY = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
#: what is the matter -> the variables that make it so
UNUSABLE: dict[str, dict[str, str | None]] = {
    "there are no credentials": NOBODY,
    "there is half of the credentials": {"AWS_SECRET_ACCESS_KEY": None},
    "the credentials cannot be fetched": {**NOBODY, "AWS_CONFIG_FILE": "{folder}/failing"},
    "nothing fetches the credentials": {**NOBODY, "AWS_CONFIG_FILE": "{folder}/absent"},
    "nobody knows the profile": {**NOBODY, "AWS_PROFILE": "absent"},
    "the endpoint is no address": {"AWS_ENDPOINT_URL": "not-an-address"},
}
#: what a file of settings says: the program that is to print credentials
PROGRAMS = {"failing": "false", "absent": "/no/such/program"}


@requirement("LIST-043")
@pytest.mark.parametrize("trouble", UNUSABLE, ids=lambda trouble: trouble.replace(" ", "-"))
def test_a_store_that_cannot_be_asked(
    check: Check, subject: Bench, place: Place, seed: int, tmp_path: Path, trouble: str
) -> None:
    files = place_checkpoint(place, sharded(seed))
    for name, program in PROGRAMS.items():
        (tmp_path / name).write_text(f"[default]\ncredential_process = {program}\n", encoding="utf-8")
    variables = {name: value and value.format(folder=tmp_path) for name, value in UNUSABLE[trouble].items()}
    for operation, arguments in questions(place.uri, files):
        with subject.worker(**variables) as worker:
            error = error_of(check, worker, operation, why=trouble, **arguments)
        assert_meant(check, error, place.uri)


@requirement("LIST-043")
def test_a_bad_request(check: Check, subject: Bench, place: Place, wire: Wire, seed: int) -> None:
    files = place_checkpoint(place, sharded(seed))
    bad = wire.inject(Fault(match="", method=None, status=400))
    for operation, arguments in questions(place.uri, files):
        before = bad.hits
        error = error_of(check, subject.shared, operation, why="every request is called bad", **arguments)
        assert_meant(check, error, place.uri)
        what = f"requests of {operation} that were called bad"
        check.true(bad.hits > before, what=what, expected="at least one", actual=bad.hits - before)


#: of a partition of Amazon's cloud in which this endpoint does not lie
ACCESS_POINT = "s3://arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:models/model"


@requirement("LIST-043")
def test_an_access_point_elsewhere(check: Check, subject: Bench) -> None:
    for operation, arguments in questions(ACCESS_POINT, [f"{ACCESS_POINT}/model.safetensors"]):
        why = "the endpoint can't have such an access point"
        error = error_of(check, subject.shared, operation, why=why, **arguments)
        assert_meant(check, error, ACCESS_POINT)


def assert_meant(check: Check, error: SubjectRaised, uri: str) -> None:
    """Somebody meant the error, and every address in it lies in the model, or leads to it."""
    __tracebackhide__ = True
    assert_deliberate(check, error)
    named = [one.rstrip("/:.;)]") for one in re.findall(r"s3://[^\s'\",]*", error.message)]
    strange = [one for one in named if not one.startswith(uri) and not uri.startswith(one)]
    check.equal(expected=[], actual=strange, what="addresses in the error that are not the model's")


#: what a store says -> what an error may say of it: the status, S3's code for it, or words of everyday life.
#: Clients repeat what was answered with 429 or more, which takes seconds.
SAID: dict[int, str] = {
    403: r"\b403\b|denied|forbidden",
    404: r"\b404\b|nosuch|not ?found|no such",
    412: r"\b412\b|precondition|changed|\bversion",
}


@requirement("LIST-044")
@pytest.mark.parametrize("status", SAID)
def test_what_the_store_said(check: Check, subject: Bench, place: Place, wire: Wire, status: int) -> None:
    place.put("model.safetensors", b"x")
    said = wire.inject(Fault(match="", method=None, status=status))
    why = f"the store answers {status}"
    for operation in ("list_weights", "pull_metadata"):
        before = said.hits
        error = error_of(check, subject.shared, operation, why=why, uri=place.uri)
        # addresses and paths hold the check's name, and with it the status
        words = [word for word in error.message.split() if "/" not in word and place.prefix[:9] not in word]
        text = f"{error.type.rpartition('.')[2]}: {' '.join(words)}"
        check.true(
            bool(re.search(SAID[status], text, re.IGNORECASE)),
            what=f"the error where {why}",
            expected=f"a text that says so: {SAID[status]}",
            actual=text,
        )
        what = f"answers of {status} to {operation}"
        check.true(said.hits > before, what=what, expected="at least one", actual=said.hits - before)


#: what S3 answers -> what an error may call it; "": none of those kinds. Source: its list of error codes, see
#: LIST-045. A code that nobody knows leaves the status to go by.
KINDS: dict[tuple[int, str], set[str]] = {
    (404, "NoSuchBucket"): {"missing"},
    (404, "NoSuchKey"): {"missing"},
    (404, "Unheard"): {"missing"},
    (401, "Unheard"): {"refused"},
    (403, "AccessDenied"): {"refused"},
    (403, "InvalidAccessKeyId"): {"refused"},
    (403, "Unheard"): {"refused"},
    (400, "InvalidRequest"): {""},
    (400, "Unheard"): {""},
    (405, "MethodNotAllowed"): {""},
    (413, "Unheard"): {""},
}
#: the same of what clients ask for again, with pauses that grow; the codes with 400 are boto3's
#: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
KINDS_AFTER_PAUSES: dict[tuple[int, str], set[str]] = {
    (429, "Unheard"): {"overloaded"},
    (503, "SlowDown"): {"overloaded"},
    (503, "ServiceUnavailable"): {"overloaded", "down"},
    (500, "InternalError"): {"down", ""},
    (502, "Unheard"): {"down"},
    (504, "Unheard"): {"down"},
    (400, "SlowDown"): {"overloaded"},
    (400, "Throttling"): {"overloaded"},
    (400, "ThrottlingException"): {"overloaded"},
    (400, "ThrottledException"): {"overloaded"},
    (400, "RequestLimitExceeded"): {"overloaded"},
    (400, "RequestThrottled"): {"overloaded"},
    (400, "RequestThrottledException"): {"overloaded"},
    (400, "TooManyRequestsException"): {"overloaded"},
    (400, "BandwidthLimitExceeded"): {"overloaded"},
}
#: of an object that a listing has just named: one that is gone has changed, too
KINDS_OF_LISTED: dict[int, set[str]] = {403: {"refused"}, 404: {"missing", "changed"}, 412: {"changed"}}
PATIENCE_SECONDS = 120.0


@requirement("LIST-045")
@pytest.mark.parametrize("kinds", [KINDS, KINDS_AFTER_PAUSES], ids=["at-once", "after-pauses"])
def test_kinds_of_trouble(
    check: Check, subject: Bench, place: Place, wire: Wire, kinds: dict[tuple[int, str], set[str]]
) -> None:
    def ask(worker: Worker, uri: str) -> Any:
        try:
            return worker.ask("list_weights", deadline=PATIENCE_SECONDS, uri=uri)
        except SubjectRaised as error:
            return error

    said = [
        wire.inject(Fault(match=f"/{status}-{code}/", method=None, status=status, code=code))
        for status, code in kinds
    ]
    cases = {f"the store answers {status} {code}": right for (status, code), right in kinds.items()}
    uris = [f"{place.uri}{one.match}" for one in said]
    workers = [subject.worker() for _ in said]
    with socket.socket() as silent, ThreadPoolExecutor(len(kinds) + 1) as pool:
        if kinds is KINDS_AFTER_PAUSES:
            silent.bind(("127.0.0.1", 0))  # taken, so that nobody else comes to listen there
            workers.append(subject.worker(AWS_ENDPOINT_URL=f"http://127.0.0.1:{silent.getsockname()[1]}"))
            uris.append(place.uri)
            cases["nobody listens at the store's address"] = {"down"}
        # the pauses of clients that repeat are all that takes time
        outcomes = list(pool.map(ask, workers, uris))
    check.true(all(one.hits for one in said), what="the answers", expected="all given", actual=said)
    for (where, right), error in zip(cases.items(), outcomes, strict=True):
        if not isinstance(error, SubjectRaised):
            check.true(False, what=f"a listing where {where}", expected="an error", actual=error)
        assert_kind(check, subject, error, right, where=where)


@requirement("LIST-045")
@pytest.mark.parametrize("status", KINDS_OF_LISTED)
def test_kinds_in_the_middle_of_a_pull(
    check: Check, subject: Bench, place: Place, wire: Wire, status: int
) -> None:
    place.put("config.json", b"{}")
    said = wire.inject(Fault(match="config.json", status=status))
    why = f"the store answers {status} for one of a listing's objects"
    error = error_of(check, subject.shared, "pull_metadata", why=why, uri=place.uri)
    check.true(said.hits > 0, what=f"answers of {status}", expected="at least one", actual=said.hits)
    assert_kind(check, subject, error, KINDS_OF_LISTED[status], where=why)


def questions(uri: str, files: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Everything that asks a store."""
    return [
        ("list_weights", {"uri": uri}),
        ("pull_metadata", {"uri": uri}),
        ("tensors", {"files": files, "settings": {}}),
    ]
