"""A fresh process for every check is affordable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fixtures.subjects.client import SubjectServer, spec_of

#: seconds, on two cores: a thousand checks then spend less than four minutes on starting
AFFORDABLE = 0.2


@pytest.fixture
def server() -> Iterator[SubjectServer]:
    server = SubjectServer(spec_of(str(Path(__file__).with_name("adapters") / "safetensors_mmap.py")))
    yield server
    server.stop()


def test_a_fresh_worker_until_its_first_answer(server: SubjectServer, benchmark: BenchmarkFixture) -> None:
    def start_ask_and_end() -> None:
        with server.worker({}) as worker:
            seen.append(worker.ask("environment")["HOME"])

    seen: list[str] = []
    benchmark.pedantic(start_ask_and_end, rounds=20, warmup_rounds=1)
    assert len(set(seen)) == 21
    assert benchmark.stats is not None
    assert benchmark.stats.stats.median <= AFFORDABLE
