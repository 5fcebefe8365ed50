"""Cuts the sources of a table into batches: one pass counts the rows and finds where each batch begins."""

from __future__ import annotations

import asyncpg
from msgspec import Struct

from tranship.model.locator import Address, Pages, Range, Whole
from tranship.model.plan import Source, TablePlan
from tranship.model.progress import Batch
from tranship.sql import ctid
from tranship.sql import session as statements
from tranship.sql.old import cut as sql_cut

BATCH_BYTES = 64 * 1024 * 1024
"""Most bytes of a batch on OLD's disk, so that a batch of wide rows is not one long transaction."""
SMALLEST_BATCH = 100
_TID_RANGE_SCAN = 14
"""The server version from which a range of ctids reads only its own pages (TID Range Scan)."""


class Cut(Struct, frozen=True):
    """The batches and the rows of a table in one snapshot."""

    batches: tuple[Batch, ...]
    rows: int
    digest: str
    """A hash over the row versions that does not depend on their order.

    It is equal in two snapshots if nobody wrote to the table in between. Empty when not asked for.
    """


class _Pass(Struct, frozen=True):
    """The rows of a source, and the row that opens each batch of ``step`` rows."""

    rows: int
    step: int
    firsts: tuple[Address, ...]
    digest: str


async def cut(conn: asyncpg.Connection, plan: TablePlan, batch_rows: int) -> tuple[Batch, ...]:
    """Returns the batches of a table, in physical order, source by source.

    ``conn`` is in a transaction on the snapshot. Every batch but a source's last one holds exactly
    ``batch_rows`` rows, or fewer when rows are large. Together they hold every row once.
    """
    return (await measure(conn, plan, batch_rows, digest=False)).batches


async def measure(
    conn: asyncpg.Connection, plan: TablePlan, batch_rows: int, *, digest: bool = True, whole: bool = False
) -> Cut:
    """Returns the batches with the exact number of rows and, if wanted, the digest.

    ``whole``: makes one batch per source.
    """
    await conn.execute(statements.set_local("synchronize_seqscans", "off"))
    await conn.execute(statements.set_local("max_parallel_workers_per_gather", "0"))
    batches: list[Batch] = []
    digests: list[str] = []
    rows = 0
    for number, source in enumerate(plan.sources):
        seen = await _pass(conn, number, source, batch_rows, digest=digest)
        digests.append(seen.digest)
        rows += seen.rows
        if whole or len(seen.firsts) < 2 or conn.get_server_version().major < _TID_RANGE_SCAN:
            ranges: list[tuple[Range, int]] = [(Whole(number), seen.rows)] if seen.rows else []
        else:
            ranges = _ranges(number, seen)
        batches += [
            Batch(len(batches) + n, plan.flow, range_, count) for n, (range_, count) in enumerate(ranges)
        ]
    return Cut(tuple(batches), rows, " ".join(digests) if digest else "")


async def versions(conn: asyncpg.Connection, plan: TablePlan) -> tuple[int, str]:
    """Returns the rows and the digest of a table, as :func:`measure` finds them."""
    rows, digests = 0, []
    for source in plan.sources:
        if source.pageable:
            seen = await conn.fetchrow(sql_cut.versions(source))
            rows += seen["rows"]
            digests.append(seen["digest"])
        else:
            rows += await conn.fetchval(sql_cut.count(source))
            digests.append("")
    return rows, " ".join(digests)


async def _pass(
    conn: asyncpg.Connection, number: int, source: Source, batch_rows: int, *, digest: bool
) -> _Pass:
    if not source.pageable:
        return _Pass(await conn.fetchval(sql_cut.count(source)), batch_rows, (), "")
    row = await conn.fetchrow(sql_cut.measure(source, batch_rows, digest=digest))
    step, firsts = batch_rows, row["firsts"]
    size = await conn.fetchval(sql_cut.bytes_of(source))
    if row["rows"] and size > BATCH_BYTES and batch_rows > SMALLEST_BATCH:
        step = max(SMALLEST_BATCH, min(batch_rows, row["rows"] * BATCH_BYTES // size))
    if not row["ascending"]:
        firsts = await conn.fetchval(sql_cut.measure_sorted(source, step))
    elif step < batch_rows:
        firsts = (await conn.fetchrow(sql_cut.measure(source, step, digest=False)))["firsts"]
    return _Pass(row["rows"], step, tuple(ctid.parse(first) for first in firsts), row["digest"])


def _ranges(source: int, seen: _Pass) -> list[tuple[Range, int]]:
    """Returns half-open ranges between the rows that open a batch, with their rows. First and last are
    open.
    """
    last = len(seen.firsts) - 1
    return [
        (
            Pages(source, seen.firsts[n] if n else None, seen.firsts[n + 1] if n < last else None),
            seen.step if n < last else seen.rows - seen.step * last,
        )
        for n in range(last + 1)
    ]
