"""URI, second part: how an address is taken apart, and its one normal form."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.strategies import Address, addresses, lookalike_uris
from fixtures.subjects.protocol import SubjectRaised
from reports.marks import Check, requirement
from suites.conformance.bench import Bench, error_of
from suites.conformance.look_alikes import family_of

#: what a general parser reads as something else than a part of the key
RAW_KEYS = (
    "a#b",
    "a?b=c&d",
    "a%20b",
    "a%2Fb",
    "a+b",
    "a;b",
    "a:b@c",
    "a//b",
    "a://b",
    "aX",
    "größe/权重/🧪",
    "a/b=c",
    "*",
    "[1]",
)

Examples = Callable[[int, int], int]


def parts_of(address: Address) -> dict[str, str]:
    return {"scheme": address.scheme, "bucket": address.bucket, "key": address.key}


def assert_parts(check: Check, subject: Bench, address: Address) -> None:
    __tracebackhide__ = True
    answer = subject.ask("parse_uri", uri=address.text)
    check.equal(expected=parts_of(address), actual=answer, what=f"the parts of {address.text!r}")


@requirement("URI-010")
@pytest.mark.quick
def test_the_parts(check: Check, subject: Bench, examples: Examples) -> None:
    for key in RAW_KEYS:
        assert_parts(check, subject, Address(f"s3://bucket/{key}", "s3", "bucket", key))

    @settings(max_examples=examples(100, 3000))
    @given(addresses())
    def taken_apart(address: Address) -> None:
        assert_parts(check, subject, address)

    taken_apart()


@requirement("URI-011")
def test_the_normal_form(check: Check, subject: Bench, examples: Examples) -> None:
    @settings(max_examples=examples(100, 3000))
    @given(addresses())
    def normalised(address: Address) -> None:
        normal = subject.ask("normalise", uri=address.text)
        expected = f"{address.scheme}://{address.bucket}{'/' * bool(address.key)}{address.key}"
        check.equal(expected=expected, actual=normal.rstrip("/"), what=f"the normal form of {address.text!r}")
        again = subject.ask("normalise", uri=normal)
        check.equal(expected=normal, actual=again, what=f"the normal form of the normal form {normal!r}")
        other = subject.ask("normalise", uri=expected)
        check.equal(expected=normal, actual=other, what=f"the normal form of {expected!r}")
        answer = subject.ask("parse_uri", uri=normal)
        check.equal(expected=parts_of(address), actual=answer, what=f"the parts of {normal!r}")

    normalised()


@requirement("URI-012")
def test_look_alikes_stay_apart(check: Check, subject: Bench, examples: Examples) -> None:
    @settings(max_examples=examples(10, 300))
    @given(addresses(whole_buckets=False))
    def apart(plain: Address) -> None:
        family = family_of(plain)
        known: dict[str, str] = {}
        for address in family:
            try:
                normal = subject.ask("normalise", uri=address.text)
            except SubjectRaised:
                continue
            other = known.setdefault(normal, address.text)
            check.equal(expected=address.text, actual=other, what=f"the address of {normal!r}")
        check.true(
            len(known) > len(family) // 2,
            what="a family of addresses",
            expected="most of them are accepted",
            actual=f"{len(known)} of {len(family)}",
        )

    apart()


MAY_HOLD_A_SECRET = re.compile(r"//.*@|=", re.DOTALL)


def unusable() -> st.SearchStrategy[str]:
    schemes = st.sampled_from(("s3", "gs", "az", "S3"))
    # the last two: what Python makes of a byte in a command line that is no UTF-8, and half of a pair
    bad = st.sampled_from([*map(chr, range(32)), "\x7f", "\udce9", "\ud83e"])
    empty = st.builds("{}://{}".format, schemes, st.sampled_from(("", "/", "/model", "//model", "///")))
    before = st.builds("{}{}://bucket/model".format, st.sampled_from(" \t\n"), schemes)
    blanks = st.builds(
        "{}://{}/m".format,
        schemes,
        st.sampled_from((" ", " bucket", "bucket ", "buc ket", "b\u2003")),
    )
    control = st.builds(
        "{}://{}{}/model{}".format, schemes, st.sampled_from(("bucket", "b")), bad, st.sampled_from(("", "/"))
    )
    tail = st.builds("{}://bucket/model{}{}".format, schemes, bad, st.sampled_from(("", "x", "/config.json")))
    return st.one_of(empty, before, blanks, control, tail, lookalike_uris())


@requirement("URI-013")
def test_what_is_no_address(check: Check, subject: Bench, examples: Examples) -> None:
    @settings(max_examples=examples(100, 2000))
    @example("A://@")
    @example("A://@0")
    @example("//:@")
    @example("//:?@")
    @example("://00:?@")
    @example("0://00:?@")
    @example("?0=0")
    @example("?:=0")
    @example("s3://bucket/model\x7f")
    @example("s3://bucket/model\udce9")
    @example("A://user:password@bucket/model")
    @given(unusable())
    def refused(text: str) -> None:
        for operation in ("parse_uri", "normalise"):
            error = error_of(check, subject.shared, operation, why=f"the address is {text!r}", uri=text)
            # what may be a password or a signature must not be shown: SECURITY-030 and -031
            wanted = re.split("//|[?=]", text)[0] if MAY_HOLD_A_SECRET.search(text) else text
            # as it is or as Python writes it: a control character may well be made visible
            shown = wanted in error.message or repr(wanted)[1:-1] in error.message
            check.true(
                shown, what="the error's message", expected=f"a text with {wanted!r}", actual=error.message
            )

    refused()
