"""Every automatic mutant of the reference loader: the whole source of one module with one place changed.

Places and changes are mutmut's. Its trampolines are not used: they leave out decorated functions, properties
and what stands outside of functions, and they wrap every function of the loader under test. What is not worth
a run is left out by the rules in `reason_to_leave_out`, and counted.
"""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from reports.automatic import Mutant

PACKAGE = Path(__file__).parent.parent / "fixtures" / "reference"
#: names that hold what a message says, never what a loader decides by
WORDING = frozenset({"cause", "summary", "both", "what", "state", "DESCRIPTION"})
TEXTS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)

SAID = "wording of a message"
EXPORTED = "names for `import *`"
NO_CHANGE = "the same text"
NO_PYTHON = "no Python"
NO_DIFFERENCE = "compiles to the same code"


@dataclass(frozen=True)
class Change:
    """What mutmut would do at a place, and what stands around it, outermost first."""

    original: cst.CSTNode
    mutated: cst.CSTNode
    operator: str
    around: tuple[cst.CSTNode, ...]


class Changes(MutationVisitor):
    """mutmut's visitor, which also enters decorated functions and remembers where it is."""

    def __init__(self) -> None:
        super().__init__(mutation_operators, IgnoredCode(set(), set(), set()))
        self.found: list[Change] = []
        self._around: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        self._around.append(node)
        return super().on_visit(node)

    def on_leave(self, original_node: cst.CSTNode) -> None:
        super().on_leave(original_node)
        self._around.pop()

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        # mutmut's reason to pass by is the trampoline; here the decorator decorates the changed function
        return not isinstance(node, cst.FunctionDef) and super()._skip_node_and_children(node)

    def _create_mutations(self, node: cst.CSTNode) -> None:
        for kind, operator in self._operators:
            if isinstance(node, kind):
                name = operator.__name__.removeprefix("operator_")
                self.found += [Change(node, new, name, tuple(self._around)) for new in operator(node)]


def reason_to_leave_out(change: Change) -> str | None:
    """Why a change is not worth a run, or None.

    How a message is worded is no requirement: texts in a `raise`, an argument `cause` and all that is inside
    of it, and texts that go into a variable of such a name. That no placeholder stands in its stead is one.
    """
    if is_without(change, "cause"):
        return SAID
    in_text = in_raise = in_cause = in_name = in_all = False
    for node in change.around:
        in_raise |= isinstance(node, cst.Raise)
        in_text |= isinstance(node, TEXTS)
        if isinstance(node, cst.Arg):
            in_cause |= node.keyword is not None and node.keyword.value == "cause"
        if isinstance(node, (cst.Assign, cst.AnnAssign)) and node is not change.original:
            names = names_in(node)
            in_name |= bool(names & WORDING)
            in_all |= "__all__" in names
    if in_cause or (in_text and (in_raise or in_name)):
        return SAID
    return EXPORTED if in_all else None


def is_without(change: Change, keyword: str) -> bool:
    """Whether the change is a call that lost this argument."""
    before, after = change.original, change.mutated
    if not (
        isinstance(before, cst.Call) and isinstance(after, cst.Call) and len(after.args) < len(before.args)
    ):
        return False
    left = [one.keyword.value for one in after.args if one.keyword]
    return keyword in (one.keyword.value for one in before.args if one.keyword) and keyword not in left


def names_in(assignment: cst.Assign | cst.AnnAssign) -> set[str]:
    """The names that a plain assignment gives a value to."""
    targets = (
        [one.target for one in assignment.targets]
        if isinstance(assignment, cst.Assign)
        else [assignment.target]
    )
    return {target.value for target in targets if isinstance(target, cst.Name)}


@dataclass(frozen=True)
class Made:
    """All mutants of one module with their sources, and how many changes were left out, by reason."""

    sources: dict[Mutant, str]
    left_out: Counter[str]


