"""The comparison of what a subject handed out with what the oracle says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from fixtures.checkpoints import Checkpoint
from fixtures.oracle.proof import Claim
from fixtures.stores import Place
from fixtures.subjects.client import Worker
from reports.marks import Check
from suites.conformance.bench import Bench, answer_of

CHUNK = 1 << 20


class Expected(Claim, Protocol):
    """What an oracle says of one tensor: the builder, or for other files the official library."""

    def data(self) -> bytes:
        """The raw bytes."""


def place_checkpoint(place: Place, checkpoint: Checkpoint) -> list[str]:
    """Puts the whole checkpoint into the store; the addresses of the weight files that count, in order."""
    place.put_all(checkpoint.files)
    return [f"{place.uri}/{file}" for file in checkpoint.weight_files]


def assert_same_tensors(
    check: Check, worker: Worker, *, expected: Mapping[str, Expected], actual: Mapping[str, Any]
) -> None:
    """Names (each once), dtypes, shapes and bytes of a load are those of the oracle.

    `actual` is the worker's answer to a load; on differing digests the tensor's bytes are fetched, so that
    the failure tells the first differing offset.
    """
    __tracebackhide__ = True
    assert_same_names(check, expected=expected, actual=actual)
    for position, tensor in enumerate(actual["tensors"]):
        name = tensor["name"]
        right = expected[name]
        check.equal(expected=right.dtype, actual=tensor["dtype"], what="dtype", tensor=name)
        check.equal(expected=list(right.shape), actual=tensor["shape"], what="shape", tensor=name)
        if right.sha256 != tensor["sha256"]:
            data = kept_bytes(worker, position, tensor["nbytes"])
            check.equal(expected=right.data(), actual=data, what="bytes", tensor=name)
        # bytes that are right only when they are fetched have changed since the digest: wrong all the same
        check.equal(expected=right.sha256, actual=tensor["sha256"], what="digest", tensor=name)


def tensors_of(
    check: Check, worker: Worker, files: list[str], *, where: str, deadline: float | None = None
) -> dict[str, Any]:
    """The answer of a load that must succeed where others give up; see `answer_of`."""
    __tracebackhide__ = True
    what = f"a load {where}"
    return answer_of(check, worker, "tensors", what=what, deadline=deadline, files=files, settings={})


def assert_same_names(check: Check, *, expected: Mapping[str, Expected], actual: Mapping[str, Any]) -> None:
    """Every expected tensor arrived, once, and no other did."""
    __tracebackhide__ = True
    seen = Counter(tensor["name"] for tensor in actual["tensors"])
    check.equal(
        expected={"missing": [], "extra": [], "more than once": [], "count": len(expected)},
        actual={
            "missing": sorted(expected.keys() - seen.keys())[:20],
            "extra": sorted(seen.keys() - expected.keys())[:20],
            "more than once": sorted(name for name, count in seen.items() if count > 1)[:20],
            "count": seen.total(),
        },
        what="the set of tensors",
    )


def kept_bytes(worker: Worker, position: int, size: int) -> bytes:
    """All bytes of one tensor of the worker's last load."""
    parts = (
        worker.ask("kept_bytes", position=position, offset=offset, length=CHUNK)
        for offset in range(0, size, CHUNK)
    )
    return b"".join(bytes.fromhex(part) for part in parts)


def assert_model(check: Check, subject: Bench, uri: str, checkpoint: Checkpoint, **settings: Any) -> None:
    """The subject's own way from an address to tensors brings exactly the checkpoint."""
    __tracebackhide__ = True
    answer = answer_of(
        check, subject.shared, "model_tensors", what="a whole model", uri=uri, settings=settings
    )
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
