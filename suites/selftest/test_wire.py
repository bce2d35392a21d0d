"""The wire passes everything on unchanged, records it, and spoils exactly what it is told to."""

import http.client
import http.server
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fixtures.faults import Faults
from fixtures.stores.bucket import BUCKET, REGION, admin
from fixtures.stores.moto import ACCESS_KEY, SECRET_KEY, MotoStore
from fixtures.wire import Fault, Wire

DATA = os.urandom(3_000_001)
KEY = "wire/model-00001.safetensors"


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    store = MotoStore()
    store.start()
    endpoint = store.environment()["AWS_ENDPOINT_URL"]
    s3 = admin(endpoint, ACCESS_KEY, SECRET_KEY)
    for key, data in ((KEY, DATA), ("wire/config.json", b"{}")):
        s3.put_object(Bucket=BUCKET, Key=key, Body=data, ACL="public-read")  # `fetch` signs nothing
    yield endpoint
    store.stop()


@pytest.fixture
def wire(upstream: str) -> Iterator[Wire]:
    with Wire(upstream) as wire:
        yield wire


def client(wire: Wire) -> Any:
    return admin(wire.endpoint, ACCESS_KEY, SECRET_KEY)


def fetch(wire: Wire, span: str | None = None, method: str = "GET") -> tuple[int, bytes]:
    """Status and body by a client that neither retries nor checks anything but HTTP itself."""
    plain = http.client.HTTPConnection(wire.endpoint.removeprefix("http://"), timeout=10)
    plain.request(method, f"/{BUCKET}/{KEY}", headers={"Range": span} if span else {})
    answer = plain.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        plain.close()


def test_all_kinds_of_requests_pass(wire: Wire) -> None:
    s3 = client(wire)
    body = os.urandom(700_000)
    s3.put_object(Bucket=BUCKET, Key="up/ü +%", Body=body)
    assert s3.get_object(Bucket=BUCKET, Key="up/ü +%")["Body"].read() == body
    assert s3.head_object(Bucket=BUCKET, Key=KEY)["ContentLength"] == len(DATA)
    assert [e["Key"] for e in s3.list_objects_v2(Bucket=BUCKET, Prefix="up/")["Contents"]] == ["up/ü +%"]
    s3.delete_object(Bucket=BUCKET, Key="up/ü +%")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=BUCKET, Key="up/ü +%")
    seen = [(r.method, r.status) for r in wire.requests]
    assert seen == [("PUT", 200), ("GET", 200), ("HEAD", 200), ("GET", 200), ("DELETE", 204), ("GET", 404)]


def test_records_say_what_was_read(wire: Wire) -> None:
    s3 = client(wire)
    s3.get_object(Bucket=BUCKET, Key="wire/config.json")["Body"].read()
    s3.get_object(Bucket=BUCKET, Key=KEY, Range="bytes=10-19")["Body"].read()
    s3.list_objects_v2(Bucket=BUCKET, Prefix="wire/config.json")
    assert len(wire.gets("config.json")) == 1
    (ranged,) = wire.gets(".safetensors")
    assert (ranged.range, ranged.status, ranged.body_bytes) == ("bytes=10-19", 206, 10)
    assert len(wire.gets()) == 2 and len(wire.requests) == 3
    wire.forget()
    assert wire.requests == []


def test_records_say_who_signed_and_keep_no_signature(wire: Wire) -> None:
    client(wire).get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    fetch(wire)
    assert [request.key_id for request in wire.requests] == [ACCESS_KEY, ""]
    assert [request.region for request in wire.requests] == [REGION, ""]
    assert "Signature" not in repr(wire.requests)


def test_parallel_ranges_arrive_whole(wire: Wire) -> None:
    step = 100_000

    def part(start: int) -> bytes:
        return fetch(wire, f"bytes={start}-{min(start + step, len(DATA)) - 1}")[1]

    with ThreadPoolExecutor(16) as pool:
        parts = list(pool.map(part, range(0, len(DATA), step)))
    assert b"".join(parts) == DATA
    assert sum(r.body_bytes for r in wire.requests) == len(DATA)


