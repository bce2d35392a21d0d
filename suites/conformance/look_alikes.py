"""Addresses that differ in one small thing, which somebody is apt to clean away: each names its own model."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from fixtures.strategies import Address

#: texts that are taken for each other by one who decodes, folds or tidies up
TWINS = (
    (" ", "%20"), (" ", "+"), ("+", "%2B"), ("#", "%23"), ("%", "%25"), ("/", "%2F"), ("/", "//"),
    ("/", "/./"), ("/", "/x/../"), ("/", "\\"), ("/", "-"), ("/", "--"), ("-", "_"), ("", "?x"), ("", "#x"),
    ("", ";x"), ("A", "a"), ("é", "e\u0301"), ("é", "e"), ("\u212b", "\u00c5"), ("ﬁ", "fi"), ("ß", "ss"),
    ("２", "2"), ("ı", "i"), ("权", "%E6%9D%83"), ("1", "01"), ("\u200b", ""),
)  # fmt: skip


def family_of(address: Address) -> list[Address]:
    """The address and its neighbours, none of which is another one's; all of them name a bucket."""
    scheme, bucket, key = address.scheme, address.bucket, address.key
    others = [(other, bucket, key) for other in ("s3", "gs", "az")]
    keys = dict.fromkeys((*_with_twins(key), *_changed(key)))
    others += [(scheme, bucket, other) for other in keys]
    head, _, tail = key.partition("/")
    # the border between bucket and key is moved, or the bucket is another one
    others += [(scheme, f"{bucket}{more}", key) for more in ("-", "0", ".a", bucket)]
    if head.isalnum() and head.isascii():
        others += [(scheme, f"{bucket}{joint}{head}", tail) for joint in ("", "-", ".")]
    parts = dict.fromkeys(((scheme, bucket, key), (scheme, bucket, ""), *others))
    return [Address(f"{s}://{b}{'/' * bool(k)}{k}", s, b, k) for s, b, k in parts]


def _with_twins(key: str) -> Iterator[str]:
    for one, other in TWINS:
        yield f"{key}y{one}z"
        yield f"{key}y{other}z"


def _changed(key: str) -> Iterator[str]:
    """None of them begins or ends with a slash."""
    yield from (key.lower(), key.upper(), key.swapcase(), f"{key}/{key}", key * 8)
    yield from (f"{key}{more}" for more in ("-", ".", "0", "/0", " ", "%2F", "\\", "/x/.."))
    yield from (f"{more}{key}" for more in ("-", "a/", "./", "../", "%2e%2e/", " "))
    yield from (unicodedata.normalize(form, key) for form in ("NFC", "NFD", "NFKC", "NFKD"))
    yield from (key[:-1].rstrip("/"), key[1:].lstrip("/"))
