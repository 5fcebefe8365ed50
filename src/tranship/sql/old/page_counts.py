"""Statements that count the rows of a heap of OLD by ranges of its pages, each range by a scan of its own."""

from __future__ import annotations

from tranship.model.plan import Source, TablePlan
from tranship.sql.old.cut import VERSION, made_of_row, recent
from tranship.sql.old.row_source import (
    from_source,
    heap_of,
    in_source,
    items_of_row,
    taken,
    unmade_row,
    where,
)


def count_pages(source: Source, step: int, transaction: int | None) -> str:
    """Returns a query that counts the rows in ranges of ``step`` pages, from the range $1 to $2 (counted from
    0; $3: the last range, which is open at its end).

    Its rows, in order: ``rows``, and ``recent``, the sum of the hashes of the versions that a transaction
    from ``transaction`` on wrote (0 where it is None). Each range is a TID range scan of its own.
    """
    return f"""
        SELECT c.counted[1]::int8 AS rows, c.counted[2]::text AS recent FROM (
          SELECT n.number, (
            SELECT ARRAY[count(*)::pg_catalog.numeric, {_recent_sum(transaction)}::pg_catalog.numeric]
            {from_source(source)}{where((*in_source(source), *_IN_PAGES))}) AS counted
          FROM {_page_ranges(step)} AS n {_ONCE}) AS c
        ORDER BY c.number
    """


def count_made_by_pages(plan: TablePlan, number: int, step: int, transaction: int | None) -> str:
    """Returns a query that counts what a flow makes of the old rows in ranges of pages, as
    :func:`count_pages` counts rows; its parameters are the same.

    Its rows, in order: ``rows``, ``old_rows``, ``left_out`` and ``no_items`` as :func:`measure_made` has
    them, and ``recent``.
    """
    source = plan.sources[number]
    if plan.shape.items is None:
        return _count_taken(plan, source, step, transaction)
    joined, made = _made(plan, source)
    # OFFSET 0: else what is made of a row would be computed for each of its counts.
    read = f"{heap_of(plan, source)}{joined}{where((*in_source(source), *_IN_PAGES))}"
    hashed = f"CASE WHEN {recent(transaction)} THEN {VERSION} ELSE 0 END" if transaction is not None else "0"
    return f"""
        SELECT c.counted[1] AS rows, c.counted[2] AS old_rows, c.counted[3] AS left_out,
          c.counted[4] AS no_items, c.counted[5]::text AS recent
        FROM (
          SELECT n.number, (
            SELECT ARRAY[COALESCE(sum(r.made), 0), count(*), count(*) FILTER (WHERE r.made IS NULL),
              count(*) FILTER (WHERE r.made = 0), COALESCE(sum(r.hashed), 0)]::pg_catalog.numeric[]
            FROM (SELECT {made} AS made, {hashed} AS hashed
              {read}
              OFFSET 0) AS r) AS counted
          FROM {_page_ranges(step)} AS n {_ONCE}) AS c
        ORDER BY c.number
    """


def _count_taken(plan: TablePlan, source: Source, step: int, transaction: int | None) -> str:
    """Returns the same for a flow that makes one row of each old row that it takes: only aggregates over the
    heap, without a row between.
    """
    chosen = f"count(*) FILTER (WHERE {' AND '.join(taken(plan)) or 'true'})"
    counted = f"ARRAY[{chosen}, count(*), {_recent_sum(transaction)}]::pg_catalog.numeric[]"
    return f"""
        SELECT c.counted[1] AS rows, c.counted[2] AS old_rows, c.counted[2] - c.counted[1] AS left_out,
          0 AS no_items, c.counted[3]::text AS recent
        FROM (
          SELECT n.number, (
            SELECT {counted} {heap_of(plan, source)}{where((*in_source(source), *_IN_PAGES))}) AS counted
          FROM {_page_ranges(step)} AS n {_ONCE}) AS c
        ORDER BY c.number
    """


def _made(plan: TablePlan, source: Source) -> tuple[str, str]:
    """Returns what is joined to a row ``old``, and the number of rows that the flow makes of it as
    ``made_of_row`` has it.

    The items are joined: a subquery in the target list takes six times as long. They are not made of a row
    that is not taken, for which they might raise.
    """
    if plan.shape.items is None:
        return "", made_of_row(plan, source)
    chosen = " AND ".join(taken(plan)) or "true"
    made = f"{chosen} AND NOT {unmade_row(source)}" if source.unmade else chosen
    items = f"SELECT count(*) AS n {items_of_row(plan, source, f'({made})')}"
    number = f"CASE WHEN {unmade_row(source)} THEN 1 ELSE m.n END" if source.unmade else "m.n"
    return f"\nCROSS JOIN LATERAL ({items}) AS m", f"CASE WHEN {chosen} THEN {number} END"


def _recent_sum(transaction: int | None) -> str:
    """Returns SQL for the sum of the hashes of the versions that a transaction from this one on wrote."""
    if transaction is None:
        return "0"
    return f"COALESCE(sum({VERSION}) FILTER (WHERE {recent(transaction)}), 0)"


_IN_PAGES = tuple(
    f"old.ctid {operator} CAST(pg_catalog.format('(%s,0)', n.{page}) AS pg_catalog.tid)"
    for operator, page in ((">=", "lo"), ("<", "hi"))
)
"""The conditions of the rows in the pages of one of :func:`_page_ranges`, with the alias ``n``."""


def _page_ranges(step: int) -> str:
    """Returns a subquery for ranges of pages: ``number``, from $1 to $2, ``lo`` and, behind it, ``hi``."""
    return f"""(
        SELECT g.number, g.number * {step} AS lo,
          CASE WHEN g.number = $3::int8 THEN {_LAST_PAGE} ELSE (g.number + 1) * {step} END AS hi
        FROM pg_catalog.generate_series($1::int8, $2::int8) AS g(number))"""


_ONCE = "OFFSET 0"
"""Keeps the planner from merging the counts of a range into the columns that read them: it would count once
for each of these columns.
"""
_LAST_PAGE = 2**32 - 1
"""One above the number of the last page that a heap may have."""
