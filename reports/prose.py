"""Sentences in which `words` between backticks are code, for formats that have a way to say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CODE = re.compile(r"`([^`\n]+)`")


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is code; the backticks are gone."""
    end = 0
    for found in _CODE.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], False
        yield found[1], True
        end = found.end()
    if end < len(text):
        yield text[end:], False
