"""Whether NEW still holds the rows that the journal says it holds.

The journal is no proof of them: a table of NEW may have been emptied, thinned out or replaced by somebody,
or be UNLOGGED and emptied by a crash of its server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec
from msgspec import Struct

from tranship.errors import Stopped
from tranship.errors.codes.differs import RowsMissing, TableReplaced
from tranship.errors.codes.stops import RowsGone, TableSwapped
from tranship.execution.active_run import ActiveRun, Task, fence
from tranship.model.names import TableName
from tranship.model.resolution import Problem
from tranship.server.identity import read_identity
from tranship.server.journal import BatchRow, Journal, RelationIdentity, Run, TaskRow
from tranship.sql.new.counting import NEXT_XID, TOGETHER, WRAP, count_written, each
from tranship.sql.queries import query
from tranship.sql.quote import relation


class Claim(Struct, frozen=True):
    """What the journal says that a flow left in a table of NEW."""

    table: TableName
    rows: int
    xids: tuple[int, ...]
    oldest: int
    """The first transaction, of 64 bits."""
    relation: RelationIdentity | None = None
    """The relation that received the rows, as it was before the first of them."""


class Shortfall(Struct, frozen=True):
    """A table of NEW that does not hold what was written to it."""

    table: TableName
    rows: int
    """Written by the journal."""
    found: int
    """At most so many of them are there."""
    replaced: bool = False
    """Another relation has its name now."""

    @property
    def stopped(self) -> Stopped:
        """What a run raises that cannot go on with this."""
        if self.replaced:
            return Stopped(TableSwapped(self.table, self.rows))
        return Stopped(RowsGone(self.table, self.rows, self.found))

    @property
    def problem(self) -> Problem:
        """What the result of a finished run says."""
        if self.replaced:
            return TableReplaced(self.table, self.rows).problem()
        return RowsMissing(self.table, self.rows, self.found).problem()


async def shortfalls(new: asyncpg.Connection, claims: Iterable[Claim], *, native: bool) -> list[Shortfall]:
    """Returns the tables that lack rows, after one pass over each.

    Rows that others changed since carry other transactions; as many as others wrote since are taken for
    such. ``native``: the rows were written on this server; else (a dump that was restored elsewhere) they
    carry other transactions, and a table's whole count has to do.
    """
    by_table: dict[TableName, list[Claim]] = {}
    for claim in claims:
        by_table.setdefault(claim.table, []).append(claim)
    mine = [_Written(table, tuple(some)) for table, some in by_table.items() if any(one.rows for one in some)]
    found: list[Shortfall] = []
    for first in range(0, len(mine), TOGETHER):
        found += await _shortfalls(new, mine[first : first + TOGETHER], native=native)
    return found


class _Written(Struct, frozen=True):
    """What runs left in one table of NEW."""

    table: TableName
    claims: tuple[Claim, ...]

    @property
    def rows(self) -> int:
        """The rows of all claims."""
        return sum(claim.rows for claim in self.claims)

    @property
    def oldest(self) -> int:
        """The first transaction of them."""
        return min(claim.oldest for claim in self.claims if claim.xids)

    def counting(self, now: RelationIdentity) -> str:
        """Returns the query that counts the table, which is this relation now."""
        xids = [xid for claim in self.claims for xid in claim.xids]
        # The rows of a partitioned table, which has no file, are in its partitions. What inherits from
        # another table has rows of its own.
        only = "" if now.filenode is None else "ONLY "
        return count_written(f"{only}{relation(self.table)}", xids, self.oldest)


async def _shortfalls(
    new: asyncpg.Connection, written: Sequence[_Written], *, native: bool
) -> list[Shortfall]:
    now = await identities_of(new, [one.table for one in written])
    there = [one for one in written if not _is_replaced(one, now, native=native)]
    lost = [Shortfall(one.table, one.rows, 0, replaced=True) for one in written if one not in there]
    return [*lost, *(await _short(new, there, now, native=native) if there else [])]


async def _short(
    new: asyncpg.Connection,
    written: Sequence[_Written],
    now: Mapping[TableName, RelationIdentity],
    *,
    native: bool,
) -> list[Shortfall]:
    """Returns what tables lack that received the rows; each of them may hold so many of them at most."""
    proving = native and await new.fetchval(NEXT_XID) - min(one.oldest for one in written) <= WRAP
    counted = await new.fetch(each([one.counting(now[one.table]) for one in written]))
    most = {row["n"]: row["ours"] + row["others"] if proving else row["whole"] for row in counted}
    return [Shortfall(one.table, one.rows, most[n]) for n, one in enumerate(written) if most[n] < one.rows]


def _is_replaced(written: _Written, now: Mapping[TableName, RelationIdentity], *, native: bool) -> bool:
    """Returns whether there is no such table, or another one than received the rows."""
    there = now.get(written.table)
    return there is None or (native and _replaced(written.claims, there))


def _replaced(claims: Sequence[Claim], now: RelationIdentity) -> bool:
    """Returns whether another relation than this one received some of the rows."""
    return any(claim.relation is not None and claim.relation.oid != now.oid for claim in claims)


async def identities_of(
    new: asyncpg.Connection, tables: Sequence[TableName]
) -> dict[TableName, RelationIdentity]:
    """Returns the relations that have these names now."""
    schemas, names = [table.schema for table in tables], [table.name for table in tables]
    rows = await new.fetch(query("relation_identities"), schemas, names)
    return {
        tables[row["n"] - 1]: RelationIdentity(row["oid"], row["filenode"], row["persistence"])
        for row in rows
    }


def claim_of(task: Task) -> Claim:
    """Returns what the batches that are done say of a table of the run."""
    return _claim(task.plan.new, task.done, task.relation)


def _claim(table: TableName, done: Sequence[BatchRow], relation: RelationIdentity | None) -> Claim:
    # Rows of NEW's own that were changed are there as well, and are nobody else's.
    xids = tuple(xid for row in done for xid in (*row.xids, *row.update_xids))
    # The first transaction of a batch is its own, of 64 bits; of those of its savepoints 32 bits are known.
    oldest = min((row.xids[0] for row in done if row.xids), default=0)
    return Claim(table, sum(row.written + row.updated for row in done), xids, oldest, relation)


async def journalled_claims(
    new: asyncpg.Connection, journal: Journal, places: Sequence[tuple[Run, TaskRow]]
) -> list[tuple[Run, Claim]]:
    """Returns what the journal says of tables that earlier runs moved."""
    claims = []
    for run in {run.id: run for run, _ in places}.values():
        tasks = [task for other, task in places if other.id == run.id]
        batches = await journal.batches(new, await journal.tasks(new, run.id), run.id)
        for task in tasks:
            done = [batch for batch in batches if batch.position == task.position and batch.xids]
            claims.append((run, _claim(task.flow.new, done, task.relation)))
    return claims


async def check_counted(live: ActiveRun, new: asyncpg.Connection, tasks: Sequence[Task]) -> None:
    """Counts the rows of these tables of the run in NEW.

    Raises:
        Stopped: rows that the run had committed are not there.
    """
    found = await shortfalls(new, [claim_of(task) for task in tasks], native=live.native)
    if found:
        raise found[0].stopped


async def fix_relations(live: ActiveRun, tasks: Sequence[Task], new: asyncpg.Connection) -> None:
    """Records before their first row which relations receive the rows of these tables; what is recorded
    stays.

    Raises:
        Stopped: another run took over, or another relation has the name of one that received rows.
    """
    async with new.transaction():
        await fence(live.worker, new)
        kept = await keep_relations(live, tasks, new)
        for task in tasks:
            task.relation = kept[task.position]


async def keep_relations(
    live: ActiveRun, tasks: Sequence[Task], new: asyncpg.Connection
) -> dict[int, RelationIdentity | None]:
    """Records the relations in the caller's transaction. Returns what is kept, by the task's position."""
    there = await identities_of(new, [task.plan.new for task in tasks])
    now = [msgspec.json.encode(there.get(task.plan.new)).decode() for task in tasks]
    positions = [task.position for task in tasks]
    rows = await new.fetch(live.context.journal.sql("fix_relations"), live.run, positions, now)
    return {
        row["position"]: msgspec.json.decode(row["relation"], type=RelationIdentity | None) for row in rows
    }


async def moved_shortfalls(
    new: asyncpg.Connection, journal: Journal, places: Sequence[tuple[Run, TaskRow]]
) -> dict[TableName, Problem]:
    """Returns for each table that finished runs moved, and that lacks rows, what the result says of it."""
    here = (await read_identity(new)).key
    claims = await journalled_claims(new, journal, places)
    found: dict[TableName, Problem] = {}
    for native in (True, False):
        mine = [claim for run, claim in claims if (run.new_identity == here) is native]
        found |= {one.table: one.problem for one in await shortfalls(new, mine, native=native)}
    return found
