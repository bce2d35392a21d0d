"""LIST, third part: with which credentials, and under which path, a store is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.checkpoints import Checkpoint, single_file
from fixtures.stores import Place, Store
from fixtures.subjects.client import Worker
from fixtures.subjects.protocol import SubjectRaised
from fixtures.wire import Request, Wire
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.tensors import assert_same_tensors

SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
NOBODY = dict.fromkeys(SECRETS)
PROFILES = """[default]
aws_access_key_id = {stranger}
aws_secret_access_key = none
[serving]
aws_access_key_id = {key_id}
aws_secret_access_key = {secret}
"""


def assert_listed_and_loaded(
    check: Check, worker: Worker, wire: Wire, place: Place, checkpoint: Checkpoint
) -> dict[str, list[Request]]:
    """The requests at the wire that a right answer took, of which there were both kinds."""
    __tracebackhide__ = True
    # not to be found, or to be refused, is what wrong credentials and wrong paths end in
    try:
        files = worker.ask("list_weights", uri=place.uri)
    except SubjectRaised as error:
        files = f"the error {error.type}: {error.message}"
    check.equal(expected=[f"{place.uri}/model.safetensors"], actual=files, what="the listed weights")
    listing = wire.requests
    wire.forget()
    answer = worker.ask("tensors", files=files, settings={})
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)
    assert listing and wire.gets(suffix=".safetensors"), "the wire saw nothing"
    return {"listing": listing, "streaming": wire.requests}


@requirement("LIST-040")
def test_a_public_bucket(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    checkpoint = single_file(seed)
    place.put_all(checkpoint.files)
    place.publish()
    worker = subject.worker(**NOBODY, RUNAI_STREAMER_S3_UNSIGNED="1")
    asked = assert_listed_and_loaded(check, worker, wire, place, checkpoint)
    for phase, requests in asked.items():
        signers = sorted({request.key_id for request in requests})
        check.equal(expected=[""], actual=signers, what=f"by whom requests were signed while {phase}")


@requirement("LIST-041")
@pytest.mark.parametrize("source", ["variables", "profile"])
def test_the_same_credentials(
    check: Check,
    subject: Bench,
    store: Store,
    place: Place,
    seed: int,
    wire: Wire,
    tmp_path: Path,
    source: str,
) -> None:
    checkpoint = single_file(seed)
    place.put_all(checkpoint.files)
    key_id, secret = (store.environment()[name] for name in SECRETS)
    profiles = tmp_path / "credentials"
    stranger = "stranger" * 2
    profiles.write_text(PROFILES.format(stranger=stranger, key_id=key_id, secret=secret), encoding="utf-8")
    named = {"AWS_PROFILE": "serving", **NOBODY} if source == "profile" else {}
    region = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "eu-south-2")
    worker = subject.worker(AWS_SHARED_CREDENTIALS_FILE=str(profiles), **region, **named)
    asked = assert_listed_and_loaded(check, worker, wire, place, checkpoint)
    for phase, requests in asked.items():
        signers = sorted({(request.key_id, request.region) for request in requests})
        what = f"by whom, and for which region, requests were signed while {phase}"
        check.equal(expected=[(key_id, "eu-south-2")], actual=signers, what=what)


@requirement("LIST-042")
def test_path_style(check: Check, subject: Bench, place: Place, seed: int, wire: Wire) -> None:
    checkpoint = single_file(seed)
    place.put_all(checkpoint.files)
    # clients ask an address of numbers by path in any case, and a name only where they are told to
    endpoint = wire.endpoint.replace("127.0.0.1", "localhost")
    worker = subject.worker(AWS_ENDPOINT_URL=endpoint, RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING="0")
    asked = assert_listed_and_loaded(check, worker, wire, place, checkpoint)
    for phase, requests in asked.items():
        buckets = sorted({request.path.split("/")[1] for request in requests})
        check.equal(expected=[place.bucket], actual=buckets, what=f"first parts of the paths while {phase}")
