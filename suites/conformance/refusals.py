"""What a refusal must be: meant, rather than an accident, and made before anything outside was touched."""

from __future__ import annotations

from pathlib import Path

from fixtures.subjects.protocol import SubjectRaised
from fixtures.witness import Witness
from reports.marks import Check

#: What Python raises where nobody thought of the input. A loader's own error says what was wrong with it.
ACCIDENTS = frozenset(
    f"builtins.{name}"
    for name in (
        "AssertionError", "AttributeError", "IndexError", "KeyError", "MemoryError", "OverflowError",
        "RecursionError", "TypeError", "UnboundLocalError", "ZeroDivisionError",
    )
)  # fmt: skip


def assert_deliberate(check: Check, error: SubjectRaised) -> None:
    """The error is one that the loader's author meant to raise."""
    __tracebackhide__ = True
    check.true(
        error.type not in ACCIDENTS,
        what="the error's type",
        expected="one that says what is wrong, no accident of the interpreter",
        actual=f"{error.type}: {error.message}",
    )


def assert_untouched(check: Check, witness: Witness, file: Path, *, what: str) -> None:
    """Nothing happened to what the witness watches; that it would have seen it, reading `file` shows."""
    __tracebackhide__ = True
    check.equal(expected=[], actual=witness.seen(), what=what)
    file.read_bytes()
    assert f"opened {file}" in witness.seen(), "the witness is blind"
