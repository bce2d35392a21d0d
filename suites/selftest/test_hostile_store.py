"""The store that lies is an S3 to a client, and lies exactly as it was told to."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from fixtures.hostile_store import Bait, HostileStore
from fixtures.stores.bucket import BUCKET, admin

GB = 10**9
OBJECTS = {"m/a.json": Bait(b"[1, 2]"), "m/deep/b.json": Bait(b"{}"), "other/c.json": Bait(b"")}


def client(store: HostileStore) -> Any:
    return admin(store.environment["AWS_ENDPOINT_URL"], "key", "secret")


def listed(store: HostileStore, **arguments: str) -> dict[str, int]:
    pages = client(store).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, **arguments)
    return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", ())}


def test_an_honest_object_is_whole() -> None:
    with HostileStore(OBJECTS) as store:
        assert listed(store, Prefix="m/") == {"m/a.json": 6, "m/deep/b.json": 2}
        assert listed(store, Prefix="m/", Delimiter="/") == {"m/a.json": 6}
        s3 = client(store)
        assert s3.get_object(Bucket=BUCKET, Key="m/a.json")["Body"].read() == b"[1, 2]"
        assert s3.get_object(Bucket=BUCKET, Key="m/a.json", Range="bytes=1-3")["Body"].read() == b"1, "
        assert s3.head_object(Bucket=BUCKET, Key="m/a.json")["ContentLength"] == 6
        with pytest.raises(ClientError, match="NoSuchKey"):
            s3.get_object(Bucket=BUCKET, Key="m/none.json")
        assert store.asked.listings == 2
        assert store.asked.reads == ["m/a.json"] * 3 + ["m/none.json"]
        assert store.asked.sent == 9


def test_keys_come_as_they_are() -> None:
    keys = ["m/../up", "m//a", "m/\x01\n", "m/a\\b", "m/größe %41+&<"]
    with HostileStore({key: Bait(key.encode()) for key in keys}) as store:
        assert sorted(listed(store, Prefix="m/")) == sorted(keys)


def test_keys_that_were_not_asked_for() -> None:
    with HostileStore(OBJECTS, strays=("elsewhere/x.json",)) as store:
        assert "elsewhere/x.json" in listed(store, Prefix="m/")


def test_sizes_that_are_lies() -> None:
    with HostileStore({"m/a": Bait(b"x", listed=100, sized=10 * GB)}) as store:
        assert listed(store) == {"m/a": 100}
        body = client(store).get_object(Bucket=BUCKET, Key="m/a")
        assert body["ContentLength"] == 10 * GB
        assert body["Body"].read(3) == b"x\0\0"


def test_a_body_without_an_end() -> None:
    with HostileStore({"m/a": Bait(b"x", endless=True)}, most_sent=1 << 20) as store:
        body = client(store).get_object(Bucket=BUCKET, Key="m/a")
        assert "ContentLength" not in body
        assert len(body["Body"].read()) >= 1 << 20
        with pytest.raises(ClientError, match="AccessDenied"):
            client(store).get_object(Bucket=BUCKET, Key="m/a")


def test_what_is_left_out_is_not_stated() -> None:
    names = ("listed size", "listed version", "version", "length")
    with HostileStore({f"m/{name}": Bait(b"abc", unstated=name) for name in names}) as store:
        s3 = client(store)
        entries = {one["Key"][2:]: one for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
        answers = {name: s3.get_object(Bucket=BUCKET, Key=f"m/{name}") for name in names}
        assert {name for name, one in entries.items() if "Size" not in one} == {"listed size"}
        assert {name for name, one in entries.items() if "ETag" not in one} == {"listed version"}
        assert {name for name, one in answers.items() if "ETag" not in one} == {"version"}
        assert {name for name, one in answers.items() if "ContentLength" not in one} == {"length"}
        assert {name: one["Body"].read() for name, one in answers.items()} == dict.fromkeys(names, b"abc")


def test_less_and_more_than_was_asked_for() -> None:
    with HostileStore({"m/a": Bait(b"abcdef", brings=2), "m/b": Bait(b"abcdef", ranged=False)}) as store:
        s3 = client(store)
        less, more = (s3.get_object(Bucket=BUCKET, Key=f"m/{name}", Range="bytes=1-4") for name in "ab")
        assert (less["ContentRange"], less["ContentLength"], less["Body"].read()) == ("bytes 1-4/6", 2, b"bc")
        assert ("ContentRange" in more, more["Body"].read()) == (False, b"abcdef")


def test_a_part_without_the_end_and_one_with_more() -> None:
    with HostileStore({"m/a": Bait(b"abcdef", ends=3), "m/b": Bait(b"abcdef", surplus=2)}) as store:
        s3 = client(store)
        parts = [s3.get_object(Bucket=BUCKET, Key=f"m/{name}", Range="bytes=1-4") for name in "ab"]
        assert [one["ContentRange"] for one in parts] == ["bytes 1-4/6"] * 2
        assert [(one["ContentLength"], one["Body"].read()) for one in parts] == [(2, b"bc"), (6, b"bcdef\0")]
        behind = s3.get_object(Bucket=BUCKET, Key="m/a", Range="bytes=4-5")
        assert (behind["ContentLength"], behind["Body"].read()) == (0, b"")


def test_an_object_that_is_replaced() -> None:
    with HostileStore({"m/a": Bait(b"old", then=Bait(b"newer", version="second"))}) as store:
        s3 = client(store)
        old = s3.get_object(Bucket=BUCKET, Key="m/a")
        assert (old["ETag"], old["Body"].read()) == ('"bait"', b"old")
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.get_object(Bucket=BUCKET, Key="m/a", IfMatch=old["ETag"])
        new = s3.get_object(Bucket=BUCKET, Key="m/a", IfMatch='"second"')
        assert (new["ETag"], new["Body"].read()) == ('"second"', b"newer")
        assert [one["ETag"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ['"second"']


def test_pages_without_content() -> None:
    with HostileStore(OBJECTS, empty_pages=5) as store:
        assert len(listed(store)) == 3
        assert store.asked.listings == 6


def test_a_body_that_breaks_off() -> None:
    with HostileStore({"m/a": Bait(bytes(100), breaks=5)}) as store:
        answer = client(store).get_object(Bucket=BUCKET, Key="m/a")
        assert answer["ContentLength"] == 100
        with pytest.raises(BotoCoreError):
            answer["Body"].read()


@pytest.mark.parametrize(("unstated", "code"), [("", "InvalidRange"), ("reason", "416")])
def test_a_range_of_nothing(unstated: str, code: str) -> None:
    with HostileStore({"m/a": Bait(b"", unstated=unstated)}) as store:
        s3 = client(store)
        with pytest.raises(ClientError) as refused:
            s3.get_object(Bucket=BUCKET, Key="m/a", Range="bytes=0-9")
        assert refused.value.response["Error"]["Code"] == code
        with pytest.raises(ClientError, match="416"):
            s3.head_object(Bucket=BUCKET, Key="m/a", Range="bytes=0-9")
        assert s3.get_object(Bucket=BUCKET, Key="m/a")["Body"].read() == b"", (
            "the connection is still in order"
        )
