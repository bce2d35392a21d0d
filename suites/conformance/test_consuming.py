"""WEIGHT, third part: the same weights in whatever way an engine takes them from the iterator."""

from __future__ import annotations

from fixtures.checkpoints import Checkpoint, ShardSpec, TensorSpec, build, shard_name
from fixtures.stores import Place
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.tensors import assert_same_tensors, place_checkpoint
from suites.conformance.test_weights import build_varied

#: a batch for each of the larger tensors, so that the buffer is filled again and again
SMALL = {"RUNAI_STREAMER_MEMORY_LIMIT": "0"}


def assert_consumed(check: Check, subject: Bench, place: Place, checkpoint: Checkpoint, consume: str) -> None:
    __tracebackhide__ = True
    files = place_checkpoint(place, checkpoint)
    worker = subject.worker(**SMALL)
    answer = worker.ask("tensors", files=files, settings={"consume": consume})
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)


@requirement("WEIGHT-029")
def test_complete_when_handed_out(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_consumed(check, subject, place, build_varied(seed), "at_once")


@requirement("WEIGHT-030")
def test_a_slow_consumer(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_consumed(check, subject, place, build_varied(seed), "slow")


@requirement("WEIGHT-031")
def test_copies_in_threads(check: Check, subject: Bench, place: Place, seed: int) -> None:
    assert_consumed(check, subject, place, build_varied(seed), "threads")


@requirement("WEIGHT-032")
def test_pairs_in_different_batches(check: Check, subject: Bench, place: Place, seed: int) -> None:
    # 16 KiB for each weight, a batch of its own: every scale comes in another one
    expert = "model.layers.{}.mlp.experts.{}.{}_proj.{}"
    parts = [
        (layer, number, part) for layer in (0, 1) for number in (0, 1) for part in ("gate", "up", "down")
    ]
    weights = tuple(TensorSpec(expert.format(*one, "weight"), "F8_E4M3", (128, 128)) for one in parts)
    scales = tuple(TensorSpec(expert.format(*one, "weight_scale_inv"), "F32", (1, 1)) for one in parts)
    apart = [ShardSpec(shard_name(1, 2), weights + scales[6:]), ShardSpec(shard_name(2, 2), scales[:6])]
    checkpoint = build(apart, seed=seed)
    files = place_checkpoint(place, checkpoint)
    worker = subject.worker(**SMALL)
    answer = worker.ask("tensors", files=files, settings={})
    assert_same_tensors(check, worker, expected=checkpoint.expected, actual=answer)
