"""Lookups: the distinct old keys of a batch, what a lookup table holds for them, and whether its keys are unique."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.builtin_types import Family
from tranship.model.expression import Lookup
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.model.types import PgType, TypeKind
from tranship.sql.expression import key_text, type_name
from tranship.sql.old.batch import among, from_source, in_batch, in_source, where
from tranship.sql.quote import ident, relation
from tranship.sql.types.values import canonical


def batch_keys(plan: TablePlan, batch: Batch, lookup: Lookup) -> str:
    """The distinct complete keys of a batch as text."""
    return _distinct(plan, batch.source, in_batch(plan, batch), lookup)


def keys_of(plan: TablePlan, rows: Sequence[Locator], lookup: Lookup) -> str:
    """The same of chosen rows of one source."""
    source = plan.sources[rows[0].source]
    return _distinct(plan, rows[0].source, (*in_source(source), among(rows)), lookup)


def _distinct(plan: TablePlan, source: int, conditions: Sequence[str], lookup: Lookup) -> str:
    keys = ", ".join(key_text(c) for c in lookup.columns)
    known = [f"old.{ident(c)} IS NOT NULL" for c in lookup.columns]
    return f"SELECT DISTINCT {keys} {from_source(plan.sources[source])}{where((*conditions, *known))}"


class LookupKey(Struct, frozen=True):
    """How one key column of a lookup table is compared: the given text is read as ``given``, the column taken as ``column``."""

    column: str
    given: str
    operator: str
    canonical: str | None
    """Over the given value ``r.c<n>``; None: the type has no canonical text."""


def compared(position: int, name: str, new: PgType | None, old: PgType | None) -> LookupKey:
    """The key at a position: in its own type without modifier, numbers that are no integers as numeric, an unknown type as text."""
    column, value = f"l.{ident(name)}", f"r.c{position}"
    if new is None:
        return LookupKey(
            f"CAST({column} AS pg_catalog.text)",
            "pg_catalog.text",
            _EQUALS,
            f"CAST({value} AS pg_catalog.text)",
        )
    leaf = new.leaf
    if old is not None and old.leaf.family in _FRACTIONS and leaf.family is Family.INTEGER:
        return LookupKey(
            f"CAST({column} AS pg_catalog.numeric)", "pg_catalog.numeric", _EQUALS, canonical(value, old.leaf)
        )
    user_made = leaf.name is not None and leaf.name.schema != "pg_catalog" and leaf.kind is TypeKind.BASE
    operator = leaf.equality if user_made and leaf.equality is not None else _EQUALS
    return LookupKey(column, type_name(leaf), operator, canonical(value, leaf, new.collation))


_EQUALS = "OPERATOR(pg_catalog.=)"
_FRACTIONS = frozenset({Family.NUMERIC, Family.FLOAT})


def found_query(lookup: Lookup, keys: Sequence[LookupKey]) -> str:
    """What NEW's lookup table holds for given keys: ``[row, "found", 0, value text]`` (several where it holds several),
    ``[row, "absent", 0, canonical key or null]`` otherwise. Reads the plpgsql variable ``tranship_given`` (``sql/new/probe.py``).
    """
    given = ", ".join(f"c{n} {key.given}" for n, key in enumerate(keys))
    held = ", ".join(f"{key.column} AS k{n}" for n, key in enumerate(keys))
    on = " AND ".join(f"l.k{n} {key.operator} r.c{n}" for n, key in enumerate(keys))
    whole = ", ".join(key.canonical or "NULL" for key in keys)
    canonical_key = (
        f"CAST(pg_catalog.json_build_array({whole}) AS pg_catalog.text)"
        if all(k.canonical for k in keys)
        else "NULL::pg_catalog.text"
    )
    value = f"CAST(l.{ident(lookup.value)} AS pg_catalog.text) AS v"
    return (
        "SELECT DISTINCT CAST(pg_catalog.json_build_array(r.i, CASE WHEN l.found THEN 'found' ELSE 'absent' END, 0,"
        f" CASE WHEN l.found THEN l.v ELSE {canonical_key} END) AS pg_catalog.text)"
        f" FROM pg_catalog.json_to_recordset(tranship_given) AS r(i pg_catalog.int4, {given})"
        f" LEFT JOIN (SELECT {held}, {value}, true AS found FROM {relation(lookup.table)} AS l) AS l ON {on}"
    )


def ambiguous(lookup: Lookup) -> str:
    """Up to three complete keys of a lookup table that stand for different values, as text."""
    keys = ", ".join(f"l.{ident(k)}" for k in lookup.keys)
    shown = ", ".join(f"CAST(l.{ident(k)} AS pg_catalog.text)" for k in lookup.keys)
    known = [f"l.{ident(k)} IS NOT NULL" for k in lookup.keys]
    value = f"CAST(l.{ident(lookup.value)} AS pg_catalog.text)"
    several = f"pg_catalog.count(DISTINCT {value}) + CASE WHEN pg_catalog.count({value}) < pg_catalog.count(*) THEN 1 ELSE 0 END > 1"
    return f"SELECT {shown} FROM {relation(lookup.table)} AS l{where(known)} GROUP BY {keys} HAVING {several} ORDER BY {shown} LIMIT 3"


def ambiguous_to_be(plan: TablePlan, keys: Sequence[str], value: str) -> str:
    """The same among the rows that OLD will put into a lookup table: ``keys`` are canonical texts over ``old``, ``value`` a shipped text."""
    named = ", ".join(f"{key} AS k{n}" for n, key in enumerate(keys))
    columns = ", ".join(f"k{n}" for n in range(len(keys)))
    reads = " UNION ALL ".join(
        f"SELECT {named}, {value} AS v {from_source(source)}{where(in_source(source))}"
        for source in plan.sources
    )
    known = where(f"k{n} IS NOT NULL" for n in range(len(keys)))
    several = "pg_catalog.count(DISTINCT v) + CASE WHEN pg_catalog.count(v) < pg_catalog.count(*) THEN 1 ELSE 0 END > 1"
    return f"SELECT {columns} FROM ({reads}) AS r{known} GROUP BY {columns} HAVING {several} ORDER BY {columns} LIMIT 3"


def content_hash(lookup: Lookup) -> str:
    """Number of rows and order-free hash of what a lookup can answer."""
    columns = ", ".join(f"CAST(l.{ident(c)} AS pg_catalog.text)" for c in (*lookup.keys, lookup.value))
    hashed = (
        f"pg_catalog.hashtextextended(CAST(pg_catalog.json_build_array({columns}) AS pg_catalog.text), 0)"
    )
    return f"SELECT pg_catalog.count(*), COALESCE(pg_catalog.sum({hashed}), 0)::pg_catalog.text FROM {relation(lookup.table)} AS l"
