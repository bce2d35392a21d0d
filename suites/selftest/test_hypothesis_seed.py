"""The seed alone decides what a property draws: a report's seed must bring back its data anywhere."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

DRAWS = """
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from reports import hypothesis_seed

hypothesis_seed.force(int(sys.argv[1]))
drawn = []


@settings(max_examples=200)
@given(st.text() | st.integers() | st.binary() | st.floats())
def draw(value):
    drawn.append(value)


draw()
print(drawn)
"""


def draws(seed: int, *, before: str = "", **environment: str) -> str:
    """What a new process draws, which has run `before`."""
    kept = {key: value for key, value in os.environ.items() if not key.endswith("CI")}
    command = [sys.executable, "-c", before + DRAWS, str(seed)]
    done = subprocess.run(command, env={**kept, **environment}, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def wanted() -> str:
    return draws(5)


def test_another_seed_draws_other_data(wanted: str) -> None:
    assert draws(6) != wanted


@pytest.mark.parametrize("name", ["CI", "GITLAB_CI", "__TOX_ENVIRONMENT_VARIABLE_ORIGINAL_CI"])
def test_continuous_integration_draws_the_same(wanted: str, name: str) -> None:
    assert draws(5, **{name: "1"}) == wanted
    assert draws(6, **{name: "1"}) != wanted


def test_other_modules_of_the_project_change_nothing(wanted: str) -> None:
    """Whose literals hypothesis takes for values that are worth a try."""
    assert draws(5, before="import fixtures.strategies, fixtures.mutations") == wanted
