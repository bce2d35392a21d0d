"""Which test functions say that they check a requirement, read from their source without running it."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

TIERS = ("quick", "long")
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Claimant:
    """A test function, and what marks it beside its requirement."""

    file: Path
    line: int
    name: str  # with its class in front: Class::test_x
    tiers: tuple[str, ...]


def claims(folder: Path) -> dict[str, list[Claimant]]:
    """Claimants by requirement, in the order of the files. Raises OSError, SyntaxError and ValueError."""
    found: defaultdict[str, list[Claimant]] = defaultdict(list)
    for file in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(file.read_bytes(), filename=str(file))
        _visit(tree, file, "", [], found)
    return dict(found)


def _visit(
    node: ast.AST, file: Path, within: str, inherited: list[ast.expr], found: dict[str, list[Claimant]]
) -> None:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _Definition):
            continue
        marks = [*inherited, *child.decorator_list]
        name = f"{within}{child.name}"
        if isinstance(child, ast.ClassDef):
            _visit(child, file, f"{name}::", marks, found)
        elif child.name.startswith("test"):
            tiers = tuple(tier for tier in TIERS if any(_last_name(mark) == tier for mark in marks))
            for identity in filter(None, map(_requirement, marks)):
                found[identity].append(Claimant(file, child.lineno, name, tiers))


def _requirement(mark: ast.expr) -> str | None:
    if isinstance(mark, ast.Call) and _last_name(mark.func) == "requirement" and mark.args:
        value = mark.args[0]
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None


def _last_name(mark: ast.expr) -> str | None:
    if isinstance(mark, ast.Attribute):
        return mark.attr
    return mark.id if isinstance(mark, ast.Name) else None
