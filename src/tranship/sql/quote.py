"""Names and values as SQL text. Every name and literal in composed SQL goes through here.

Sessions are pinned to ``standard_conforming_strings = on`` (``server/session.py``), so a backslash in a literal is a backslash
(PostgreSQL documentation, "String Constants").
"""

from __future__ import annotations

from collections.abc import Iterable

from tranship.model.names import TableName


def ident(name: str) -> str:
    """A name, always quoted: case, blanks, quotes and keywords are data."""
    return '"' + name.replace('"', '""') + '"'


def relation(name: TableName) -> str:
    """A schema-qualified name."""
    return f"{ident(name.schema)}.{ident(name.name)}"


def literal(value: str | None) -> str:
    """A string literal, or NULL."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def text_array(values: Iterable[str | None]) -> str:
    """A ``text[]`` literal in array syntax, quoted as one string literal."""
    return literal("{" + ",".join(_element(v) for v in values) + "}") + "::pg_catalog.text[]"


def tid_array(ctids: Iterable[str]) -> str:
    """A ``tid[]`` literal of texts like ``(12,3)``."""
    return "'{" + ",".join(f'"{ctid}"' for ctid in ctids) + "}'::pg_catalog.tid[]"


def _element(value: str | None) -> str:
    if value is None:
        return "NULL"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
