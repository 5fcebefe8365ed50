"""The SELECT that reads a batch of OLD: for the bulk copy, for finding the row behind an error, and as part
of every data check.

Its parts, each a function: which rows are read (``row_source.py``), the range of the batch, the copied
columns, and their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.locator import Address, Locator, Pages, Range, Whole
from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql import ctid
from tranship.sql.expression import compile_column, compile_value, shipped
from tranship.sql.joins import Bindings, Joins
from tranship.sql.old.row_source import (
    RowSource,
    among,
    in_key_range,
    own_row,
    row_source,
    row_sources,
    without,
)
from tranship.sql.quote import ident


def in_range(range_: Range, plan: TablePlan) -> tuple[str, ...]:
    """Returns the conditions of a half-open range of one source; over heaps they are read as a TID range scan
    since PostgreSQL 14.
    """
    match range_:
        case Whole():
            return ()
        case Pages() if plan.shape.query is not None:
            return in_key_range(plan.shape.query, range_)
        case Pages(start=start, end=end):
            lower = (f"old.ctid >= '{ctid.render(start)}'::pg_catalog.tid",) if start is not None else ()
            upper = (f"old.ctid < '{ctid.render(end)}'::pg_catalog.tid",) if end is not None else ()
            return lower + upper
        case _:
            assert_never(range_)


def in_batch(plan: TablePlan, batch: Batch) -> str:
    """Returns FROM and WHERE of exactly a batch's rows."""
    return row_source(plan, batch.source, batch.range).read(in_range(batch.range, plan))


def key_terms(plan: TablePlan, old: Table) -> list[str]:
    """Returns the terms of OLD key order: the key's columns, strings under ``COLLATE "C"``, so that every
    server agrees.
    """
    terms = []
    for name in plan.key:
        column = old.column(name)
        # The collations of two servers may sort differently, and a key order must be the same everywhere.
        collatable = column is not None and column.type.leaf.category == "S"
        terms.append(f"{own_row(plan)}.{ident(name)}" + (' COLLATE pg_catalog."C"' if collatable else ""))
    return terms


def key_order(plan: TablePlan, old: Table, rows: RowSource) -> str:
    """Returns the ORDER BY list of OLD key order; physical order comes last, and alone without a key."""
    return ", ".join([*key_terms(plan, old), rows.order])


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
    compiled = compile_value if plan.binary else compile_column
    columns = ", ".join(compiled(plan, n, old) for n in shipped(plan))
    rows = row_source(plan, batch.source, batch.range)
    order = f"\nORDER BY {key_order(plan, old, rows)}" if in_key_order else ""
    conditions = (*in_range(batch.range, plan), *without(rows, excluded))
    read = rows.read_joined(conditions, Joins(plan, old, bindings))
    return f"SELECT {columns}\n{read}{order}"


def select_identified(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    *,
    excluded: Sequence[Locator] = (),
    bindings: Bindings = (),
    in_key_order: bool = False,
) -> str:
    """Returns the same read with the row's id as text in front and in a fixed order, to find the row behind
    a line that failed.
    """
    rows = row_source(plan, batch.source, batch.range)
    columns = ", ".join([rows.id_text, *(compile_column(plan, n, old) for n in shipped(plan))])
    # A fixed order, because the number of a line has to lead back to the same row.
    order = key_order(plan, old, rows) if in_key_order else rows.order
    conditions = (*in_range(batch.range, plan), *without(rows, excluded))
    read = rows.read_joined(conditions, Joins(plan, old, bindings))
    return f"SELECT {columns}\n{read}\nORDER BY {order}"


class Wanted(Struct, frozen=True):
    """What is read of a batch that is not all that is copied."""

    positions: tuple[int, ...]
    """Mappings of the plan."""
    chosen: Sequence[Locator] | None = None
    """At least one row; None: all that are not excluded."""


def select_wanted(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    wanted: Wanted,
    *,
    excluded: Sequence[Locator] = (),
    bindings: Bindings = (),
) -> str:
    """Returns a read of some columns of some rows, with the row's id as text in front, in any order."""
    rows = row_source(plan, batch.source, batch.range)
    columns = ", ".join([rows.id_text, *(compile_column(plan, n, old) for n in wanted.positions)])
    kept = without(rows, excluded) if wanted.chosen is None else (among(rows, wanted.chosen),)
    read = rows.read_joined((*in_range(batch.range, plan), *kept), Joins(plan, old, bindings))
    return f"SELECT {columns}\n{read}"


def select_for_people(plan: TablePlan, old: Table) -> str:
    """Returns the read of the whole table as the result file shows it: without ranges, rejects and contents
    of lookups.
    """
    columns = ",\n  ".join(
        f"{compile_column(plan, n, old)} AS {ident(plan.columns[n].column)}" for n in shipped(plan)
    )
    reads = [
        f"SELECT\n  {columns}\n{rows.read_joined((), Joins(plan, old))}"
        for _, rows in row_sources(plan.unlooked)
    ]
    return "\nUNION ALL\n".join(reads)


def middle(plan: TablePlan, batch: Batch, rows: int) -> str:
    """Returns a query for the ctid, as text, at which a batch is divided: ``rows`` rows of the batch lie
    before it.
    """
    return f"""
        SELECT old.ctid::text {in_batch(plan, batch)}
        ORDER BY old.ctid OFFSET {rows} LIMIT 1
    """


def following_row(plan: TablePlan, batch: Batch, at: Address) -> str:
    """Returns a query for the ctid, as text, of the batch's first old row behind the one at ``at``; no row:
    that is the last one.
    """
    later = (*in_range(batch.range, plan), f"old.ctid > '{ctid.render(at)}'::pg_catalog.tid")
    rows = row_source(plan, batch.source, batch.range)
    return f"SELECT old.ctid::text {rows.read(later)} ORDER BY old.ctid LIMIT 1"
