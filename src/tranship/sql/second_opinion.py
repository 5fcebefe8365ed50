"""What the second opinion reads of both databases. It imports nothing of what copies or hashes rows
(an import contract of ``lint``), so that no fault of theirs is one of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Lookup
from tranship.model.plan import Source, TablePlan
from tranship.model.types import PgType, TypeKind
from tranship.sql.quote import ident, literal, relation, text_array, tid_array

_ORDERED = frozenset(
    {
        *(Family.INTEGER, Family.NUMERIC, Family.FLOAT, Family.STRING),
        *(Family.DATE, Family.TIME, Family.TIMESTAMP, Family.INTERVAL),
    }
)
"""Families of which the least and the greatest value is an edge."""
_LONG = frozenset({Family.NUMERIC, Family.STRING, Family.BYTES, Family.JSON})
"""Families whose values have texts of different lengths, of which the longest is an edge."""
MOST_CHARACTERS = 20_000
"""Of a longer text only so much and one more is read, so that 200 rows of large documents fit into memory."""
_STORED_BYTES = 2_000
"""Larger values are stored elsewhere (TOAST); to read those of a whole table would take as long as to copy
them, so that none of them is a least or greatest value. Which is the longest is said by what is stored.
"""
_SEED = 0
"""Of TABLESAMPLE: both parts of one statement read the same pages, and a resumed run the same rows."""


class OldRead(Struct, frozen=True):
    """Which rows of one heap of OLD are looked at."""

    plan: TablePlan
    source: Source
    percent: float
    """Of its pages."""
    only: tuple[str, ...] = ()
    """SQL of further conditions."""

    @property
    def heap(self) -> str:
        """The heap with the alias ``old``."""
        if self.source.through_root:
            return f"{relation(self.source.root)} AS old"
        return f"ONLY {relation(self.source.relation)} AS old"

    @property
    def where(self) -> str:
        """The rows that the flow takes, and that meet the further conditions."""
        shape, conditions = self.plan.shape, list(self.only)
        if self.source.through_root:
            conditions.append(f"old.tableoid = {self.source.oid}")
        if shape.filter is not None and shape.filter.where:
            # On lines of its own, so that a comment at its end does not swallow the parenthesis.
            conditions.append(f"(\n{shape.filter.where}\n)")
        return " AND ".join(conditions or ["true"])

    def sampled(self, percent: float) -> str:
        """Returns FROM and WHERE of the rows in so much of its pages."""
        sample = f" TABLESAMPLE SYSTEM ({percent:.6f}) REPEATABLE ({_SEED})" if percent < 100 else ""
        return f"FROM {self.heap}{sample} WHERE {self.where}"


class Edge(NamedTuple):
    """A column of OLD whose edges are looked for."""

    column: Column
    mapped: tuple[str, ...] = ()
    """Values that a mapping names."""


def edge_rows(read: OldRead, edges: Sequence[Edge]) -> str:
    """Returns a query for one row: an array of the ctids of a row for each edge of these columns, NULL where
    there is none.
    """
    found = [_looked_for(n, edge) for n, edge in enumerate(edges)]
    bounds = [one for ends, _ in found for one in ends]
    wanted = [one for _, conditions in found for one in conditions]
    rows = read.sampled(read.percent)
    first = 'pg_catalog.min(CAST(old.ctid AS pg_catalog.text) COLLATE pg_catalog."C")'
    each = ", ".join(f"{first} FILTER (WHERE {condition})" for condition in wanted)
    heap, _, where = rows.partition(" WHERE ")
    ends = f"(SELECT {', '.join(bounds) or 'true AS none'} {rows}) AS e"
    return f"SELECT ARRAY[{each}] AS ids {heap}, {ends} WHERE {where}"


def _looked_for(n: int, edge: Edge) -> tuple[list[str], list[str]]:
    """Returns SQL for what is computed first of a column, named by its position, and the conditions of rows
    at its edges.
    """
    value, leaf = f"old.{ident(edge.column.name)}", edge.column.type.leaf
    bounds, wanted = list[str](), [f"{value} IS NULL"]
    shown, stored = f"CAST({value} AS pg_catalog.text)", f"pg_catalog.pg_column_size({value})"
    short = f"CASE WHEN {stored} <= {_STORED_BYTES} THEN {value} END"
    ordered = f'({short}) COLLATE pg_catalog."C"' if leaf.family is Family.STRING else value
    # Until version 12 the type name had no collation.
    if leaf.family in _ORDERED and leaf.typname not in ("char", "name"):
        bounds += [f"pg_catalog.{end}({ordered}) AS {end}{n}" for end in ("min", "max")]
        wanted += [f"{ordered} = e.{end}{n}" for end in ("min", "max")]
    if leaf.family in _LONG:
        length = f"pg_catalog.octet_length({shown})" if leaf.family is Family.NUMERIC else stored
        bounds.append(f"pg_catalog.max({length}) AS long{n}")
        wanted.append(f"{length} = e.long{n}")
    match leaf.family:
        case Family.STRING:
            wanted.append(f"{shown} = ''")
        case Family.BYTES:
            wanted.append(f"pg_catalog.octet_length({value}) = 0")
        case _:
            pass
    named = (*edge.mapped, *_labels(leaf), *_truths(leaf))
    return bounds, wanted + [f"{shown} = {literal(key)}" for key in named]


def _labels(pg_type: PgType) -> tuple[str, ...]:
    return pg_type.leaf.labels[:100] if pg_type.leaf.kind is TypeKind.ENUM else ()


def _truths(pg_type: PgType) -> tuple[str, ...]:
    return ("true", "false") if pg_type.leaf.family is Family.BOOLEAN else ()


def drawn_rows(read: OldRead, percent: float, rows: int) -> str:
    """Returns a query for the ctids (``id``) of at most so many rows, drawn by a hash from some pages."""
    drawn = "pg_catalog.md5(CAST(old.ctid AS pg_catalog.text))"
    shown = "CAST(old.ctid AS pg_catalog.text) AS id"
    return f"SELECT {shown} {read.sampled(percent)} ORDER BY {drawn} LIMIT {rows}"


def others_than(read: OldRead) -> str:
    """Returns a query for the number of rows in those pages that the flow takes, and that do not meet the
    further conditions.
    """
    every = replace(read, only=())
    return f"SELECT pg_catalog.count(*) {every.sampled(read.percent)} AND NOT ({' AND '.join(read.only)})"


def old_texts(read: OldRead, parts: Sequence[tuple[str, bool]], ids: Iterable[str] | None) -> str:
    """Returns a query for the rows with these ctids, or for all: ``id`` and the texts ``v`` of columns. Of a
    ``True`` one the wall-clock time is printed with the offset that the session's time zone has then.
    """
    texts = ", ".join(_text(f"old.{ident(name)}", as_moment=moment) for name, moment in parts)
    chosen = f"old.ctid = ANY ({tid_array(ids)})" if ids is not None else "true"
    shown = f"CAST(old.ctid AS pg_catalog.text) AS id, ARRAY[{texts}]::pg_catalog.text[] AS v"
    return f"SELECT {shown} FROM {read.heap} WHERE {chosen} AND {read.where}"


def _text(value: str, *, as_moment: bool) -> str:
    text = f"CAST({value} AS pg_catalog.text)"
    if not as_moment:
        return f"pg_catalog.left({text}, {MOST_CHARACTERS + 1})"
    # Dates and timestamps reach further than moments do, and no zone is a day away from UTC.
    beyond = f"pg_catalog.isfinite({value}) AND ({value} < '4714-11-26 BC' OR {value} > '294275-12-30')"
    moment = f"CAST({value} AS pg_catalog.timestamptz)"
    return f"CASE WHEN {beyond} THEN {text} ELSE CAST({moment} AS pg_catalog.text) END"


def _in_utc(value: str, leaf: PgType) -> str:
    """Returns the text of a value, a moment in UTC: the session's zone may print one of our era as one BC."""
    if leaf.typname != "timestamptz":
        return _text(value, as_moment=False)
    wall = _text(f"pg_catalog.timezone('UTC', {value})", as_moment=False)
    return f"{wall} || '+00'"


