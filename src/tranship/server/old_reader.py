"""OLD behind a port: what a run needs of the database that it reads.

`OldReader` is one transaction on the run's snapshot. It cuts tables into batches, proves that nobody wrote
to them, streams the rows of a batch, and names them. PostgreSQL is the only database behind it. The data
checks still read OLD through `PostgresReader.connection`, because NEW's types decide what they ask.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import asyncpg
from msgspec import Struct

from tranship.model.catalog import Table
from tranship.model.locator import Locator
from tranship.model.plan import Source, TablePlan
from tranship.model.progress import Batch, OldRows
from tranship.server import cut as cutting
from tranship.server import portion
from tranship.server.pages import ALONE, Counting
from tranship.server.portion import Advance
from tranship.sql.joins import Bindings
from tranship.sql.old import cut as sql_cut
from tranship.sql.old.batch import Wanted, select_batch, select_identified, select_wanted
from tranship.sql.old.ids import select_ids
from tranship.sql.row_id import parse

Write = Callable[[bytes], Awaitable[None]]
"""Takes the next bytes of a stream."""


class Portion(Struct, frozen=True):
    """The rows of a batch that are to be copied, as NEW's columns take them."""

    plan: TablePlan
    table: Table
    """OLD's table of the plan."""
    batch: Batch
    excluded: Sequence[Locator] = ()
    bindings: Bindings = ()
    """The entries of NEW's lookup tables for the keys of this batch."""
    in_key_order: bool = False
    wanted: Wanted | None = None
    """What `OldReader.stream_wanted` sends of them."""


class OldReader(Protocol):
    """A transaction on the run's snapshot of OLD."""

    async def cut(
        self, plan: TablePlan, batch_rows: int, *, digest: bool, counting: Counting = ALONE
    ) -> cutting.Cut:
        """Returns the batches of a table, with the exact number of rows of each; ``counting`` says how
        ranges of its pages are counted.
        """
        ...

    async def cut_several(
        self,
        plans: Sequence[TablePlan],
        batch_rows: int,
        *,
        digest: bool,
        counting: Counting = ALONE,
    ) -> list[cutting.Cut]:
        """Returns the same for several tables, in their order, with few statements for small ones."""
        ...

    async def advance(
        self, plan: TablePlan, uncounted: Batch, digest: str, at_most: tuple[int, int]
    ) -> Advance:
        """Counts more of what a cut left uncounted; ``digest``: of what is counted; ``at_most``: rows of a
        batch, and ranges of pages that are counted.
        """
        ...

    async def versions(self, plan: TablePlan, then: str, oldest: int) -> tuple[int, str]:
        """Returns the rows of a table and the digest over them, as `cut` did, to be compared with the digest
        ``then`` of a snapshot whose oldest open transaction is given.
        """
        ...

    async def newer(self, source: Source, horizon: int) -> tuple[int, bool]:
        """Returns the rows of a source, and whether one may be newer than the transaction ``horizon``."""
        ...

    async def stream(self, portion: Portion, write: Write, *, binary: bool) -> int:
        """Writes the rows of a portion in COPY format. Returns how many OLD says that it sent.

        Raises:
            ValueError: the stream did not end as COPY ends.
        """
        ...

    async def stream_identified(self, portion: Portion, write: Write) -> int:
        """Writes the rows as lines of text COPY with their address in front, in a fixed order.

        Returns how many rows OLD says that it sent.

        Raises:
            ValueError: the stream did not end as COPY ends.
        """
        ...

    async def stream_wanted(self, portion: Portion, write: Write) -> int:
        """Writes what is wanted of a portion as lines of text COPY with their address in front, in any order.

        Returns how many rows OLD says that it sent.

        Raises:
            ValueError: the stream did not end as COPY ends.
        """
        ...

    async def rows_of(self, plan: TablePlan, batch: Batch) -> list[Locator]:
        """Returns the rows of a batch, in order."""
        ...

    async def boundary(self, plan: TablePlan, batch: Batch, rows: int) -> cutting.Boundary | None:
        """Returns the place before which a batch has about so many rows. None: it cannot be divided."""
        ...

    async def counted(self, plan: TablePlan, batch: Batch) -> tuple[int, OldRows | None]:
        """Returns the rows in a batch's range, and the old rows behind them."""
        ...


