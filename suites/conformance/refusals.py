"""What a refusal must be: meant, rather than an accident, and made before anything outside was touched."""

from __future__ import annotations

import sys
from pathlib import Path

from fixtures.subjects.protocol import SubjectRaised
from fixtures.witness import Witness
from reports.marks import Check

#: what Python raises for a mistake in a program. Seen by a user, it blames the parser and not the file.
PROGRAM_ERRORS = frozenset(
    f"builtins.{name}"
    for name in (
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "BufferError",
        "LookupError",
        "MemoryError",
        "NameError",
        "NotImplementedError",
        "RecursionError",
        "StopIteration",
        "SystemError",
        "TypeError",
    )
)
#: the built-in ones that speak of content, files and their ends
CONTENT_ERRORS = frozenset(f"builtins.{name}" for name in ("ValueError", "OSError", "EOFError"))


def is_typed(error: SubjectRaised) -> bool:
    """Whether the exception says by its class that the file is wrong, and not the program.

    That is a class of the loader's or its libraries' own, or one of the built-in ones for content and files;
    in either case none that descends from an error in a program. A class from Python's own modules, such as
    `struct.error`, tells no more than the built-in one that it descends from.
    """
    lineage = set(error.lineage)
    own = error.type.partition(".")[0] not in sys.stdlib_module_names | {"builtins"}
    return not lineage & PROGRAM_ERRORS and (own or bool(lineage & CONTENT_ERRORS))


def assert_deliberate(check: Check, error: SubjectRaised) -> None:
    """The error is one that the loader's author meant to raise."""
    __tracebackhide__ = True
    check.true(
        is_typed(error),
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


class Outside:
    """A folder beside the caches, under a witness, and a look at all that is made next to them."""

    #: what a bench and the checks themselves make there
    OWN = ("cache", "root", "home-", "outside")

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._file = parent / "outside" / "victim.json"
        self._file.parent.mkdir()
        self._file.write_bytes(b"untouched")
        self.witness = Witness(self._file.parent)

    def assert_untouched(self, check: Check) -> None:
        """Nothing was opened, read or changed there, and nothing made beside it."""
        __tracebackhide__ = True
        made = sorted(path.name for path in self._parent.iterdir() if not path.name.startswith(self.OWN))
        check.equal(expected=[], actual=made, what="what was made outside of the caches")
        assert_untouched(check, self.witness, self._file, what="what was touched outside")
