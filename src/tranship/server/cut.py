"""Cuts the sources of a table into batches: one pass counts the rows and finds where each batch begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import NamedTuple

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.model.flow import FlowId
from tranship.model.locator import Address, Pages, Whole, divided
from tranship.model.plan import Source, TablePlan
from tranship.model.progress import Batch, OldRows
from tranship.model.shape import Query
from tranship.server import pages
from tranship.server.batch_bounds import BATCH_BYTES, SMALLEST_BATCH, most_rows
from tranship.server.pages import Part
from tranship.server.portion import beginning
from tranship.server.small import Small, count_small
from tranship.sql import ctid
from tranship.sql.old import cut as sql_cut
from tranship.sql.old.batch import following_row, in_range, middle

_ONE_SCAN = sql_cut.settings(("synchronize_seqscans", "off"), ("max_parallel_workers_per_gather", "0"))
_TID_RANGE_SCAN = 140000
"""The ``server_version_num`` from which a range of ctids reads only its own pages (TID Range Scan)."""


class Cut(Struct, frozen=True):
    """The batches and the rows of a flow in one snapshot."""

    batches: tuple[Batch, ...]
    rows: int
    """Rows that the flow makes."""
    digest: str
    """A hash over the row versions that does not depend on their order.

    It is equal in two snapshots if nobody wrote to the table in between. Empty when not asked for.
    """
    old: OldRows | None = None
    """The old rows behind ``rows``. None: they are the same rows."""
    uncounted: tuple[Batch, ...] = ()
    """What is not counted yet, at most one range for each source, with an estimate of its rows. The estimate
    is part of ``rows``, and the digest is that of the other ranges.
    """

    @property
    def every(self) -> tuple[Batch, ...]:
        """Ranges that together hold every row."""
        return (*self.batches, *self.uncounted)

    @property
    def old_rows(self) -> int:
        """Rows of OLD."""
        return self.rows if self.old is None else self.old.read


class _Pass(Struct, frozen=True):
    """The rows of a source, and the row that opens each batch of ``step`` rows."""

    rows: int
    step: int
    firsts: tuple[Address, ...]
    digest: str


async def cut(conn: asyncpg.Connection, plan: TablePlan, batch_rows: int) -> tuple[Batch, ...]:
    """Returns the batches of a table, in physical order, source by source.

    ``conn`` is in a transaction on the snapshot. Every batch but a source's last one holds exactly
    ``batch_rows`` rows, or fewer when rows are large or a large heap is cut by pages. Together they hold
    every row once.
    """
    return (await measure(conn, plan, batch_rows, digest=False)).batches


async def measure(
    conn: asyncpg.Connection, plan: TablePlan, batch_rows: int, *, digest: bool = True, whole: bool = False
) -> Cut:
    """Returns the batches with the exact number of rows and, if wanted, the digest.

    ``whole``: makes one batch per source.
    """
    (found,) = await measure_several(conn, [plan], batch_rows, digest=digest, whole=whole)
    return found


async def measure_several(
    conn: asyncpg.Connection,
    plans: Sequence[TablePlan],
    batch_rows: int,
    *,
    digest: bool = True,
    whole: bool = False,
    counting: pages.Counting = pages.ALONE,
) -> list[Cut]:
    """Returns the same for several plans, in their order."""
    in_ranges = not whole and await conn.fetchval(_ONE_SCAN) >= _TID_RANGE_SCAN
    ask = counting.ask or pages.one_by_one(conn)
    of = _Cutting(conn, ask, batch_rows, in_ranges, digest, counting.later)
    sources = [source for plan in plans if plan.shape.one_row_each for source in plan.sources]
    small = await count_small(conn, sources, batch_rows, digest=digest)
    return [await _cut(of, plan, small) for plan in plans]


class _Cutting(NamedTuple):
    """How tables are cut."""

    conn: asyncpg.Connection
    ask: pages.AskEach
    batch_rows: int
    in_ranges: bool
    """Whether a range of ctids reads only its own pages."""
    digest: bool
    later: AbstractSet[FlowId]
    """Flows that are counted while they are copied."""

    @property
    def step(self) -> int | None:
        """Rows of a batch; None: a source is one batch."""
        return self.batch_rows if self.in_ranges else None


async def _cut(of: _Cutting, plan: TablePlan, small: Small) -> Cut:
    """Returns the batches of one plan; ``small``: what is known of its small heaps."""
    parts: list[Part] = []
    digests: list[str] = []
    left: list[Part] = []
    for number, source in enumerate(plan.sources):
        few = small.of(source) if plan.shape.one_row_each else None
        if few is not None:
            parts += [Part(Whole(number), few.rows)] if few.rows else []
            digests.append(few.digest)
            continue
        if plan.flow in of.later:
            found, seen, rest = await beginning(of.conn, plan, number, of.batch_rows)
            left += rest
        else:
            found, seen = await _parts(of, plan, number)
        parts += found
        digests.append(seen)
    # What is not counted has numbers below 0: the first batch of all, which a sample has always, is number 0.
    numbered = enumerate([*left, *parts], -len(left))
    every = [Batch(n, plan.flow, part.range, part.rows, part.old) for n, part in numbered]
    return Cut(
        tuple(every[len(left) :]),
        sum(batch.rows for batch in every),
        " ".join(digests) if of.digest else "",
        None if plan.shape.one_row_each else old_rows(part.old for part in parts),
        tuple(every[: len(left)]),
    )


def old_rows(parts: Iterable[OldRows | None]) -> OldRows:
    """Returns the sum of the old rows of several ranges."""
    return sum((part for part in parts if part is not None), OldRows(0))


async def _parts(of: _Cutting, plan: TablePlan, number: int) -> tuple[list[Part], str]:
    """Returns the ranges of one source, each with its rows, and the digest over its old rows."""
    conn, source = of.conn, plan.sources[number]
    if plan.shape.query is not None:
        return await _of_query(conn, plan, plan.shape.query, of.step), ""
    if not plan.shape.one_row_each:
        return await _made(of, plan, number, of.step if source.pageable else None)
    found = None
    if of.in_ranges:
        found = await pages.count_pages(conn, of.ask, source, of.batch_rows, digest=of.digest)
    counted = await _by_pages(conn, source, of.batch_rows, found)
    if counted is not None:
        found, most = counted
        return pages.ranges(number, found, most), found.digest
    seen = await _pass(conn, number, source, of.batch_rows, digest=of.digest)
    if not of.in_ranges or len(seen.firsts) < 2:
        return ([Part(Whole(number), seen.rows)] if seen.rows else []), seen.digest
    return _ranges(number, seen), seen.digest


async def _of_query(
    conn: asyncpg.Connection, plan: TablePlan, query: Query, batch_rows: int | None
) -> list[Part]:
    """Returns the ranges of a query's rows; rows with equal values of its column stay together."""
    if not query.cut_by or batch_rows is None:
        return [Part(Whole(0), await conn.fetchval(sql_cut.count_made(plan, 0)), OldRows(0))]
    found = await conn.fetch(sql_cut.measure_query(plan, query, batch_rows))
    if len(found) < 2:
        return [Part(Whole(0), sum(row["rows"] for row in found), OldRows(0))]
    firsts: list[Address | None] = [None, *((row["first"],) for row in found[1:])]
    ranges = [Pages(0, start, end) for start, end in zip(firsts, [*firsts[1:], None], strict=True)]
    return [Part(range_, row["rows"], OldRows(0)) for range_, row in zip(ranges, found, strict=True)]


