"""Two ranks: each gets every tensor, and neither waits for one that fails."""

from __future__ import annotations

import datetime
import hashlib
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from fixtures.checkpoints import misaligned
from fixtures.reference import RanksDisagree, list_safetensors, runai_safetensors_weights_iterator

RANKS = 2
Job = Callable[[int, str], Any]


def everything(rank: int, folder: str) -> dict[str, str]:
    before = dict(os.environ)
    files = list_safetensors(folder)
    got = list(runai_safetensors_weights_iterator(files[::-1] if rank else files, True))
    assert dict(os.environ) == before
    return {
        name: hashlib.sha256(tensor.reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()
        for name, tensor in got
        if tensor.numel()
    }


def one_fails(rank: int, folder: str) -> str:
    files = list_safetensors(folder) if rank == 0 else [f"{folder}/gone.safetensors"]
    try:
        list(runai_safetensors_weights_iterator(files, True))
    except (FileNotFoundError, RanksDisagree) as error:
        return type(error).__name__
    return "loaded"


def alone(rank: int, folder: str) -> int:
    """One rank loads by itself; a collective would hang or fail, as the other does nothing."""
    return len(list(runai_safetensors_weights_iterator(list_safetensors(folder)))) if rank == 0 else 0


def _rank(number: int, meeting: str, job: Job, folder: str, answers: Any) -> None:
    os.environ["RUNAI_STREAMER_DIST_BUFFER_MIN_BYTESIZE"] = str(1 << 20)
    timeout = datetime.timedelta(seconds=20)
    dist.init_process_group("gloo", f"file://{meeting}", timeout, RANKS, number)
    answers.put((number, job(number, folder)))
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.parametrize("job", [everything, one_fails, alone])
def test_ranks(tmp_path: Path, job: Job) -> None:
    checkpoint = misaligned(seed=4)
    checkpoint.write(tmp_path / "model")
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    arguments = (str(tmp_path / "meeting"), job, str(tmp_path / "model"), answers)
    ranks = [context.Process(target=_rank, args=(number, *arguments), daemon=True) for number in range(RANKS)]
    for rank in ranks:
        rank.start()
    try:
        got = dict(answers.get(timeout=30) for _ in ranks)
    finally:
        for rank in ranks:
            rank.join(10)
            rank.kill()
    expected = {name: tensor.sha256 for name, tensor in checkpoint.expected.items() if tensor.nbytes}
    if job is everything:
        assert got == {0: expected, 1: expected}
    elif job is one_fails:
        assert got == {0: "RanksDisagree", 1: "NotFound"}
    else:
        assert got == {0: len(checkpoint.expected), 1: 0}
