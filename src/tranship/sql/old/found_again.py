"""Finds rows of OLD by the keys that the journal holds: JSON objects as ``rows.whole_rows`` writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Raw
from msgspec.json import decode
from msgspec.structs import replace

from tranship.model.catalog import Column, Table
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.shape import Shape
from tranship.model.types import PgType, TypeKind
from tranship.sql.old.objects import json_name, json_object
from tranship.sql.old.row_source import among, row_sources
from tranship.sql.old.values_written import seen_by
from tranship.sql.quote import ident

_NOT_READ = frozenset({"jsonb", "char"})
"""Built-in types with an order whose input function does not read what stands in the journal."""


def by_index(plan: TablePlan, old: Table) -> str | None:
    """Returns a query for the rows that have one of the keys in $1 (``text[]``), which reads them through
    OLD's own index; None where the JSON of the key is not what the input functions of its types read.

    Its rows: place of the key in $1 from 1, source position, ctid, and whether the row's key has the same
    text. The ``=`` of a type may call equal what is written in two ways.
    """
    columns = _key(plan, old)
    if not all(_scalar(column.type.leaf) for column in columns):
        return None
    given = ", ".join(f"{ident(column.name)} {column.type.text}" for column in columns)
    read = ", ".join(f"v.{ident(name)} AS v{n}" for n, name in enumerate(plan.key))
    keys = f"""(
        SELECT u.n, u.key, {read}
        FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS u(key, n)
        CROSS JOIN LATERAL pg_catalog.json_to_record(CAST(u.key AS pg_catalog.json)) AS v({given})) AS k"""
    on = " AND ".join(f"old.{ident(name)} OPERATOR(pg_catalog.=) k.v{n}" for n, name in enumerate(plan.key))
    written = json_object(columns)
    same = f'{written} OPERATOR(pg_catalog.=) k.key COLLATE pg_catalog."C"'
    joined = f" JOIN {keys} ON {on}"
    return " UNION ALL ".join(
        f"SELECT k.n, {number} AS source, {rows.id}, {same} AS same {rows.read(joins=joined)}"
        for number, rows in row_sources(_whole(plan))
    )


def by_text(plan: TablePlan, old: Table, encoding: str) -> str:
    """Returns a query with the same rows for the keys in $1 (``bytea[]``), which reads whole tables.

    ``encoding`` is that of the keys: UTF8, or SQL_ASCII for an OLD whose bytes may be no text.
    """
    written = f"pg_catalog.convert_to({json_object(_key(plan, old))}, '{encoding}')"
    keys = "pg_catalog.unnest($1::pg_catalog.bytea[]) WITH ORDINALITY AS k(key, n)"
    on = f"{written} OPERATOR(pg_catalog.=) k.key"
    return " UNION ALL ".join(
        f"SELECT k.n, {number} AS source, {rows.id}, true AS same {rows.read(joins=f' JOIN {keys} ON {on}')}"
        for number, rows in row_sources(_whole(plan))
    )


def others(plan: TablePlan, rows: Sequence[Locator], unseen: tuple[int, Sequence[int]]) -> str:
    """Returns a query for the old rows of a flow: how many there are (``rows``), and how many of them, the
    given ones apart, have a version that an earlier snapshot did not show (``later``).

    ``unseen`` are the transactions of `Mark.unseen`.
    """
    seen = " AND ".join(seen_by(*unseen))
    counts = []
    for number, source in row_sources(_whole(plan)):
        mine = [replace(row, item=0) for row in rows if row.source == number]
        given = f" AND NOT ({among(source, mine)})" if mine else ""
        later = f"pg_catalog.count(*) FILTER (WHERE NOT ({seen}){given})"
        counts.append(f"SELECT pg_catalog.count(*) AS n, {later} AS later {source.read()}")
    summed = "CAST(pg_catalog.sum(n) AS int8) AS rows, CAST(pg_catalog.sum(later) AS int8) AS later"
    return f"SELECT {summed} FROM ({' UNION ALL '.join(counts)}) AS r"


def _whole(plan: TablePlan) -> TablePlan:
    """Returns the plan over all old rows: what its filter does not select is left out later, and counted."""
    return replace(plan.unrestricted, shape=Shape(query=plan.shape.query))


def _key(plan: TablePlan, old: Table) -> tuple[Column, ...]:
    return tuple(column for name in plan.key if (column := old.column(name)) is not None)


def as_old_writes(key: bytes) -> bytes:
    """Returns a journalled key of a SQL_ASCII database in OLD's own bytes.

    The journal holds bytes that are no UTF-8 as ``{"$bytes": hex}``.
    """
    values = decode(key, type=dict[str, Raw])
    return b"{" + b", ".join(json_name(name).encode() + _written(v) for name, v in values.items()) + b"}"


def _written(value: Raw) -> bytes:
    if not bytes(value).startswith(b'{"$bytes"'):
        return bytes(value)
    text = bytes.fromhex(decode(value, type=dict[str, str])["$bytes"]).decode("latin-1")
    return b'"' + "".join(map(_escaped, text)).encode("latin-1") + b'"'


_ESCAPES: Mapping[str, str] = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def _escaped(character: str) -> str:
    """Returns a character as the server writes it in a JSON string."""
    return _ESCAPES.get(character) or (character if character >= " " else f"\\u{ord(character):04x}")


def _scalar(leaf: PgType) -> bool:
    if leaf.kind is TypeKind.ENUM:
        return True
    return leaf.kind is TypeKind.BASE and bool(leaf.typname) and leaf.typname not in _NOT_READ