async def counted(conn: asyncpg.Connection, plan: TablePlan, batch: Batch) -> tuple[int, OldRows | None]:
    """Returns the rows that a flow makes in a batch's range, and the old rows behind them."""
    if plan.shape.one_row_each or not plan.shape.in_a_heap:
        rows = await conn.fetchval(sql_cut.count_made(plan, batch.source, in_range(batch.range, plan)))
        return rows, None if plan.shape.one_row_each else OldRows(0)
    row = await conn.fetchrow(
        sql_cut.measure_made(plan, batch.source, None, in_range(batch.range, plan), digest=False)
    )
    return (row["rows"], _old(row)) if row is not None else (0, OldRows(0))


class Boundary(Struct, frozen=True):
    """Where a batch is divided."""

    at: Address
    rows: int
    """Rows before it."""
    old: tuple[OldRows | None, OldRows | None] = (None, None)
    """The old rows before it and from it on."""


async def boundary(conn: asyncpg.Connection, plan: TablePlan, batch: Batch, rows: int) -> Boundary | None:
    """Returns the boundary before which a batch has so many rows, or about so many: an old row's items stay
    together. None: one old row makes all rows of the batch.
    """
    found = await conn.fetchval(middle(plan, batch, rows))
    if found is None:
        # Most of its rows are old rows that cannot be taken apart.
        return None
    at = ctid.parse(found)
    if plan.shape.one_row_each:
        return Boundary(at, rows)
    if (
        await conn.fetchval(
            sql_cut.count_made(plan, batch.source, in_range(divided(batch.range, at)[0], plan))
        )
        == 0
    ):
        following = await conn.fetchval(following_row(plan, batch, at))
        if following is None:
            return None
        at = ctid.parse(following)
    first, second = batch.divided(at, 0, batch.number)
    (rows, old), (_, rest) = await counted(conn, plan, first), await counted(conn, plan, second)
    return Boundary(at, rows, (old, rest))


