"""HEADER, fifth part: lists and objects within each other, as many as the official library reads and more."""

from __future__ import annotations

import pytest

from fixtures.official import judge
from fixtures.raw_files import RawFile
from fixtures.stores import Place
from reports.marks import Check, requirement
from suites.conformance.bench import Bench
from suites.conformance.trials import Trials, assert_loaded_alike, described, in_words, is_refusal

#: levels; serde_json's bound on recursion is 128, and some of it are the header's own
DEPTHS = range(120, 132)
LEVELS = {"lists": (b"[", b"]"), "objects": (b'{"a":', b"}")}


def nested(depth: int, level: tuple[bytes, bytes]) -> RawFile:
    """One tensor of four bytes, with a field that nobody knows and that has `depth` levels."""
    opening, closing = level
    field = opening * depth + b"0" + closing * depth
    entry = b'{"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":' + field + b"}"
    return RawFile(b'{"t":' + entry + b"}", b"abcd")


def files_of(levels: str, *, refused: bool) -> dict[str, RawFile]:
    """Those that the official library refuses, or those that it loads, by the name to put them at."""
    files = {f"{depth}.safetensors": nested(depth, LEVELS[levels]) for depth in DEPTHS}
    chosen = {k: file for k, file in files.items() if (judge(file.content).refusal is not None) == refused}
    assert chosen, "the official library judges all of these depths alike"
    return chosen


@requirement("HEADER-009")
@pytest.mark.parametrize("levels", LEVELS)
def test_depths_that_load(check: Check, subject: Bench, place: Place, levels: str) -> None:
    trials = Trials(subject, place, {})
    for key, file in files_of(levels, refused=False).items():
        outcome = trials.load(key, file.content)
        assert_loaded_alike(check, trials, file, outcome)


@requirement("HEADER-011")
@pytest.mark.parametrize("levels", LEVELS)
def test_depths_that_are_refused(check: Check, subject: Bench, place: Place, levels: str) -> None:
    trials = Trials(subject, place, {})
    for key, file in files_of(levels, refused=True).items():
        outcome = trials.load(key, file.content)
        check.true(is_refusal(outcome), what=described(file), expected="an error", actual=in_words(outcome))
