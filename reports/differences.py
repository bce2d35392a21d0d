"""How two values are shown side by side, so that their difference is seen however long they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

SHOWN = 600
"""Characters of a value that a report shows: enough for a list of names, short of a tensor's bytes."""


def first_difference(expected: object, actual: object) -> int | None:
    """Offset of the first differing byte of two byte strings (the shorter one's end counts), else None."""
    if not isinstance(expected, (bytes, bytearray, memoryview)) or not isinstance(
        actual, (bytes, bytearray, memoryview)
    ):
        return None
    left, right = bytes(expected), bytes(actual)
    if left == right:
        return None
    low, high = 0, min(len(left), len(right))  # bisect: comparing slices is far faster than a loop over bytes
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def shown(value: object, offset: int | None = None, clean: Callable[[str], str] | None = None) -> str:
    """The value as a report shows it: long ones are cut, byte strings around the first difference.

    `clean` takes out of the whole text what nobody should read, before it is cut.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        if len(data) <= 32:
            return f"bytes {data.hex(' ')}"
        start = max(0, (offset or 0) - 8)
        return f"{len(data)} bytes, from byte {start} on: {data[start : start + 24].hex(' ')}"
    text = repr(value) if clean is None else clean(repr(value))
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}… ({len(text)} characters)"


def difference(expected: object, actual: object) -> str | None:
    """In words, where two collections or texts differ first; None where showing both says it."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        changed = [key for key in expected if key in actual and expected[key] != actual[key]]
        return _members(set(expected), set(actual)) or (
            _at("key", changed[0], expected, actual) if changed else None
        )
    if isinstance(expected, (set, frozenset)) and isinstance(actual, (set, frozenset)):
        return _members(set(expected), set(actual))
    if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
        if len(expected) != len(actual):
            index = next((i for i, (a, b) in enumerate(zip(expected, actual, strict=False)) if a != b), None)
            where = "" if index is None else f", first differing at index {index}"
            return f"{len(expected)} items expected, {len(actual)} came{where}"
        index = next((i for i, (a, b) in enumerate(zip(expected, actual, strict=True)) if a != b), None)
        return (
            None if index is None else _at("index", index, dict(enumerate(expected)), dict(enumerate(actual)))
        )
    if isinstance(expected, str) and isinstance(actual, str) and max(len(expected), len(actual)) > SHOWN:
        index = first_difference(
            expected.encode("utf-8", "surrogatepass"), actual.encode("utf-8", "surrogatepass")
        )
        return None if index is None else f"byte {index} of the UTF-8 text"
    return None


def _at(kind: str, key: object, expected: Mapping[object, object], actual: Mapping[object, object]) -> str:
    return f"{kind} {key!r}: expected {shown(expected[key])}, actual {shown(actual[key])}"


def _members(expected: set[object], actual: set[object]) -> str | None:
    parts = []
    for word, members in (("missing", expected - actual), ("unexpected", actual - expected)):
        if members:
            parts.append(f"{word} ({len(members)}): {shown(sorted(members, key=repr))}")
    return "; ".join(parts) or None
