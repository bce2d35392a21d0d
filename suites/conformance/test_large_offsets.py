"""WEIGHT, what lies behind the first four gigabytes of a file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from fixtures.stores import Place
from reports.marks import Check, requirement
from suites.conformance.bench import Bench

MiB = 1 << 20
#: tensors of zeros, with holes of the file behind them: more than 4 GiB together
PIECE, PIECES = 32 * MiB, 129
MARK = b"behind four gigabytes"
#: seconds
PATIENCE = 300.0


def sparse_file(path: Path) -> None:
    """A file of zeros that takes no room, with MARK as its last tensor."""
    offsets = [(number * PIECE, (number + 1) * PIECE) for number in range(PIECES)]
    entries = {f"zeros.{n:03}": (start, end) for n, (start, end) in enumerate(offsets)}
    entries["mark"] = (PIECES * PIECE, PIECES * PIECE + len(MARK))
    header = json.dumps(
        {n: {"dtype": "U8", "shape": [e - s], "data_offsets": [s, e]} for n, (s, e) in entries.items()}
    ).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + PIECES * PIECE)
        file.seek(0, 2)
        file.write(MARK)


@pytest.mark.long
@requirement("WEIGHT-061")
def test_a_tensor_behind_four_gigabytes(check: Check, subject: Bench, place: Place) -> None:
    place.put("config.json", b"{}")
    path = Path(place.uri, "model.safetensors")
    sparse_file(path)
    worker = subject.worker(RUNAI_STREAMER_MEMORY_LIMIT=str(2 * PIECE))
    # each tensor is dropped when it has been digested, so that the load takes no gigabytes of memory
    answer = worker.ask("take", files=[str(path)], settings={}, deadline=PATIENCE)
    zeros = hashlib.sha256(bytes(PIECE)).hexdigest()
    right = {f"zeros.{number:03}": zeros for number in range(PIECES)}
    right["mark"] = hashlib.sha256(MARK).hexdigest()
    check.equal(
        expected=right,
        actual={tensor["name"]: tensor["sha256"] for tensor in answer["tensors"]},
        what="digests of the tensors of a file of more than 4 GiB",
    )
