"""Names and values as SQL text. Every name and literal in composed SQL goes through here.

Sessions are pinned to ``standard_conforming_strings = on`` (``server/session.py``), so a backslash in a
literal is just a backslash (PostgreSQL documentation, "String Constants").
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from tranship.model.names import TableName

_TOGETHER = 10_000
"""Elements of an array that are made texts together."""


def ident(name: str) -> str:
    """Returns a name in double quotes. It is always quoted, so that case, blanks, quotes and keywords are
    plain data.
    """
    return '"' + name.replace('"', '""') + '"'


def relation(name: TableName) -> str:
    """Returns a schema-qualified name, both parts quoted."""
    return f"{ident(name.schema)}.{ident(name.name)}"


def literal(value: str | None) -> str:
    """Returns a string literal, or the keyword NULL for None."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def text_array(values: Iterable[str | None]) -> str:
    """Returns a ``text[]`` as one string literal.

    One literal instead of ``ARRAY[…]``: the parser then builds one constant, not an expression for each
    element.
    """
    return literal(array_text(values)) + "::pg_catalog.text[]"


def array_text(values: Iterable[str | None]) -> str:
    """Returns an array of texts in array syntax (PostgreSQL documentation, "Array Value Input")."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    # No text of PostgreSQL holds this character, so that one search covers all of them.
    joined = "\0".join(known)
    if len(known) < len(listed) or not listed or '"' in joined or "\\" in joined:
        return "{" + ",".join(map(_element, listed)) + "}"
    return '{"' + joined.replace("\0", '","') + '"}'


def tid_array(ctids: Iterable[str]) -> str:
    """Returns a ``tid[]`` literal of ctids as the server prints them, such as ``(12,3)``. There may be
    millions, and only some are held as texts of their own.
    """
    quoted, parts = (f'"{ctid}"' for ctid in ctids), list[str]()
    while some := list(islice(quoted, _TOGETHER)):
        parts.append(",".join(some))
    return "'{" + ",".join(parts) + "}'::pg_catalog.tid[]"


def _element(value: str | None) -> str:
    # Always in double quotes: an unquoted NULL, empty string or brace would mean something else.
    if value is None:
        return "NULL"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