def mutants_of(module: str, text: str) -> Made:
    """Raises libcst.ParserSyntaxError."""
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = Changes()
    wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    pieces = Pieces(wrapper.module)
    made = Made({}, Counter())
    seen, times = {text}, Counter[tuple[str, ...]]()
    code = compiled(text)
    for change in visitor.found:
        if reason := reason_to_leave_out(change):
            made.left_out[reason] += 1
            continue
        source = pieces.with_change(change)
        if flaw := flaw_of(source, seen, code):
            made.left_out[flaw] += 1
            continue
        seen.add(source)
        removed, added = difference(text, source)
        function, body = enclosing(change)
        times[function, removed, added] += 1
        occurrence = times[function, removed, added]
        identity = repr((module, function, removed, added, occurrence))
        mutant = Mutant(
            name=f"{module}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}",
            module=module,
            function=function,
            operator=change.operator,
            removed=removed,
            added=added,
            occurrence=occurrence,
            lines=lines_of(positions[statement_of(change)]),
            body=lines_of(positions[body]) if body is not None else None,
            binds=() if body is not None else bound(change),
        )
        made.sources[mutant] = source
    return made


class Pieces:
    """The module's statements as text, so that a change costs the rendering of one of them."""

    def __init__(self, module: cst.Module) -> None:
        self._module = module
        self._texts = [module.code_for_node(statement) for statement in module.body]
        joined = "".join(self._texts)
        self._head, middle, self._tail = module.code.partition(joined)
        assert middle, "a module is its statements, with comments before and after them"

    def with_change(self, change: Change) -> str:
        place = next(number for number, one in enumerate(self._module.body) if one is change.around[1])
        statement = deep_replace(self._module.body[place], change.original, change.mutated)
        assert isinstance(statement, cst.CSTNode)
        text = self._module.code_for_node(statement)
        return "".join((self._head, *self._texts[:place], text, *self._texts[place + 1 :], self._tail))


def flaw_of(source: str, seen: set[str], code: CodeType | None) -> str | None:
    """Why a changed source is no mutant of its own, or None."""
    if source in seen:
        return NO_CHANGE
    changed = compiled(source)
    if changed is None:
        return NO_PYTHON
    return NO_DIFFERENCE if changed == code else None


def compiled(source: str) -> CodeType | None:
    """None where Python can't read it. Equal where not even the compiler sees a difference."""
    try:
        return compile(source, "module", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None


def difference(before: str, after: str) -> tuple[str, str]:
    """The lines that went and those that came, without their indentation."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    sides = (
        "\n".join(line[1:].strip() for line in lines if line.startswith(sign)).strip("\n") for sign in "-+"
    )
    removed, added = sides
    return removed, added


def enclosing(change: Change) -> tuple[str, cst.CSTNode | None]:
    """Name of the outermost function, or of the class in whose body the change lies; the function's body."""
    names = []
    for node in change.around:
        if isinstance(node, (cst.ClassDef, cst.FunctionDef)):
            names.append(node.name.value)
        if isinstance(node, cst.FunctionDef):
            return ".".join(names), node.body
    return ".".join(names), None


def statement_of(change: Change) -> cst.CSTNode:
    """The innermost plain statement around the change; of a compound one's head the changed part alone."""
    inside_out = reversed(change.around)
    return next((node for node in inside_out if isinstance(node, cst.SimpleStatementLine)), change.original)


def bound(change: Change) -> tuple[str, ...]:
    assignments = [node for node in change.around if isinstance(node, (cst.Assign, cst.AnnAssign))]
    return tuple(sorted(set().union(*(names_in(one) for one in assignments))))


def lines_of(where: CodeRange) -> tuple[int, int]:
    return where.start.line, where.end.line


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Name -> file of every module of a package, sorted by name."""
    files = {path.relative_to(package).with_suffix("").as_posix(): path for path in package.rglob("*.py")}
    return {name.replace("/", "."): files[name] for name in sorted(files)}


def all_mutants(package: Path = PACKAGE, only: Collection[str] = ()) -> Iterator[tuple[str, Made]]:
    """Module by module; `only` names those that are wanted, none means all. Raises OSError."""
    for name, path in modules(package).items():
        if not only or name in only:
            yield name, mutants_of(name, path.read_text(encoding="utf-8"))
