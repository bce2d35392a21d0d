"""The oracle is right: an independent reader agrees with it, and it is the same everywhere and for ever."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures.checkpoints import (
    DTYPES,
    INDEX_FILE,
    READY_MADE,
    Checkpoint,
    ShardSpec,
    TensorSpec,
    build,
    dtype_matrix,
    dtype_names,
    empty_shards,
    many_tiny,
    misaligned,
    names,
    one_large,
    scalars_and_empty,
    shard_name,
    sharded,
    shuffled_headers,
    single_file,
    special_values,
)

SEED = 20_261


def read_officially(checkpoint: Checkpoint, folder: Path) -> dict[str, tuple[str, tuple[int, ...], str]]:
    """Read the weight files with the safetensors library: name -> torch dtype, shape, digest of the bytes."""
    torch = pytest.importorskip("torch")
    from safetensors import safe_open

    checkpoint.write(folder)
    seen: dict[str, tuple[str, tuple[int, ...], str]] = {}
    for file in checkpoint.weight_files:
        with safe_open(folder / file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118  (safe_open isn't a mapping)
                tensor = opened.get_tensor(name)
                assert name not in seen, f"{name!r} arrives twice"
                raw = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
                dtype = str(tensor.dtype).removeprefix("torch.")
                seen[name] = (dtype, tuple(tensor.shape), hashlib.sha256(raw).hexdigest())
    return seen


def as_expected(checkpoint: Checkpoint) -> dict[str, tuple[str, tuple[int, ...], str]]:
    return {
        tensor.name: (dtype_names()[tensor.dtype], tensor.shape, tensor.sha256)
        for tensor in checkpoint.expected.values()
    }


def header_of(content: bytes) -> dict[str, dict[str, object]]:
    length = int.from_bytes(content[:8], "little")
    header: dict[str, dict[str, object]] = json.loads(content[8 : 8 + length])
    return header


@pytest.mark.parametrize("maker", READY_MADE)
def test_the_official_library_reads_what_the_oracle_expects(maker: str, tmp_path: Path) -> None:
    checkpoint = READY_MADE[maker](SEED)
    assert checkpoint.expected
    assert read_officially(checkpoint, tmp_path) == as_expected(checkpoint)


def test_a_wrong_byte_is_a_mismatch_of_its_tensor_alone(tmp_path: Path) -> None:
    right = single_file(SEED)
    content = bytearray(right.files["model.safetensors"])
    content[-1] ^= 1
    wrong = dataclasses.replace(right, files={**right.files, "model.safetensors": bytes(content)})
    seen, expected = read_officially(wrong, tmp_path), as_expected(right)
    assert [name for name in expected if seen[name] != expected[name]] == ["head.weight"]


@pytest.mark.parametrize("maker", READY_MADE)
def test_regenerated_data_match_the_digests(maker: str) -> None:
    for tensor in READY_MADE[maker](SEED).expected.values():
        data = tensor.data()
        assert len(data) == tensor.nbytes
        assert hashlib.sha256(data).hexdigest() == tensor.sha256


def test_processes_with_other_hash_seeds_build_identical_files() -> None:
    program = (
        "import hashlib\nfrom fixtures.checkpoints import READY_MADE\n"
        "for name, maker in READY_MADE.items():\n"
        "    for path, content in maker(5).files.items():\n"
        "        print(name, path, hashlib.sha256(content).hexdigest())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("0", "1", "4294967295")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) > 2 * len(READY_MADE) - 1


def test_the_data_of_a_seed_never_change() -> None:
    """A report of last year names a seed; these digests were recorded when the generator was written."""
    tensors = single_file(1).expected
    assert tensors["embed.weight"].sha256[:16] == "6bd0b3964a4dc08c"
    assert special_values(1).expected["special.c64"].sha256[:16] == "e34c7efa4d8ca440"


def test_seed_and_name_decide_the_data() -> None:
    assert single_file(1).expected["head.weight"].data() != single_file(2).expected["head.weight"].data()
    shuffled = shuffled_headers(SEED).expected
    assert shuffled["c"].shape == shuffled["d"].shape
    assert shuffled["c"].data() != shuffled["d"].data()


def test_every_type_of_torch_and_safetensors_is_there() -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import _TYPES

    assert set(_TYPES) <= set(DTYPES), "safetensors knows a type that the oracle doesn't"
    for name, attribute in dtype_names().items():
        dtype = getattr(torch, attribute)
        assert dtype.itemsize == DTYPES[name].itemsize
        assert _TYPES.get(name, dtype) == dtype
    assert {tensor.dtype for tensor in dtype_matrix(SEED).expected.values()} == set(DTYPES)


def test_f4_has_twice_the_last_dimension_in_the_header() -> None:
    checkpoint = build([ShardSpec("model.safetensors", (TensorSpec("w", "F4", (3, 2)),))], seed=0)
    assert header_of(checkpoint.files["model.safetensors"])["w"]["shape"] == [3, 4]
    assert checkpoint.expected["w"].shape == (3, 2)
    assert checkpoint.expected["w"].nbytes == 6


def test_bools_are_0_or_1_and_both() -> None:
    for checkpoint in (dtype_matrix(SEED), special_values(SEED)):
        for tensor in checkpoint.expected.values():
            if tensor.dtype == "BOOL":
                assert set(tensor.data()) == {0, 1}


def test_special_values_hold_nans_zeros_and_infinities() -> None:
    torch = pytest.importorskip("torch")
    for name in ("F64", "F32", "F16", "BF16"):
        raw = bytearray(special_values(SEED).expected[f"special.{name.lower()}"].data())
        values = torch.frombuffer(raw, dtype=getattr(torch, dtype_names()[name]))
        bits = values.view(getattr(torch, f"int{8 * values.itemsize}"))
        assert values.isinf().any()
        assert ((values == 0) & values.signbit()).any(), "no -0.0"
        assert len(bits[values.isnan()].unique()) >= 5, "too few NaN payloads"


def test_one_large_is_fast_and_larger_than_a_chunk() -> None:
    started = time.process_time()  # the processor's time, which a busy machine doesn't stretch
    checkpoint = one_large(SEED)
    seconds = time.process_time() - started
    assert checkpoint.expected["large"].nbytes == 24 * 2**20
    assert seconds < 1.0


def test_misaligned_tensors_begin_at_odd_places() -> None:
    checkpoint = misaligned(SEED)
    for file in checkpoint.weight_files:
        content = checkpoint.files[file]
        begin = 8 + int.from_bytes(content[:8], "little")
        odd = [
            name
            for name, entry in header_of(content).items()
            if (begin + entry["data_offsets"][0]) % DTYPES[str(entry["dtype"])].itemsize  # type: ignore[index]
        ]
        assert len(odd) >= 8, f"only {odd} are misaligned in {file}"


def test_headers_are_shuffled_and_zero_sizes_tie() -> None:
    checkpoint = shuffled_headers(SEED)
    for file in checkpoint.weight_files:
        entries = {k: v for k, v in header_of(checkpoint.files[file]).items() if k != "__metadata__"}
        offsets = [entry["data_offsets"] for entry in entries.values()]
        assert offsets != sorted(offsets)  # type: ignore[type-var]
    starts = [e["data_offsets"][0] for e in header_of(checkpoint.files[shard_name(1, 2)]).values()]  # type: ignore[index]
    assert len(set(starts)) <= len(starts) - 3


def test_names_counts_scalars_and_empty_shards() -> None:
    assert len(many_tiny(SEED).expected) == 2000
    assert max(len(name) for name in names(SEED).expected) >= 4000
    assert "cafe\u0301" in names(SEED).expected
    assert "caf\u00e9" in names(SEED).expected
    shapes = [tensor.shape for tensor in scalars_and_empty(SEED).expected.values()]
    assert shapes.count(()) == len(DTYPES) - 1
    empty = empty_shards(SEED)
    assert len(empty.weight_files) == 6
    bare = [file for file in empty.weight_files if not set(header_of(empty.files[file])) - {"__metadata__"}]
    assert [empty.weight_files.index(file) for file in bare] == [0, 2, 5]


def test_the_index_is_written_as_asked() -> None:
    one, two = (TensorSpec("a", "U8", (1,)),), (TensorSpec("b", "U8", (1,)),)
    single, pair = (
        [ShardSpec("x.safetensors", one)],
        [ShardSpec("x.safetensors", one), ShardSpec("sub/y.safetensors", two)],
    )
    assert INDEX_FILE not in build(single, seed=0).files
    assert INDEX_FILE in build(single, seed=0, index=True).files
    assert INDEX_FILE not in build(pair, seed=0, index=False).files
    index = json.loads(build(pair, seed=0).files[INDEX_FILE])
    assert index["weight_map"] == {"a": "x.safetensors", "b": "sub/y.safetensors"}
    assert index["metadata"]["total_size"] == 2
    assert len(json.loads(sharded(0, shards=1).files[INDEX_FILE])["weight_map"]) == 2


def test_an_unindexed_shard_is_not_expected_and_holds_other_data(tmp_path: Path) -> None:
    tensors = (TensorSpec("w", "F32", (8,)),)
    stale = ShardSpec("consolidated.safetensors", tensors, indexed=False)
    checkpoint = build([ShardSpec("model.safetensors", tensors), stale], seed=3)
    assert checkpoint.weight_files == ("model.safetensors",)
    assert read_officially(checkpoint, tmp_path) == as_expected(checkpoint)
    swapped = dataclasses.replace(checkpoint, weight_files=("consolidated.safetensors",))
    assert read_officially(swapped, tmp_path) != as_expected(checkpoint)


@pytest.mark.parametrize(
    ("shards", "index", "message"),
    [
        (
            [ShardSpec("a", (TensorSpec("w", "F32", ()),)), ShardSpec("b", (TensorSpec("w", "F32", ()),))],
            None,
            "twice",
        ),
        ([ShardSpec("a", ()), ShardSpec("a", ())], None, "path twice"),
        ([ShardSpec("../a", ())], None, "leaves"),
        ([ShardSpec("/a", ())], None, "leaves"),
        ([ShardSpec("a", (), indexed=False)], False, "no index"),
        ([ShardSpec("a", (TensorSpec("w", "F6_E2M3", (4,)),))], None, "unknown dtype"),
        ([ShardSpec("a", (TensorSpec("w", "F4", ()),))], None, "scalar"),
        ([ShardSpec("a", (TensorSpec("w", "F32", (-1,)),))], None, "impossible"),
        ([ShardSpec("a", (TensorSpec("__metadata__", "F32", ()),))], None, "impossible"),
        ([ShardSpec("a", (TensorSpec("w", "F32", (), "ones"),))], None, "fill"),
    ],
)
def test_a_contradiction_is_refused(shards: list[ShardSpec], index: bool | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(shards, seed=0, index=index)


def test_extra_files_are_written_beside_the_weights(tmp_path: Path) -> None:
    shard = ShardSpec("model.safetensors", ())
    checkpoint = build(
        [shard], seed=0, extra_files={"1_Pooling/config.json": b"{}", "config.json": b'{"a":1}'}
    )
    checkpoint.write(tmp_path)
    assert (tmp_path / "1_Pooling/config.json").read_bytes() == b"{}"
    assert (tmp_path / "config.json").read_bytes() == b'{"a":1}'
    with pytest.raises(ValueError, match="twice"):
        build([shard], seed=0, extra_files={"model.safetensors": b""})


def test_importing_the_oracle_does_not_import_torch() -> None:
    program = "import sys, fixtures.checkpoints; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True, timeout=60)


def test_a_repr_builds_the_same_checkpoint_again() -> None:
    checkpoint = shuffled_headers(SEED)
    again = eval(repr(checkpoint), {"build": build, "ShardSpec": ShardSpec, "TensorSpec": TensorSpec})
    assert again == checkpoint
    assert len(repr(many_tiny(SEED))) < 200
