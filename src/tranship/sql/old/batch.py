"""The SELECT that reads a batch of OLD: for the bulk copy, for finding the row behind an error, and as part
of every data check.

Its parts, each a function: the heap that is read (FROM), which of its rows (WHERE), the copied columns, and
their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from tranship.model.catalog import Table
from tranship.model.locator import Locator, Pages, Range, Whole
from tranship.model.plan import Source, TablePlan
from tranship.model.progress import Batch
from tranship.sql import ctid
from tranship.sql.expression import Bindings, compile_column, lookup_joins, shipped
from tranship.sql.quote import ident, relation, tid_array


def from_source(source: Source) -> str:
    """Returns the FROM clause over one heap of OLD, with the alias ``old``.

    ONLY keeps inheritance children out, which are tables of their own; partitions are sources of their own.
    """
    # The role has SELECT on the root alone: PostgreSQL checks the privileges of the relation that a query
    # names.
    if source.through_root:
        return f"FROM {relation(source.root)} AS old"
    return f"FROM ONLY {relation(source.relation)} AS old"


def in_source(source: Source) -> tuple[str, ...]:
    """Returns the conditions that keep a read through the root to the one leaf; empty for other sources."""
    return (f"old.tableoid = {source.oid}",) if source.through_root else ()


def in_range(range_: Range) -> tuple[str, ...]:
    """Returns the conditions of a half-open range of one source; they are read as a TID range scan since
    PostgreSQL 14.
    """
    match range_:
        case Whole():
            return ()
        case Pages(start=start, end=end):
            lower = (f"old.ctid >= '{ctid.render(start)}'::pg_catalog.tid",) if start is not None else ()
            upper = (f"old.ctid < '{ctid.render(end)}'::pg_catalog.tid",) if end is not None else ()
            return lower + upper
        case _:
            assert_never(range_)


def in_batch(plan: TablePlan, batch: Batch) -> tuple[str, ...]:
    """Returns the conditions that select exactly a batch's rows."""
    return in_source(plan.sources[batch.source]) + in_range(batch.range)


def without(rows: Sequence[Locator]) -> tuple[str, ...]:
    """Returns the condition that leaves these rows out; empty without rows.

    An anti-join over an array costs one hash table; ``<> ALL (array)`` would compare each row with thousands
    of ctids.
    """
    if not rows:
        return ()
    gone = f"pg_catalog.unnest({tid_array(ctid.render(r.address) for r in rows)}) AS gone(id)"
    return (f"NOT EXISTS (SELECT FROM {gone} WHERE gone.id = old.ctid)",)


def among(rows: Sequence[Locator]) -> str:
    """Returns the condition that keeps just these rows; it is read as a TID scan."""
    return f"old.ctid = ANY ({tid_array(ctid.render(r.address) for r in rows)})"


def where(conditions: Iterable[str]) -> str:
    """Returns a WHERE clause on a line of its own, or nothing without conditions."""
    joined = " AND ".join(conditions)
    return f"\nWHERE {joined}" if joined else ""


def key_terms(plan: TablePlan, old: Table) -> list[str]:
    """Returns the terms of OLD key order: the key's columns, strings under ``COLLATE "C"``, so that every
    server agrees.
    """
    terms = []
    for name in plan.key:
        column = old.column(name)
        # The collations of two servers may sort differently, and a key order must be the same everywhere.
        collatable = column is not None and column.type.leaf.category == "S"
        terms.append(f"old.{ident(name)}" + (' COLLATE pg_catalog."C"' if collatable else ""))
    return terms


def key_order(plan: TablePlan, old: Table) -> str:
    """Returns the ORDER BY list of OLD key order; physical order comes last, and alone without a key."""
    return ", ".join([*key_terms(plan, old), "old.ctid"])


def select_batch(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    *,
    excluded: Sequence[Locator] = (),
    bindings: Bindings = (),
    in_key_order: bool = False,
) -> str:
    """Returns the bulk read of a batch: the copied columns in NEW's order, without the excluded rows.

    ``bindings`` hold what NEW's lookup tables have for this batch's keys. Without ``in_key_order`` the rows
    come in any order.
    """
    columns = ", ".join(compile_column(plan, n, old) for n in shipped(plan))
    order = f"\nORDER BY {key_order(plan, old)}" if in_key_order else ""
    rows = _rows_of(plan, batch, excluded, lookup_joins(plan, old, bindings))
    return f"SELECT {columns}\n{rows}{order}"


def select_identified(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    *,
    excluded: Sequence[Locator] = (),
    bindings: Bindings = (),
    in_key_order: bool = False,
) -> str:
    """Returns the same read with the ctid as text in front and in a fixed order, to find the row behind a
    line that failed.
    """
    columns = ", ".join(
        ["CAST(old.ctid AS pg_catalog.text)", *(compile_column(plan, n, old) for n in shipped(plan))]
    )
    # A fixed order, because the number of a line has to lead back to the same row.
    order = key_order(plan, old) if in_key_order else "old.ctid"
    rows = _rows_of(plan, batch, excluded, lookup_joins(plan, old, bindings))
    return f"SELECT {columns}\n{rows}\nORDER BY {order}"


def select_for_people(plan: TablePlan, old: Table) -> str:
    """Returns the read of the whole table as the result file shows it: without ranges, rejects and contents
    of lookups.
    """
    columns = ",\n  ".join(
        f"{compile_column(plan, n, old)} AS {ident(plan.columns[n].column)}" for n in shipped(plan)
    )
    reads = [
        f"SELECT\n  {columns}\n{from_source(s)}{lookup_joins(plan, old, ())}{where(in_source(s))}"
        for s in plan.sources
    ]
    return "\nUNION ALL\n".join(reads)


def middle(plan: TablePlan, batch: Batch, rows: int) -> str:
    """Returns a query for the ctid, as text, at which a batch is divided: ``rows`` rows of the batch lie
    before it.
    """
    return f"""
        SELECT old.ctid::text {from_source(plan.sources[batch.source])}{where(in_batch(plan, batch))}
        ORDER BY old.ctid OFFSET {rows} LIMIT 1
    """


def _rows_of(plan: TablePlan, batch: Batch, excluded: Sequence[Locator], joins: str) -> str:
    """Returns FROM, joins and WHERE of a batch's read."""
    conditions = [*in_batch(plan, batch), *without(excluded)]
    return f"{from_source(plan.sources[batch.source])}{joins}{where(conditions)}"
