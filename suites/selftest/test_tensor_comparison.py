"""The comparison with the oracle sees what the fetched bytes alone would hide."""

from __future__ import annotations

from typing import Any, cast

import pytest

from fixtures.checkpoints import ExpectedTensor, single_file
from fixtures.subjects.client import Worker
from reports.marks import Check, Mismatch
from suites.conformance.tensors import assert_same_tensors

EXPECTED = single_file(3).expected


class RightWhenFetched:
    """A worker whose tensors have the right bytes by the time that they are asked for."""

    def ask(self, operation: str, *, position: int, offset: int, length: int) -> str:
        assert operation == "kept_bytes"
        return list(EXPECTED.values())[position].data()[offset : offset + length].hex()


def answer(**changes: str) -> dict[str, Any]:
    return {"tensors": [described(tensor) | changes for tensor in EXPECTED.values()]}


def described(tensor: ExpectedTensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "nbytes": tensor.nbytes,
        "sha256": tensor.sha256,
    }


def compare(check: Check, actual: dict[str, Any]) -> None:
    assert_same_tensors(check, cast(Worker, RightWhenFetched()), expected=EXPECTED, actual=actual)


def test_the_right_tensors_pass_and_each_is_compared_three_ways() -> None:
    check = Check()
    compare(check, answer())
    assert check.comparisons == 1 + 3 * len(EXPECTED)


def test_bytes_that_changed_since_their_digest_fail() -> None:
    with pytest.raises(Mismatch, match="digest"):
        compare(Check(), answer(sha256="0" * 64))
