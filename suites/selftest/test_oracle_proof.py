"""No check gets an expectation with which the official safetensors library disagrees."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors

from fixtures.checkpoints import READY_MADE, OracleDisagrees, ShardSpec, TensorSpec, build
from fixtures.oracle import builder, container, proof
from fixtures.oracle.proof import LEDGER

ROOT = Path(__file__).parents[2]
LIBRARY = f"safetensors {safetensors.__version__}"
FILE = "model.safetensors"
TENSORS = (
    TensorSpec("first", "BF16", (3, 2)),
    TensorSpec("second", "F4", (2, 2)),
    TensorSpec("none", "U8", (0,)),
)


@pytest.fixture(autouse=True)
def _own_ledger() -> None:
    LEDGER.drain()


def two() -> None:
    build([ShardSpec(FILE, TENSORS)], seed=1)


@pytest.mark.parametrize("maker", READY_MADE)
def test_every_ready_made_checkpoint_is_proven_once(maker: str) -> None:
    READY_MADE[maker](5)
    assert LEDGER.drain() == (1, {})
    assert LEDGER.drain() == (0, {})


def changed(**values: Any) -> Callable[..., builder.ExpectedTensor]:
    """What stands in for the builder's own expectation: the second tensor's is another."""
    right = builder._expected

    def wrong(tensor: TensorSpec, raw: bytes, seed: int) -> builder.ExpectedTensor:
        made = right(tensor, raw, seed)
        return dataclasses.replace(made, **values) if tensor.name == "second" else made

    return wrong


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sha256": "0" * 64}, f"expects the sha256 {'0' * 64}, {LIBRARY} reads "),
        ({"dtype": "F8_E4M3"}, f"expects the dtype F8_E4M3, {LIBRARY} reads F4"),
        ({"shape": (4, 1)}, f"expects the shape (4, 2), {LIBRARY} reads (2, 4)"),
    ],
)
def test_a_wrong_expectation_is_named(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], says: str
) -> None:
    monkeypatch.setattr(builder, "_expected", changed(**values))
    with pytest.raises(OracleDisagrees) as raised:
        two()
    assert str(raised.value).startswith(f"{FILE}, tensor 'second': the oracle {says}")
    assert LEDGER.drain() == (0, {})


def bent(
    edit: Callable[[dict[str, Any]], object], data: Callable[[bytes], bytes] = bytes
) -> Callable[..., bytes]:
    """What stands in for the container's writer: the header or the data of its file are edited."""
    right = container.encode

    def encode(*arguments: Any, **more: Any) -> bytes:
        content = right(*arguments, **more)
        end = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:end])
        edit(header)
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + data(content[end:])

    return encode


def same(header: dict[str, Any]) -> None:
    pass


def swap(header: dict[str, Any]) -> None:
    header["first"]["dtype"] = "F16"


@pytest.mark.parametrize(
    ("encode", "says"),
    [
        (
            bent(same, lambda data: data[:-1] + bytes([data[-1] ^ 1])),
            "tensor 'second': the oracle expects the sha256",
        ),
        (bent(lambda header: header.pop("none")), "tensor 'none': only the oracle expects it"),
        (bent(lambda header: header.update(more=header["none"])), f"tensor 'more': only {LIBRARY} reads it"),
        (bent(swap), f"tensor 'first': the oracle expects the dtype BF16, {LIBRARY} reads F16"),
        (bent(same, lambda data: data[:-1]), f"{LIBRARY} refuses the oracle's {FILE}: "),
    ],
)
def test_a_wrong_file_is_named(
    monkeypatch: pytest.MonkeyPatch, encode: Callable[..., bytes], says: str
) -> None:
    monkeypatch.setattr(builder, "encode", encode)
    with pytest.raises(OracleDisagrees) as raised:
        two()
    assert says in str(raised.value) and FILE in str(raised.value)


def test_a_file_that_no_index_names_is_proven_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = ShardSpec("stale.safetensors", TENSORS, indexed=False)
    build([ShardSpec(FILE, TENSORS[:1]), stale], seed=1)
    assert LEDGER.drain() == (1, {})
    monkeypatch.setattr(builder, "_expected", changed(sha256="0" * 64))
    with pytest.raises(OracleDisagrees, match="stale.safetensors, tensor 'second'"):
        build([ShardSpec(FILE, TENSORS[:1]), stale], seed=1)


class OlderLibrary:
    """The library of a time before F4: it refuses whatever names the type."""

    SafetensorError = safetensors.SafetensorError
    __version__ = "0.5.0"

    @staticmethod
    def deserialize(content: bytes) -> Any:
        if b'"F4"' in content:
            raise safetensors.SafetensorError("unknown variant `F4`")
        return safetensors.deserialize(content)


def test_what_the_library_cannot_know_is_counted_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", OlderLibrary)
    for cached in (proof._is_known, proof._library):
        cached.cache_clear()
    try:
        two()
        build([ShardSpec(FILE, TENSORS[:1])], seed=1)
        assert LEDGER.drain() == (1, {"safetensors 0.5.0 doesn't know F4": 1})
        # an excuse only for the type itself: what else is wrong is wrong
        monkeypatch.setattr(builder, "encode", bent(same, lambda data: data[:-1]))
        with pytest.raises(OracleDisagrees, match="safetensors 0.5.0 refuses"):
            build([ShardSpec(FILE, TENSORS[:1])], seed=1)
    finally:
        for cached in (proof._is_known, proof._library):
            cached.cache_clear()


BROKEN = """
import dataclasses
from fixtures.oracle import builder

right = builder._expected

def wrong(tensor, raw, seed):
    made = right(tensor, raw, seed)
    return dataclasses.replace(made, sha256="0" * 64) if tensor.name == "layers.7.weight" else made

builder._expected = wrong
"""


def test_a_broken_oracle_is_an_error_of_its_check_and_no_failure(tmp_path: Path) -> None:
    """A whole run: the check whose expectation is wrong, and another one beside it."""
    (tmp_path / "broken_oracle.py").write_text(BROKEN)
    report = tmp_path / "report.jsonl"
    weights = "suites/conformance/test_weights.py"
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"{weights}::test_random_bits",
        f"{weights}::test_names",
        "-n",
        "0",
    ]
    command += [
        "-p",
        "broken_oracle",
        "-p",
        "no:cacheprovider",
        "--subjects",
        "suites/selftest/adapters/plain.py",
    ]
    command += ["--stores", "disk", "--report", str(report)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    verdicts = {line["requirement"]: line for line in lines if line["kind"] == "verdict"}
    assert done.returncode == 1, done.stdout
    wrong, fine = verdicts["WEIGHT-006"], verdicts["WEIGHT-001"]
    assert (wrong["verdict"], fine["verdict"]) == ("ERROR", "PASS")
    says = "OracleDisagrees: model.safetensors, tensor 'layers.7.weight': the oracle expects the sha256 000"
    assert wrong["message"].startswith(says)
    assert wrong["comparisons"] == 0  # the subject wasn't asked
    assert (lines[-1]["proven"], lines[-1]["unreadable"]) == (1, {})
    assert lines[-1]["reasons"] == ["1 check ended in ERROR"]
    assert "oracle: safetensors reads 1 checkpoint as expected" in done.stdout