async def _made(of: _Cutting, plan: TablePlan, number: int, step: int | None) -> tuple[list[Part], str]:
    """Returns the ranges of a source of which a flow does not make one row each."""
    conn, digest = of.conn, of.digest
    if step is not None:
        source = plan.sources[number]
        counted = await pages.count_made(conn, of.ask, plan, number, step, digest=digest)
        cut_by_pages = await _by_pages(conn, source, step, counted)
        if cut_by_pages is not None:
            by_pages, most = cut_by_pages
            return pages.ranges(number, by_pages, most), by_pages.digest
    measured = partial(sql_cut.measure_made, plan, number, digest=digest)
    found = await conn.fetch(measured(step))
    there = sum(row["old_rows"] for row in found)
    if step is not None and there:
        size = await conn.fetchval(sql_cut.bytes_of(plan.sources[number]))
        smaller = max(SMALLEST_BATCH, there * BATCH_BYTES // max(size, 1))
        ordered = not all(row["ascending"] for row in found)
        if smaller < step or ordered:
            found = await conn.fetch(measured(min(step, smaller), ordered=ordered))
    parts = _joined(number, found)
    return parts, str(sum(int(row["digest"]) for row in found)) if digest else ""


def _joined(number: int, found: Sequence[asyncpg.Record]) -> list[Part]:
    """Returns the measured batches of a source as half-open ranges. First and last are open. A source without
    old rows is one batch.
    """
    if not found:
        return [Part(Whole(number), 0, OldRows(0))]
    # Old rows at the end that make no row need no transaction of their own.
    kept = found[:-1] if len(found) > 1 and not found[-1]["rows"] else found
    firsts = [ctid.parse(row["first"]) if n else None for n, row in enumerate(kept)]
    ranges = [
        Pages(number, start, end) if len(kept) > 1 else Whole(number)
        for start, end in zip(firsts, [*firsts[1:], None], strict=True)
    ]
    parts = [Part(range_, row["rows"], _old(row)) for range_, row in zip(ranges, kept, strict=True)]
    if len(kept) < len(found):
        parts[-1] = replace(parts[-1], old=old_rows([parts[-1].old, _old(found[-1])]))
    return parts


def _old(row: asyncpg.Record) -> OldRows:
    return OldRows(row["old_rows"], row["left_out"], row["no_items"], row["with_parent"])


async def versions(
    conn: asyncpg.Connection, plan: TablePlan, then: str = "", oldest: int = 0
) -> tuple[int, str]:
    """Returns the rows and the digest of a table, as :func:`measure` finds them.

    ``then``: the digest with which it will be compared; ``oldest``: the oldest transaction that was open in
    the snapshot of that digest. They say which form the digest has.
    """
    rows, digests, forms = 0, list[str](), then.split(" ")
    for number, source in enumerate(plan.sources):
        if source.pageable and number < len(forms) and pages.is_recent(forms[number]):
            there, digest = await pages.recent_versions(conn, source, oldest)
            rows += there
            digests.append(digest)
        elif source.pageable:
            seen = await conn.fetchrow(sql_cut.versions(source))
            rows += seen["rows"]
            digests.append(seen["digest"])
        else:
            rows += await conn.fetchval(sql_cut.count(source))
            digests.append("")
    return rows, " ".join(digests)


async def _by_pages(
    conn: asyncpg.Connection, source: Source, batch_rows: int, counted: pages.Counted | None
) -> tuple[pages.Counted, int] | None:
    """Returns the rows of a large heap by ranges of pages, and the most rows of a batch.

    None: it is not cut by pages, because it is small, or because a few of its rows fill a batch.
    """
    if counted is None:
        return None
    there = sum(old.read for old in counted.old) if counted.old else sum(counted.rows)
    most = most_rows(batch_rows, there, await conn.fetchval(sql_cut.bytes_of(source)))
    return (counted, most) if max(counted.rows) <= most else None


async def _pass(
    conn: asyncpg.Connection, number: int, source: Source, batch_rows: int, *, digest: bool
) -> _Pass:
    if not source.pageable:
        return _Pass(await conn.fetchval(sql_cut.count(source)), batch_rows, (), "")
    row = await conn.fetchrow(sql_cut.measure(source, batch_rows, digest=digest))
    firsts = row["firsts"]
    step = most_rows(batch_rows, row["rows"], await conn.fetchval(sql_cut.bytes_of(source)))
    if not row["ascending"]:
        firsts = await conn.fetchval(sql_cut.measure_sorted(source, step))
    elif step < batch_rows:
        firsts = (await conn.fetchrow(sql_cut.measure(source, step, digest=False)))["firsts"]
    return _Pass(row["rows"], step, tuple(ctid.parse(first) for first in firsts), row["digest"])


def _ranges(source: int, seen: _Pass) -> list[Part]:
    """Returns half-open ranges between the rows that open a batch, with their rows. First and last are
    open.
    """
    last = len(seen.firsts) - 1
    return [
        Part(
            Pages(source, seen.firsts[n] if n else None, seen.firsts[n + 1] if n < last else None),
            seen.step if n < last else seen.rows - seen.step * last,
        )
        for n in range(last + 1)
    ]
