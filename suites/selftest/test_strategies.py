"""The strategies make what they promise, and shrink to what a person can read."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from fixtures.checkpoints import DTYPES, INDEX_FILE, Checkpoint, TensorSpec
from fixtures.strategies import (
    Address,
    addresses,
    checkpoints,
    lookalike_uris,
    metadata_trees,
    model_prefixes,
    object_uris,
    tensor_specs,
)
from suites.selftest.test_checkpoints import as_expected, read_officially

# deterministic and without a database of examples: a self-test that fails must fail for everybody
# and for no reason but the strategy, so neither deadlines nor health checks that a busy machine trips
STEADY = settings(
    database=None, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
SHRINK = settings(STEADY, max_examples=2000, phases=(Phase.generate, Phase.shrink))
CHECK = settings(STEADY, max_examples=60)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_failure_with_one_dtype_shrinks_to_one_tiny_tensor(dtype: str) -> None:
    def shows(checkpoint: Checkpoint) -> bool:
        return any(t.dtype == dtype and t.nbytes for t in checkpoint.expected.values())

    shape = "(1,)" if dtype == "F4" else "()"
    assert repr(find(checkpoints(), shows, settings=SHRINK)) == (
        "build([ShardSpec(file='model.safetensors', tensors=("
        f"TensorSpec(name='weight', dtype={dtype!r}, shape={shape}),))], seed=0)"
    )


def test_a_failure_with_two_shards_shrinks_to_two_scalars() -> None:
    def shows(checkpoint: Checkpoint) -> bool:
        return len(checkpoint.weight_files) == 2 and INDEX_FILE in checkpoint.files

    found = find(checkpoints(), shows, settings=SHRINK)
    assert sorted(found.expected) == ["bias", "weight"]
    assert {(t.dtype, t.shape) for t in found.expected.values()} == {("F32", ())}


def test_the_other_strategies_shrink_to_plain_words() -> None:
    assert find(tensor_specs(), lambda _: True, settings=SHRINK) == TensorSpec("weight", "F32", ())
    assert find(object_uris(), lambda uri: uri.startswith("gs"), settings=SHRINK) == "gs://bucket/model"
    assert find(object_uris(), lambda uri: uri.endswith("/"), settings=SHRINK) == "s3://bucket/model/"
    assert find(model_prefixes(), lambda prefix: "/" in prefix, settings=SHRINK) == "model/model"
    assert find(metadata_trees(), lambda _: True, settings=SHRINK) == {"config.json": b"{}"}
    nested = find(metadata_trees(), lambda tree: any("/" in key for key in tree), settings=SHRINK)
    assert len(nested) == 2
    assert set(nested.values()) == {b"{}"}


@CHECK
@given(checkpoint=checkpoints())
def test_the_official_library_reads_any_checkpoint(
    checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("any")
    assert read_officially(checkpoint, folder) == as_expected(checkpoint)


@CHECK
@given(checkpoint=checkpoints(max_tensors=2, dtypes=("BF16", "U8")))
def test_limits_are_kept(checkpoint: Checkpoint) -> None:
    assert 1 <= len(checkpoint.expected) <= 2
    assert {tensor.dtype for tensor in checkpoint.expected.values()} <= {"BF16", "U8"}


@CHECK
@given(uri=object_uris())
def test_object_uris_have_a_scheme_a_bucket_and_a_key(uri: str) -> None:
    scheme, rest = uri.split("://", 1)
    bucket, key = rest.split("/", 1)
    assert scheme.lower() in ("s3", "gs", "az")
    assert bucket
    assert key.strip("/")


@settings(CHECK, max_examples=300)
@given(text=lookalike_uris())
def test_lookalikes_are_no_object_uris(text: str) -> None:
    assert not text.lower().startswith(("s3://", "gs://", "az://"))


@CHECK
@given(tree=metadata_trees())
def test_metadata_trees_can_lie_on_a_disk(tree: dict[str, bytes]) -> None:
    assert "config.json" in tree
    folders = {str(parent) for key in tree for parent in PurePosixPath(key).parents}
    assert not folders & set(tree)
    for key in tree:
        parts = key.split("/")
        assert all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)
        assert not key.lower().endswith((".safetensors", ".bin", ".pt", ".pth", ".gguf", ".onnx", ".tensors"))


@pytest.mark.parametrize(
    "text", ["s3:/bucket/model", "s3a://bucket/model", "C:\\models\\model", "", "ſ3://bucket/model"]
)
def test_the_telling_lookalikes_can_be_drawn(text: str) -> None:
    assert find(lookalike_uris(), lambda drawn: drawn == text, settings=SHRINK) == text


@CHECK
@given(addresses())
def test_an_address_is_made_of_its_parts(address: Address) -> None:
    scheme, _, rest = address.text.partition("://")
    assert scheme.lower() == address.scheme
    assert rest.rstrip("/") == f"{address.bucket}/{address.key}".rstrip("/")
    assert "/" not in address.bucket and not address.key.startswith("/") and not address.key.endswith("/")


def test_a_failure_with_any_address_shrinks_to_the_plainest() -> None:
    assert find(addresses(), lambda _: True, settings=SHRINK) == Address(
        "s3://bucket/model", "s3", "bucket", "model"
    )
