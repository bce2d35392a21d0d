"""HEADER, fourth part: headers that end where a reader's first read may end."""

from __future__ import annotations

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build
from fixtures.stores import Place
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.tensors import assert_same_tensors, place_checkpoint, tensors_of

#: bytes: what readers take first, or at once, as far as known
READS = (65_536, 100_000, 1 << 20, 3 << 20)
#: the prefix that states a header's length
PREFIX = 8


def lengths() -> list[int]:
    """Headers that end at each read and just behind it, whether or not the reader counts the prefix."""
    ends = (-PREFIX, -PREFIX + 1, 0, 1)
    return [read + end for read in READS for end in ends]


def with_header_of(length: int) -> ShardSpec:
    """A shard of one tensor, whose header has exactly `length` bytes."""

    def shard(notes: int) -> ShardSpec:
        tensor = TensorSpec(f"weight.{length}", "F32", (3,))
        name = f"{length:08d}.safetensors"
        return ShardSpec(name, (tensor,), {"notes": "x" * notes}, header_residue=length % 8)

    return shard(length - header_length(build([shard(0)], seed=0)))


def header_length(checkpoint: Checkpoint) -> int:
    (file,) = checkpoint.weight_files
    return int.from_bytes(checkpoint.files[file][:PREFIX], "little")


@requirement("HEADER-020")
def test_headers_of_telling_lengths(check: Check, subject: Bench, place: Place, seed: int) -> None:
    shards = [with_header_of(length) for length in lengths()]
    checkpoint = build(shards, seed=seed, index=False)
    for length, file in zip(lengths(), (shard.file for shard in shards), strict=True):
        assert int.from_bytes(checkpoint.files[file][:PREFIX], "little") == length
    files = place_checkpoint(place, checkpoint)
    where = f"of files whose headers have {lengths()} bytes"
    answer = tensors_of(check, subject.shared, files, where=where)
    assert_same_tensors(check, subject.shared, expected=checkpoint.expected, actual=answer)
