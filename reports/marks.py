"""What a check is written with: its requirement, its comparisons, and the ways out that aren't failures."""

from __future__ import annotations

import pytest

from reports.differences import first_difference, shown

requirement = pytest.mark.requirement
"""`@requirement("CACHE-003")`: the one requirement that a test function checks."""


class Mismatch(AssertionError):
    """The subject's answer differs from the right one. The verdict is FAIL."""

    def __init__(
        self,
        *,
        what: str,
        expected: object,
        actual: object,
        tensor: str | None = None,
        offset: int | None = None,
    ) -> None:
        """`offset`: the first differing byte, counted from the start of `tensor`'s data (or of the value)."""
        self.what = what
        self.expected = expected
        self.actual = actual
        self.tensor = tensor
        self.offset = offset
        where = f", first at byte {offset}" if offset is not None else ""
        of_tensor = f" [tensor {tensor}]" if tensor is not None else ""
        super().__init__(
            f"{what} is {shown(actual, offset)}, but should be {shown(expected, offset)}{where}{of_tensor}"
        )


class NotRun(Exception):
    """Something outside the suite is missing. The verdict is NOT-RUN."""

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; remedy: {remedy}")


class Unsupported(Exception):
    """The subject says that it can't. The verdict is UNSUPPORTED."""

    def __init__(self, state: str) -> None:
        """`state`: the subject's own word for the capability, such as "not implemented"."""
        self.state = state
        super().__init__(state)


class Check:
    """Compares and counts. A check that passes with a count of 0 is an ERROR."""

    def __init__(self) -> None:
        self.comparisons = 0

    def equal(
        self,
        *,
        expected: object,
        actual: object,
        what: str,
        tensor: str | None = None,
        offset: int | None = None,
    ) -> None:
        """Raises Mismatch unless both are equal; a bool never equals a number.

        The first differing `offset` is found here for byte strings; whoever compares digests may give it.
        """
        __tracebackhide__ = True
        self.comparisons += 1
        same_kind = isinstance(expected, bool) == isinstance(actual, bool)
        if not (same_kind and expected == actual):
            offset = first_difference(expected, actual) if offset is None else offset
            raise Mismatch(what=what, expected=expected, actual=actual, tensor=tensor, offset=offset)

    def true(
        self,
        condition: bool,
        *,
        what: str,
        expected: object,
        actual: object,
        tensor: str | None = None,
        offset: int | None = None,
    ) -> None:
        """Raises Mismatch unless the condition holds; `expected` says in words what would have been right."""
        __tracebackhide__ = True
        self.comparisons += 1
        if not condition:
            raise Mismatch(what=what, expected=expected, actual=actual, tensor=tensor, offset=offset)
