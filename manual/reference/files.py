"""The reference of the files that tranship reads and writes, read from their types and schemas."""

from __future__ import annotations

import re
from typing import Any

from manual.reference.structs import cell, fields, head
from tranship.codec import ChangeRecord, ChangesFile
from tranship.codec.schema import resolutions_schema
from tranship.config import config_schema
from tranship.model.difference import Difference
from tranship.model.resolution import Problem
from tranship.model.verdict import (
    DatabaseInfo,
    LossCount,
    MergedRecord,
    MigrationResult,
    RejectCause,
    RejectRecord,
    Stats,
    TableResult,
)

# What only programs of the project read: the catalogs and the data behind suggestions.
_INNER = frozenset({"evidence", "catalog", "statistics", "shared_ancestor"})


def page() -> str:
    """Returns the page in Markdown."""
    config, resolutions = config_schema(), resolutions_schema()
    kinds = resolutions["$defs"]
    parts = [
        head("files.md"),
        "## Configuration",
        "[Configuration](../configuration.md) explains the keys with examples.",
        _keys(config),
        "### Keys of a database",
        _keys(config["$defs"]["database"]),
        "## Resolutions",
        "[Decisions](../decisions.md) and [Any shape](../flows.md) explain the actions with examples.",
        _keys(resolutions),
        "### Keys of an entry",
        _keys(kinds["entry"]),
        "### Keys of a pattern",
        _keys(kinds["pattern"]),
        "### Keys of a lookup",
        _keys(kinds["lookup"]),
        "## Changes",
        _fields(ChangesFile, leave_out=_INNER),
        "### A change",
        _fields(ChangeRecord),
        "## Result",
        _fields(MigrationResult),
        *_named("A table", TableResult),
        *_named("A cause of rejects", RejectCause),
        *_named("A difference", Difference),
        *_named("A problem", Problem),
        *_named("Totals", Stats),
        *_named("A database", DatabaseInfo),
        *_named("Values that were rounded or shortened", LossCount),
        "## Rejects",
        "One JSON object a line. [Rejected rows: now what?](../rejects.md) shows how to work with it.",
        _fields(RejectRecord),
        "## Merged rows",
        "One JSON object a line.",
        _fields(MergedRecord),
    ]
    return "\n\n".join(parts) + "\n"


def _named(title: str, cls: type) -> list[str]:
    return [f"### {title}", _fields(cls)]


def _fields(cls: type, *, leave_out: frozenset[str] = frozenset()) -> str:
    """Returns the keys of a type of ours as a Markdown table."""
    rows = [
        f"| `{one.name}` | {_json_type(one.type)} | {cell(one.text)} |"
        for one in fields(cls)
        if one.name not in leave_out
    ]
    return "\n".join(["| Key | Type | Meaning |", "|---|---|---|", *rows])


_JSON_TYPES = (
    (r" \| UnsetType$", "; may be absent"),
    (r" \| None\b", " or null"),
    (r"tuple\[(.*), \.\.\.\]", r"list of \1"),
    (r"dict\[str, (.*)\]", r"object with values of \1"),
    (r"Literal\[(.*)\]", r"\1"),
    (r"\bstr\b", "string"),
    (r"\bint\b", "integer"),
    (r"\bfloat\b", "number"),
    (r"\bbool\b", "boolean"),
    (r"\bRaw\b", "object"),
    (r" \| ", " or "),
)
"""How a type of Python is called in JSON."""


def _json_type(annotation: str) -> str:
    for pattern, words in _JSON_TYPES:
        annotation = re.sub(pattern, words, annotation)
    return cell(annotation)


def _keys(schema: dict[str, Any]) -> str:
    """Returns the keys of an object of a JSON Schema as a Markdown table."""
    needed = set(schema.get("required", ()))
    rows = [
        f"| `{name}`{' (required)' if name in needed else ''} | {_kind(one)} | {_text(one)} |"
        for name, one in schema["properties"].items()
    ]
    return "\n".join(["| Key | Type | Meaning |", "|---|---|---|", *rows])


def _kind(schema: dict[str, Any]) -> str:
    """Returns the type of a value in words."""
    match schema:
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"anyOf": choices}:
            return " or ".join(dict.fromkeys(_kind(one) for one in choices))
        case {"type": "array", "items": item}:
            return f"list of {_kind(item)}"
        case {"type": list(names)}:
            return " or ".join(names)
        case {"$ref": reference}:
            return f"a {reference.rpartition('/')[2]}"
        case {"type": name}:
            return str(name)
    return ""


def _text(schema: dict[str, Any]) -> str:
    return cell(str(schema.get("description", "")))