def new_texts(table: Table, columns: Sequence[Column], key: Sequence[Column]) -> str:
    """Returns a query for the rows of NEW with given keys, $1 … as arrays of texts: ``n``, the position of
    the key from 1, the texts ``v`` of columns, and ``xid``, the transaction that wrote the row (32 bits).
    """
    only = "" if table.kind == RelationKind.PARTITIONED_TABLE else "ONLY "
    texts = ", ".join(_in_utc(f"t.{ident(c.name)}", c.type.leaf) for c in columns)
    names = [f"k{n}" for n in range(len(key))]
    lists = ", ".join(f"pg_catalog.unnest(${n}::pg_catalog.text[])" for n in range(1, len(key) + 1))
    same = " AND ".join(_equal(c, f"g.{name}") for c, name in zip(key, names, strict=True))
    keys = f"ROWS FROM ({lists}) WITH ORDINALITY AS g ({', '.join(names)}, n)"
    xid = "CAST(CAST(t.xmin AS pg_catalog.text) AS pg_catalog.int8) AS xid"
    shown = f"g.n, ARRAY[{texts}]::pg_catalog.text[] AS v, {xid}"
    return f"SELECT {shown} FROM {keys} JOIN {only}{relation(table.name)} AS t ON {same}"


def _equal(column: Column, text: str) -> str:
    leaf = column.type.leaf
    operator = leaf.equality or "OPERATOR(pg_catalog.=)"
    return f"t.{ident(column.name)} {operator} CAST({text} AS {leaf.text})"


def entries(lookup: Lookup, table: Table, keys: Sequence[tuple[str, ...]]) -> str:
    """Returns a query for what a lookup's table holds under these keys: their texts ``k`` and the value
    ``v``.
    """
    columns = [column for column in map(table.column, lookup.keys) if column is not None]
    shown = ", ".join(_text(f"t.{ident(c.name)}", as_moment=False) for c in columns)
    lists = ", ".join(f"pg_catalog.unnest({text_array(part)})" for part in zip(*keys, strict=True))
    names = [f"k{n}" for n in range(len(columns))]
    same = " AND ".join(_equal(c, f"g.{name}") for c, name in zip(columns, names, strict=True))
    value = _text(f"t.{ident(lookup.value)}", as_moment=False)
    given = f"(SELECT DISTINCT * FROM ROWS FROM ({lists}) AS g ({', '.join(names)})) AS g"
    return (
        f"SELECT ARRAY[{shown}] AS k, {value} AS v FROM {given} JOIN {relation(lookup.table)} AS t ON {same}"
    )
