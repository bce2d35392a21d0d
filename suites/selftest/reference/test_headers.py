"""Every way to break a header ends in one typed error that names the file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixtures.reference.errors import CorruptHeader, UnsupportedDtype
from fixtures.reference.headers import header_length, parse_header

ADDRESS = "s3://b/m/model.safetensors"


def entry(dtype: str = "U8", shape: Any = (4,), offsets: Any = (0, 4)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def nested(depth: int) -> list[Any]:
    """Lists within each other, so many of them."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def parse(header: bytes | dict[str, Any], data: int = 4) -> list[tuple[str, tuple[int, ...], int, int]]:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    found = parse_header(text, address=ADDRESS, file_size=8 + len(text) + data)
    return [(tensor.name, tensor.shape, tensor.start - 8 - len(text), tensor.size) for tensor in found]


def test_order_is_that_of_the_bytes() -> None:
    header = {
        "__metadata__": {"format": "pt"},
        "late": entry("F16", [2, 1], [4, 8]),
        "none": entry("F32", [3, 0], [4, 4]),
        "early": entry(),
    }
    assert parse(header, 8) == [("early", (4,), 0, 4), ("none", (3, 0), 4, 0), ("late", (2, 1), 4, 4)]


def test_packed_floats_have_half_the_columns() -> None:
    assert parse({"f": entry("F4", [2, 4], [0, 4])}) == [("f", (2, 2), 0, 4)]


def test_fields_of_their_own() -> None:
    fields = {"fraction": -1.5, "big": 2**70, "deep": nested(125), "text": "\U0001f9ea"}
    assert parse({"a": entry() | fields}) == [("a", (4,), 0, 4)]


def test_more_dimensions_than_numpy_has() -> None:
    assert parse({"a": entry(shape=[1] * 1000 + [4])}) == [("a", (1,) * 1000 + (4,), 0, 4)]


BROKEN: dict[str, bytes | dict[str, Any]] = {
    "list": b"[]",
    "null": b"null",
    "empty": b"",
    "leading space": b' {"a":1}',
    "not utf-8": b'{"\xff":1}',
    "cut": b'{"a":',
    "deep": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "nan": b'{"a":NaN}',
    "huge number": b'{"a":' + b"9" * 5000 + b"}",
    "twice": b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":1}',
    "entry is no object": {"a": 3},
    "no dtype": {"a": {"shape": [4], "data_offsets": [0, 4]}},
    "no shape": {"a": {"dtype": "U8", "data_offsets": [0, 4]}},
    "no offsets": {"a": {"dtype": "U8", "shape": [4]}},
    "unknown dtype": {"a": entry("F9")},
    "dtype is no string": {"a": {"dtype": ["U8"], "shape": [4], "data_offsets": [0, 4]}},
    "negative shape": {"a": entry(shape=[-4])},
    "float shape": {"a": entry(shape=[4.0])},
    "bool shape": {"a": entry(shape=[True], offsets=[0, 1])},
    "overflowing shape": {"a": entry(shape=[2**62, 8])},
    "overflowing shape without elements": {"a": entry(shape=[0, 2**62, 2**62], offsets=[0, 0])},
    "more lists than memory": b'{"a":[' + b"[]," * 6_000_000 + b"[]]}",
    "overflowing shape without end": {"a": entry(shape=[2**62] * 200_000)},
    "a long shape that does not fit": {"a": entry(shape=[1] * 1000)},
    "minus zero": b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[-0,4]}}',
    "a field nested too deeply": {"a": entry() | {"x": [nested(125)]}},
    "half a surrogate pair": b'{"\\ud800":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}',
    "a number beyond a float": {"a": entry() | {"x": 10**309}},
    "offsets beyond": {"a": entry(offsets=[2**63 - 4, 2**63])},
    "backwards": {"a": entry(offsets=[4, 0])},
    "wrong span": {"a": entry(offsets=[0, 3])},
    "hole at the start": {"a": entry(offsets=[1, 5])},
    "hole between": {"a": entry(shape=[1], offsets=[0, 1]), "b": entry(shape=[2], offsets=[2, 4])},
    "overlap": {"a": entry(shape=[3], offsets=[0, 3]), "b": entry(shape=[2], offsets=[2, 4])},
    "truncated": {"a": entry(shape=[5], offsets=[0, 5])},
    "trailing": {"a": entry(shape=[3], offsets=[0, 3])},
    "metadata of numbers": {"__metadata__": {"n": 1}, "a": entry()},
    "metadata is a list": {"__metadata__": [], "a": entry()},
    "odd packed": {"a": entry("F4", [8, 1], [0, 4])},
    "packed scalar": {"a": entry("F4", [], [0, 4])},
}


@pytest.mark.parametrize("header", BROKEN.values(), ids=BROKEN.keys())
def test_broken_headers(header: bytes | dict[str, Any]) -> None:
    with pytest.raises(CorruptHeader) as caught:
        parse(header)
    assert caught.value.uri == ADDRESS and len(str(caught.value)) < 1000


def test_a_dtype_that_torch_lacks() -> None:
    with pytest.raises(UnsupportedDtype, match="F6_E2M3"):
        parse({"a": entry("F6_E2M3", [4], [0, 3])}, 3)


@pytest.mark.parametrize(
    ("prefix", "size"),
    [(b"", 0), (b"1234567", 7), ((2**63).to_bytes(8, "little"), 100), ((93).to_bytes(8, "little"), 100)]
    + [((100_000_001).to_bytes(8, "little"), 2**40)],
)
def test_impossible_lengths(prefix: bytes, size: int) -> None:
    with pytest.raises(CorruptHeader):
        header_length(prefix, address=ADDRESS, file_size=size)
