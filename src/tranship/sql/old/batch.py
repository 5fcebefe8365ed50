"""The SELECT that reads a batch of OLD: for the bulk copy, the isolation of rejects, and every question about the same rows."""

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
    """``FROM`` one heap of OLD, alias ``old``; ``ONLY``, so that children and partitions never double."""
    if source.through_root:
        return f"FROM {relation(source.root)} AS old"
    return f"FROM ONLY {relation(source.relation)} AS old"


def in_source(source: Source) -> tuple[str, ...]:
    """Conditions that keep a read through the root to the one leaf."""
    return (f"old.tableoid = {source.oid}",) if source.through_root else ()


def in_range(range_: Range) -> tuple[str, ...]:
    """Conditions of a half-open range of one source."""
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
    """Conditions that select exactly a batch's rows."""
    return in_source(plan.sources[batch.source]) + in_range(batch.range)


def without(rows: Sequence[Locator]) -> tuple[str, ...]:
    """A condition that leaves rows out; an anti-join, so that thousands of them cost a hash, not a loop."""
    if not rows:
        return ()
    gone = f"pg_catalog.unnest({tid_array(ctid.render(r.address) for r in rows)}) AS gone(id)"
    return (f"NOT EXISTS (SELECT FROM {gone} WHERE gone.id = old.ctid)",)


def among(rows: Sequence[Locator]) -> str:
    """A condition that keeps just these rows (a TID scan)."""
    return f"old.ctid = ANY ({tid_array(ctid.render(r.address) for r in rows)})"


def where(conditions: Iterable[str]) -> str:
    """A WHERE clause, or nothing."""
    joined = " AND ".join(conditions)
    return f"\nWHERE {joined}" if joined else ""


def key_order(plan: TablePlan, old: Table) -> str:
    """OLD key order: the key's columns, strings under ``COLLATE "C"``, then physical order."""
    terms = []
    for name in plan.key:
        column = old.column(name)
        collatable = column is not None and column.type.leaf.category == "S"
        terms.append(f"old.{ident(name)}" + (' COLLATE pg_catalog."C"' if collatable else ""))
    return ", ".join([*terms, "old.ctid"])


def select_batch(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    *,
    excluded: Sequence[Locator] = (),
    bindings: Bindings = (),
    in_key_order: bool = False,
) -> str:
    """The bulk read: shipped columns in NEW's order, a batch's rows less the excluded ones."""
    columns = ", ".join(compile_column(plan, n, old) for n in shipped(plan))
    return _select(
        columns,
        plan,
        old,
        batch,
        excluded,
        bindings,
        f"\nORDER BY {key_order(plan, old)}" if in_key_order else "",
    )


def middle(plan: TablePlan, batch: Batch, rows: int) -> str:
    """The ctid, as text, of the row that ``rows`` others of the batch lie before."""
    return f"SELECT old.ctid::text {from_source(plan.sources[batch.source])}{where(in_batch(plan, batch))} ORDER BY old.ctid OFFSET {rows} LIMIT 1"


def select_identified(
    plan: TablePlan,
    old: Table,
    batch: Batch,
    *,
    excluded: Sequence[Locator] = (),
    bindings: Bindings = (),
    in_key_order: bool = False,
) -> str:
    """The same rows and columns with the ctid as text in front, in a fixed order: to name the row behind a failing line."""
    columns = ", ".join(
        ["CAST(old.ctid AS pg_catalog.text)", *(compile_column(plan, n, old) for n in shipped(plan))]
    )
    order = key_order(plan, old) if in_key_order else "old.ctid"
    return _select(columns, plan, old, batch, excluded, bindings, f"\nORDER BY {order}")


def select_for_people(plan: TablePlan, old: Table) -> str:
    """The whole table's read as it stands in the result file: without ranges, rejects and lookup contents."""
    columns = ",\n  ".join(
        f"{compile_column(plan, n, old)} AS {ident(plan.columns[n].column)}" for n in shipped(plan)
    )
    reads = [
        f"SELECT\n  {columns}\n{from_source(s)}{lookup_joins(plan, old, ())}{where(in_source(s))}"
        for s in plan.sources
    ]
    return "\nUNION ALL\n".join(reads)


def _select(
    columns: str,
    plan: TablePlan,
    old: Table,
    batch: Batch,
    excluded: Sequence[Locator],
    bindings: Bindings,
    order: str,
) -> str:
    conditions = [*in_batch(plan, batch), *without(excluded)]
    heap = from_source(plan.sources[batch.source])
    return f"SELECT {columns}\n{heap}{lookup_joins(plan, old, bindings)}{where(conditions)}{order}"