class PostgresReader:
    """An `OldReader` on a connection to PostgreSQL."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def cut(
        self, plan: TablePlan, batch_rows: int, *, digest: bool, counting: Counting = ALONE
    ) -> cutting.Cut:
        """Returns the batches of a table; see `OldReader`."""
        (found,) = await self.cut_several([plan], batch_rows, digest=digest, counting=counting)
        return found

    async def cut_several(
        self,
        plans: Sequence[TablePlan],
        batch_rows: int,
        *,
        digest: bool,
        counting: Counting = ALONE,
    ) -> list[cutting.Cut]:
        """Returns the batches of several tables; see `OldReader`."""
        return await cutting.measure_several(
            self.connection, plans, batch_rows, digest=digest, counting=counting
        )

    async def advance(
        self, plan: TablePlan, uncounted: Batch, digest: str, at_most: tuple[int, int]
    ) -> Advance:
        """Counts more of a table; see `OldReader`."""
        return await portion.advance(self.connection, plan, uncounted, digest, at_most)

    async def versions(self, plan: TablePlan, then: str, oldest: int) -> tuple[int, str]:
        """Returns rows and digest of a table; see `OldReader`."""
        return await cutting.versions(self.connection, plan, then, oldest)

    async def newer(self, source: Source, horizon: int) -> tuple[int, bool]:
        """Returns rows, and whether one may be newer; a rewritten heap shows no age. See `OldReader`."""
        row = await self.connection.fetchrow(sql_cut.newer(source, horizon))
        return row["rows"], row["newer"] > 0 or row["rewritten"]

    async def rewritten(self, source: Source, horizon: int) -> bool:
        """Returns whether the heap of a source may have been rewritten since the transaction ``horizon``."""
        found: bool = await self.connection.fetchval(sql_cut.rewritten(source, horizon))
        return found

    async def stream(self, portion: Portion, write: Write, *, binary: bool) -> int:
        """Writes the rows of a portion; see `OldReader`."""
        select = select_batch(
            portion.plan,
            portion.table,
            portion.batch,
            excluded=portion.excluded,
            bindings=portion.bindings,
            in_key_order=portion.in_key_order,
        )
        if portion.plan.serial and not portion.in_key_order:
            select = sql_cut.in_physical_order(select, portion.plan)
        return await self._copy(select, write, "binary" if binary else "text")

    async def stream_identified(self, portion: Portion, write: Write) -> int:
        """Writes the rows with their addresses; see `OldReader`."""
        select = select_identified(
            portion.plan,
            portion.table,
            portion.batch,
            excluded=portion.excluded,
            bindings=portion.bindings,
            in_key_order=portion.in_key_order,
        )
        return await self._copy(select, write, "text")

    async def stream_wanted(self, portion: Portion, write: Write) -> int:
        """Writes some columns of some rows; see `OldReader`."""
        if portion.wanted is None:
            raise ValueError(f"{portion.plan.flow}: nothing is chosen")
        select = select_wanted(
            portion.plan,
            portion.table,
            portion.batch,
            portion.wanted,
            excluded=portion.excluded,
            bindings=portion.bindings,
        )
        return await self._copy(select, write, "text")

    async def rows_of(self, plan: TablePlan, batch: Batch) -> list[Locator]:
        """Returns the rows of a batch; see `OldReader`."""
        found = await self.connection.fetch(select_ids(plan, batch))
        return [parse(batch.source, id_) for (id_,) in found]

    async def boundary(self, plan: TablePlan, batch: Batch, rows: int) -> cutting.Boundary | None:
        """Returns the place at which a batch is divided; see `OldReader`."""
        return await cutting.boundary(self.connection, plan, batch, rows)

    async def counted(self, plan: TablePlan, batch: Batch) -> tuple[int, OldRows | None]:
        """Returns the rows in a range; see `OldReader`."""
        return await cutting.counted(self.connection, plan, batch)

    async def _copy(self, select: str, write: Write, form: str) -> int:
        return tag_rows(await self.connection.copy_from_query(select, output=write, format=form))


def tag_rows(tag: str) -> int:
    """Returns the number in a completion tag ``COPY n``.

    Raises:
        ValueError: it is another tag, so the stream did not end as COPY ends.
    """
    word, _, number = tag.partition(" ")
    if word != "COPY":
        raise ValueError(f"not a completion of COPY: {tag!r}")
    return int(number)
