"""Statements that ask NEW how many rows break a constraint, whatever the server believes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tranship.model.catalog import Check, Column, ForeignKey, Index, Table
from tranship.model.types import DomainCheck, PgType, TypeKind
from tranship.sql.foreign_keys import lacks_parent
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident

PLANS_WITHOUT_INDEXES = "SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off"
"""Until the transaction ends, an index that lacks rows is not believed."""


def without_parent(child: str, key: ForeignKey, parent: str) -> str:
    """Returns a query for the number of rows that break a foreign key. ``child`` and ``parent`` are FROM
    items that need an alias.
    """
    return f"SELECT pg_catalog.count(*) FROM {child} AS c WHERE {lacks_parent(key, parent)}"


def failing(table: Table, check: Check) -> str:
    """Returns a query for the number of rows that break a check: one that gives NULL is met."""
    return (
        f"SELECT pg_catalog.count(*) FROM {relation_to_read(table)} AS t WHERE ({check.expression}) IS FALSE"
    )


def lacking(table: Table, columns: Sequence[str]) -> str:
    """Returns a query for one row with the numbers of NULLs in these columns, in their order."""
    counts = (f"pg_catalog.count(*) FILTER (WHERE t.{ident(name)} IS NULL)" for name in columns)
    return f"SELECT {', '.join(counts)} FROM {relation_to_read(table)} AS t"


def excluded(table: Table, index: Index) -> str:
    """Returns a query for the number of rows that an exclusion constraint refuses beside others."""
    columns = [f"({key}) AS k{n}" for n, key in enumerate(index.keys)]
    taken = f" WHERE ({index.predicate})" if index.predicate is not None else ""
    shown = ", ".join([*columns, "t.tableoid AS relation", "t.ctid AS place"])
    rows = f"(SELECT {shown} FROM {relation_to_read(table)} AS t{taken})"
    against = [f"a.k{n} {operator} b.k{n}" for n, operator in enumerate(index.exclusion_operators)]
    other = "(b.place <> a.place OR b.relation <> a.relation)"
    found = f"SELECT FROM {rows} AS b WHERE {' AND '.join([*against, other])}"
    return f"SELECT pg_catalog.count(*) FROM {rows} AS a WHERE EXISTS ({found})"


class DomainValues(NamedTuple):
    """Values of a domain that a column holds, by itself or in its parts."""

    domain: PgType
    value: str
    """SQL over the row ``t``, or over an element of an array."""
    lateral: str = ""
    """The elements of arrays, as further FROM items."""


def domain_values(column: Column) -> list[DomainValues]:
    """Returns every domain in the type of a column."""
    return _domain_values(DomainValues(column.type, f"t.{ident(column.name)}"), 0)


def _domain_values(of: DomainValues, depth: int) -> list[DomainValues]:
    held, found = of.domain, list[DomainValues]()
    match held.kind:
        case TypeKind.DOMAIN:
            found.append(of)
            if held.element is not None:
                found += _domain_values(of._replace(domain=held.element), depth)
        case TypeKind.ARRAY if held.element is not None:
            name = f"e{depth}"
            each = f"{of.lateral} CROSS JOIN LATERAL pg_catalog.unnest({of.value}) AS {name}(v)"
            found += _domain_values(DomainValues(held.element, f"{name}.v", each), depth + 1)
        case TypeKind.COMPOSITE:
            for part in held.attributes:
                value = f"({of.value}).{ident(part.name)}"
                found += _domain_values(DomainValues(part.type, value, of.lateral), depth)
        case _:
            pass
    return found


def failing_domain(table: Table, values: DomainValues, check: DomainCheck) -> str:
    """Returns a query for the number of values of a column that break a check of a domain: one that gives
    NULL is met.
    """
    # A check calls the value VALUE, without quotes: the name of a column here. The value has the type under
    # all domains, which no check of an inner one refuses.
    shown = f'CAST({values.value} AS {values.domain.leaf.text}) AS "value"'
    read = f"SELECT {shown} FROM {relation_to_read(table)} AS t{values.lateral} OFFSET 0"
    return f"SELECT pg_catalog.count(*) FROM ({read}) AS d WHERE ({check.expression}) IS FALSE"


def alike(table: Table, index: Index) -> str:
    """Returns a query for the number of rows that have the same keys in a unique index as another one.

    They are grouped without the index, which may lack rows.
    """
    collations = index.collations or (None,) * len(index.keys)
    keys = [
        f"({key})" + (f" COLLATE {collation}" if collation is not None else "")
        for key, collation in zip(index.keys, collations, strict=True)
    ]
    conditions = [f"({index.predicate})"] if index.predicate is not None else []
    if not index.nulls_not_distinct:
        conditions += [f"{key} IS NOT NULL" for key in keys]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    groups = f"SELECT pg_catalog.count(*) AS n FROM {relation_to_read(table)} AS t{where}"
    listed = ", ".join(keys)
    return (
        f"SELECT COALESCE(pg_catalog.sum(g.n - 1), 0)::pg_catalog.int8"
        f" FROM ({groups} GROUP BY {listed} HAVING pg_catalog.count(*) > 1) AS g"
    )
