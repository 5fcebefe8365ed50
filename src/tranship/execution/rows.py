"""Whole old rows for the rejects: read through COPY as bytes, kept as JSON whatever encoding they are in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import asyncpg

from tranship.execution.copy import read_lines
from tranship.model.catalog import Table
from tranship.model.plan import TablePlan
from tranship.model.progress import RowId
from tranship.model.types import PgType, TypeKind
from tranship.server.journal import row_id
from tranship.sql.rows import select_rows

CHUNK = 5000
"""Rows fetched by one TID scan."""
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8", "oid"})
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?\Z")
_JSON = frozenset({"json", "jsonb"})


async def old_rows(old: asyncpg.Connection, plan: TablePlan, table: Table, rows: Sequence[RowId]) -> dict[RowId, tuple[bytes | None, bytes]]:
    """Key and whole row of each, as UTF-8 JSON objects; the key is None for a table without one. ``old`` reads on the snapshot."""
    names = [c.name for c in table.columns]
    found: dict[RowId, tuple[bytes | None, bytes]] = {}
    for number, source in enumerate(plan.sources):
        wanted = [r for r in rows if r.source == number]
        for start in range(0, len(wanted), CHUNK):
            select = select_rows(source, names, wanted[start : start + CHUNK])
            for line in await read_lines(old, select):
                ctid, *fields = split_line(line)
                values = {c.name: json_text(field, c.type) for c, field in zip(table.columns, fields, strict=True)}
                key = json_object({k: values[k] for k in plan.key}) if plan.key else None
                found[row_id(number, (ctid or b"").decode())] = (key, json_object(values))
    return found


def split_line(line: bytes) -> list[bytes | None]:
    """The fields of one line of text COPY, unescaped; None for ``\\N``."""
    return [None if field == rb"\N" else _unescaped(field) for field in line.removesuffix(b"\n").split(b"\t")]


def _unescaped(field: bytes) -> bytes:
    if b"\\" not in field:
        return field
    return _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), field)


def json_text(field: bytes | None, pg_type: PgType) -> str:
    """One value as JSON text: numbers and booleans as such, json as it stands, everything else as the server's text."""
    if field is None:
        return "null"
    try:
        text = field.decode()
    except UnicodeDecodeError:
        return json.dumps({"$bytes": field.hex()})
    leaf = pg_type.leaf
    base = leaf.name.name if leaf.kind is TypeKind.BASE and leaf.name is not None and leaf.name.schema == "pg_catalog" else ""
    if base == "bool":
        return "true" if text == "t" else "false"
    if base in _NUMBERS and _NUMBER.match(text):
        return text
    if base in _JSON and _is_json(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def json_object(values: dict[str, str]) -> bytes:
    """An object of values that are JSON text already."""
    return ("{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {text}" for name, text in values.items()) + "}").encode("utf-8", "surrogatepass")

