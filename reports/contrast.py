"""Where two texts that stand below each other differ, so that the eye needn't look for it."""

from __future__ import annotations

import re
from itertools import takewhile

Piece = tuple[str, bool]
"""A part of a text, and whether it differs."""


def contrast(expected: str, actual: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces: what they begin and end with alike, and in between what differs.

    Whole words only; texts that have no word in common, or all of them, are one piece that isn't marked.
    """
    left, right = re.findall(r"\s+|\S+", expected), re.findall(r"\s+|\S+", actual)
    start = _alike(left, right)
    end = _alike(left[start:][::-1], right[start:][::-1])
    common = "".join(left[:start] + left[len(left) - end :])
    if expected == actual or not common.strip():
        return [(expected, False)], [(actual, False)]
    return _pieces(left, start, end), _pieces(right, start, end)


def _alike(left: list[str], right: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _pieces(words: list[str], start: int, end: int) -> list[Piece]:
    stop = len(words) - end
    parts = [(words[:start], False), (words[start:stop], True), (words[stop:], False)]
    return [("".join(part), differs) for part, differs in parts if part]