class Chatty(http.server.BaseHTTPRequestHandler):
    """A store that keeps its connections (moto's doesn't) and answers in chunks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"3\r\nabc\r\n5;name=value\r\ndefgh\r\n0\r\nTrailer: x\r\n\r\n")

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_connections_are_kept_and_chunks_passed_on() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chatty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Wire(f"http://127.0.0.1:{server.server_port}") as wire:
            plain = http.client.HTTPConnection(wire.endpoint.removeprefix("http://"), timeout=10)
            ports = set()
            for _ in range(3):
                plain.request("GET", "/bucket/key")
                assert plain.getresponse().read() == b"abcdefgh"
                assert plain.sock is not None, "the wire closed a connection that the store keeps"
                ports.add(plain.sock.getsockname()[1])
                plain.request("HEAD", "/bucket/key")  # a length without a body: nothing to wait for
                answer = plain.getresponse()
                assert (answer.read(), answer.getheader("Content-Length")) == (b"", "8")
            plain.close()
            assert len(ports) == 1 and [r.key for r in wire.gets()] == ["key"] * 3
        server.shutdown()


def test_an_absolute_target_is_recorded_as_a_path(wire: Wire) -> None:
    plain = http.client.HTTPConnection(wire.endpoint.removeprefix("http://"), timeout=10)
    plain.request("GET", f"{wire.endpoint}/{BUCKET}/wire/config.json")
    assert plain.getresponse().read() == b"{}"
    plain.close()
    assert [r.path for r in wire.gets("config.json")] == [f"/{BUCKET}/wire/config.json"]


@pytest.mark.parametrize(
    ("status", "own", "code"),
    [(403, None, "AccessDenied"), (503, None, "SlowDown"), (404, None, "NoSuchKey"), (404, "Odd", "Odd")],
)
def test_status(wire: Wire, status: int, own: str | None, code: str) -> None:
    fault = wire.inject(Fault("model-", status=status, code=own, times=1))
    got, body = fetch(wire)
    assert got == status and f"<Code>{code}</Code>".encode() in body
    assert fetch(wire) == (200, DATA)
    assert fault.hits == 1
    assert [r.status for r in wire.requests] == [status, 200]


def test_a_refused_head_has_no_body(wire: Wire) -> None:
    wire.inject(Fault("model-", method="HEAD", status=403))
    assert fetch(wire, method="HEAD") == (403, b"")
    assert fetch(wire)[0] == 200


def test_truncation_breaks_the_promise_of_the_length(wire: Wire) -> None:
    fault = wire.inject(Fault("model-", truncate=1000))
    with pytest.raises(http.client.IncompleteRead) as caught:
        fetch(wire)
    assert caught.value.partial == DATA[:1000]
    assert fetch(wire, "bytes=0-999") == (206, DATA[:1000]), "an answer that is no longer stays whole"
    assert fault.hits == 1
    assert wire.requests[0].body_bytes == 1000


@pytest.mark.parametrize("offset", [0, 1, 300_000, len(DATA) - 1])
def test_a_flip_changes_one_byte_of_the_object(wire: Wire, offset: int) -> None:
    fault = wire.inject(Fault("model-", flip=offset))
    body = fetch(wire)[1]
    assert [i for i in (offset - 1, offset, offset + 1) if 0 <= i < len(DATA) and body[i] != DATA[i]] == [
        offset
    ]
    assert body[:offset] + bytes([body[offset] ^ 0xFF]) + body[offset + 1 :] == DATA
    assert fetch(wire, f"bytes={offset}-{offset}")[1] == bytes([DATA[offset] ^ 0xFF])
    assert fault.hits == 2
    if offset:
        assert fetch(wire, f"bytes=0-{offset - 1}")[1] == DATA[:offset]
    assert fault.hits == 2, "a range without that byte is no hit"


def test_delay(wire: Wire) -> None:
    wire.inject(Fault("model-", delay=0.3, times=1))
    start = time.monotonic()
    assert fetch(wire) == (200, DATA)
    assert 0.3 <= time.monotonic() - start < 3


def test_data_can_be_held_back_while_headers_pass(wire: Wire) -> None:
    gate = threading.Event()
    fault = wire.inject(Fault(match=KEY, until=gate, begins=100))
    assert fetch(wire, "bytes=99-120") == (206, DATA[99:121])
    assert fetch(wire)[1] == DATA
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(fetch, wire, "bytes=100-109")
        while fault.hits == 0:
            time.sleep(0.005)
        assert not late.done()
        gate.set()
        assert late.result() == (206, DATA[100:110])


def test_a_request_held_back_for_ever_ends_with_the_wire(upstream: str) -> None:
    with Wire(upstream) as wire, ThreadPoolExecutor(1) as pool:
        fault = wire.inject(Fault(match=KEY, until=threading.Event()))
        late = pool.submit(fetch, wire)
        while fault.hits == 0:
            time.sleep(0.005)
        wire.__exit__(None, None, None)
        assert isinstance(late.exception(timeout=10), OSError | http.client.HTTPException)


def test_a_hanging_answer_ends_with_the_wire(upstream: str) -> None:
    outcome: list[BaseException] = []

    def ask(wire: Wire) -> None:
        try:
            fetch(wire)
        except (http.client.HTTPException, OSError) as error:
            outcome.append(error)

    with Wire(upstream) as wire:
        fault = wire.inject(Fault("model-", hang=True))
        asking = threading.Thread(target=ask, args=(wire,))
        asking.start()
        asking.join(0.5)
        assert asking.is_alive() and fault.hits == 1 and wire.requests[0].status == 0
    asking.join(5)
    assert not asking.is_alive() and isinstance(outcome[0], http.client.RemoteDisconnected)
    assert not [thread for thread in threading.enumerate() if thread.name == "wire"]


def test_parallel_requests_cannot_exceed_times(wire: Wire) -> None:
    fault = wire.inject(Fault("model-", status=503, times=3))
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: fetch(wire, "bytes=0-9")[0], range(24)))
    assert (statuses.count(503), fault.hits) == (3, 3)


def test_a_fault_that_two_requests_wait_for_acts_once() -> None:
    faults = Faults()
    faults.add(Fault("", flip=0, times=1))
    first, second = faults.on("GET", "/b/k", ""), faults.on("GET", "/b/k", "")
    assert first is not None and second is not None
    assert (second.flipped(b"\x00", 0), first.flipped(b"\x00", 0)) == (b"\xff", b"\x00")
    assert faults.on("GET", "/b/k", "") is None


def test_healing_and_matching(wire: Wire) -> None:
    wire.inject(Fault("list-type=2", status=500))
    assert fetch(wire)[0] == 200, "a fault for listings leaves objects alone"
    with pytest.raises(ClientError):
        client(wire).list_objects_v2(Bucket=BUCKET)
    wire.heal()
    assert client(wire).list_objects_v2(Bucket=BUCKET)["KeyCount"] >= 2


def test_only_plain_http_is_passed_on() -> None:
    with pytest.raises(ValueError, match="https://s3"):
        Wire("https://s3.example.com")
