"""The report's schema for other programs: JSON Schema, draft 2020-12, made from the model's own fields.

`python -m reports.schema` writes it to reports/schema.json; a self-test holds the file and the model equal.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from reports.catalogue import Requirement
from reports.model import KINDS, SCHEMA_VERSION, AtLeast, OneOf, VerdictRecord

FILE = Path(__file__).with_name("schema.json")
NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def schema() -> dict[str, Any]:
    """What one line of a report may be: a header, a verdict, a footer or an interruption."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of a Loadproof report, version {SCHEMA_VERSION}",
        "description": (
            "A report is a file of JSON lines: one header, one verdict per check, one footer, in this order; "
            "an interrupted run's has an interruption instead of the footer, and is no result. "
            "Fields that aren't named here may come with later writers and are to be passed over."
        ),
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in KINDS],
        "$defs": {
            **{kind: _line(kind, form) for kind, form in KINDS.items()},
            "requirement": _object(Requirement),
        },
    }


def text() -> str:
    """The file's content."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def necessary(form: type[Any]) -> list[str]:
    """Names of the fields that the reader won't do without."""
    return [one.name for one in fields(form) if _is_necessary(form, one)]


def _is_necessary(form: type[Any], one: Field[Any]) -> bool:
    # The number has a default in the model only because the writer is who knows it.
    by_the_writer = form is VerdictRecord and one.name == "number"
    return by_the_writer or (one.default is MISSING and one.default_factory is MISSING)


def _line(kind: str, form: type[Any]) -> dict[str, Any]:
    made = _object(form)
    made["properties"] = {"kind": {"const": kind}, **made["properties"]}
    made["required"] = ["kind", *made["required"]]
    if kind == "header":
        made["properties"]["schema"]["const"] = SCHEMA_VERSION
    return made


def _object(form: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(form, include_extras=True)
    return {
        "description": (form.__doc__ or "").strip(),
        "type": "object",
        "properties": {one.name: _value(hints[one.name]) for one in fields(form)},
        "required": necessary(form),
    }


def _value(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        made = _value(inner)
        for note in notes:
            made |= _note(note)
        return made
    if get_origin(hint) is types.UnionType:
        return {"type": [NAMES[one] for one in get_args(hint)]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _value(get_args(hint)[0])}
    if get_origin(hint) is Mapping:
        return {"type": "object", "additionalProperties": _value(get_args(hint)[1])}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"enum": [str(one) for one in hint]}
    if is_dataclass(hint):
        return {"$ref": f"#/$defs/{hint.__name__.lower()}"}  # type: ignore[union-attr]  # it is a class
    return {} if hint is Any else {"type": NAMES[hint]}


def _note(note: object) -> dict[str, Any]:
    if isinstance(note, AtLeast):
        return {"minimum": note.value}
    if isinstance(note, OneOf):
        return {"enum": list(note.values)}
    return {"description": str(note)}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(FILE)
