"""Addresses that differ in one small thing, which somebody is apt to clean away: each names its own model."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from hypothesis import strategies as st

from fixtures.strategies import Address, addresses

#: written one way and another; a cache that folds them serves one model for the other
ACCENTS = ("é", "e\u0301", "ﬁ", "fi", "Å", "Å", "２", "2", "ß", "ss")


@st.composite
def families(draw: st.DrawFn) -> list[Address]:
    """An address and its neighbours: the same one never twice, the first one always plain."""
    address = draw(addresses(whole_buckets=False))
    accent = draw(st.sampled_from(ACCENTS))
    keys = dict.fromkeys((address.key, *_neighbours(f"{address.key}{accent}"), *_neighbours(address.key)))
    family = [Address(f"s3://{address.bucket}/{key}", "s3", address.bucket, key) for key in keys]
    family += [Address(f"{s}://{address.bucket}/{address.key}", s, *_parts(address)) for s in ("gs", "az")]
    head, _, tail = address.key.partition("/")
    for bucket, key in (
        (f"{address.bucket}-{head.lower()}", tail),
        (f"{address.bucket}{address.bucket}", address.key),
        (f"{address.bucket}-", address.key),
        (f"{address.bucket}.a", address.key),
        (address.bucket, ""),
    ):
        if " " not in bucket:
            family.append(Address(f"s3://{bucket}/{key}", "s3", bucket, key))
    return list({(a.scheme, a.bucket, a.key): a for a in family}.values())


def _parts(address: Address) -> tuple[str, str]:
    return address.bucket, address.key


def _neighbours(key: str) -> Iterator[str]:
    """Other keys that a reader may take for `key`; none begins or ends with a slash."""
    yield key
    yield from (key.lower(), key.upper(), key.swapcase(), key.title())
    yield from (f"{key}{more}" for more in ("-", "_", ".", "0", "/0", "%2F", "?x", "#x", " ", "\\", "/a/.."))
    yield from (f"{more}{key}" for more in ("-", "a/", "./", "../", "%2e%2e/", " "))
    yield from (key.replace(a, b) for a, b in (("-", "_"), ("/", "-"), ("/", "--"), ("/", "//"), ("a", "á")))
    yield from (key.replace(a, b) for a, b in ((" ", "+"), (" ", "%20"), ("%", "%25"), ("/", "\\")))
    yield from (unicodedata.normalize(form, key) for form in ("NFC", "NFD", "NFKC", "NFKD"))
    yield from (key[:-1].rstrip("/") or "x", key[1:].lstrip("/") or "y", f"{key}/{key}", key * 8)
