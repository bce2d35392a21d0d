"""The ways of consuming tell loaders apart that are wrong at one time only."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fixtures.subjects.consumers import WAYS
from fixtures.subjects.worker import consumption

Stream = Iterator[tuple[str, "Buffer"]]
NAMES = ("a", "b", "c")
#: ways that see a tensor before the next one is asked for
BEFORE_THE_NEXT = {"at_once", "slow"}


class Buffer:
    """Stands in for a tensor: what it holds when it is copied is what a consumer gets."""

    def __init__(self, content: str) -> None:
        self.content = content

    def clone(self) -> str:
        return self.content


def right() -> Stream:
    for name in NAMES:
        yield name, Buffer(name)


def reused() -> Stream:
    buffer = Buffer("")
    for name in NAMES:
        buffer.content = name
        yield name, buffer


def filled_late() -> Stream:
    for name in NAMES:
        buffer = Buffer("empty")
        yield name, buffer
        buffer.content = name


def is_right(way: str, stream: Callable[[], Stream]) -> bool:
    return dict(WAYS[way](stream())) == {name: name for name in NAMES}


@pytest.mark.parametrize("way", WAYS)
def test_a_right_loader_is_right_in_every_way(way: str) -> None:
    assert is_right(way, right)


@pytest.mark.parametrize("way", WAYS)
def test_a_reused_buffer_shows_once_the_next_is_asked_for(way: str) -> None:
    assert is_right(way, reused) == (way in BEFORE_THE_NEXT)


@pytest.mark.parametrize("way", WAYS)
def test_a_late_copy_shows_before_the_next_is_asked_for(way: str) -> None:
    assert is_right(way, filled_late) == (way not in BEFORE_THE_NEXT)


def test_the_subject_never_sees_the_setting() -> None:
    settings = {"consume": "slow", "device": "cpu"}
    _, plain = consumption(settings)
    assert plain == {"device": "cpu"}
    assert settings == {"consume": "slow", "device": "cpu"}


def test_an_unknown_way_is_the_suites_mistake() -> None:
    with pytest.raises(KeyError, match="backwards"):
        consumption({"consume": "backwards"})
