"""Taking rows back: exactly those whose xmin is a transaction of the run, everything else is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import asyncpg
from msgspec import Struct

from tranship.errors import Refused
from tranship.execution.failpoints import failpoint
from tranship.execution.switches import DELETE, SwitchBoard, Switches, firing, may_be_replica
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.progress import Noted
from tranship.model.resolution import Problem
from tranship.server.journal import BatchRow, Journal, Run, TaskRow
from tranship.sql import statements
from tranship.sql.quote import ident, relation

WRAP = 2**31
"""Transactions after which the 32 bits of a xmin no longer prove whose row it is."""


class Written(Struct, frozen=True):
    """What a run wrote into one table of NEW."""

    task: TaskRow
    rows: int
    """By the journal."""
    xids: tuple[int, ...]
    found: int = 0
    """Rows that still carry one of the transactions; fewer than ``rows``: others changed or deleted some since."""


async def written(new: asyncpg.Connection, journal: Journal, run: Run, *, unfinished_only: bool = False) -> tuple[Written, ...]:
    """Per table what the run wrote and what of it is still as it was; tables in plan order.

    Raises:
        Refused: too many transactions ran since for a xmin to prove anything.
    """
    tasks = await journal.tasks(new, run.id)
    batches = await journal.batches(new, tasks, run.id)
    current = await new.fetchval(statements.CURRENT_XID)
    oldest = min((xid for b in batches for xid in b.xids if xid >= 2**32 or current < 2**32), default=current)
    if current - oldest > WRAP:
        raise Refused("TS351", "too many transactions ran in NEW since: a row no longer proves that the run wrote it", object=run.id)
    found = []
    for task in tasks:
        if unfinished_only and task.done:
            continue
        mine: Sequence[BatchRow] = [b for b in batches if b.position == task.position and b.done]
        xids = tuple(xid for b in mine for xid in b.xids)
        count = await new.fetchval(statements.count_ours(task.new, xids)) if xids else 0
        found.append(Written(task, sum(b.written for b in mine), xids, count))
    return tuple(found)


async def take_back(
    new: asyncpg.Connection, journal: Journal, run: Run, catalog: Catalog, tables: Sequence[Written], tell: Callable[[Noted], None]
) -> int:
    """Delete the rows, later tables first, and mark their batches as to do again; the number of rows.

    Raises:
        Refused: this role may not delete them, or rows that others wrote refer to them.
    """
    by_name = {w.task.new: w for w in tables}
    _refuse_without_rights(catalog, tables)
    await _refuse_children(new, catalog, tables)
    replica = await may_be_replica(new)
    board = SwitchBoard(journal, run.id, None, tell)
    triggers = [t for name in by_name if (table := catalog.table(name)) is not None for t in await firing(new, table, DELETE)]
    switches = Switches(replica=replica, disable=tuple(t for t in triggers if t.state in ("AR" if replica else "OA")))
    try:
        await board.off(new, switches, keys=False)
        async with new.transaction():
            if replica:
                await new.execute(statements.REPLICA)
            merged = _merged(tables)
            row = await new.fetchrow(statements.delete_ours(merged)) if merged else ()
            for task in (w.task for w in tables):
                await new.execute(journal.sql.taken_back, run.id, task.position)
                await new.execute(journal.sql.forget_rejects, run.id, task.position)
            await failpoint("takeback.deleted")
    finally:
        await board.on(new)
    return sum(row)


def _refuse_without_rights(catalog: Catalog, tables: Sequence[Written]) -> None:
    held = [table for name, _ in _merged(tables) if (table := catalog.table(name)) is not None]
    problems = tuple(
        Problem(
            "TS354", str(t.name), f"{catalog.user} lacks DELETE on {t.name} of NEW", f"GRANT DELETE ON {relation(t.name)} TO {ident(catalog.user)};"
        )
        for t in held
        if "DELETE" not in t.privileges
    )
    if problems:
        raise Refused("TS354", "\n".join(p.message for p in problems), problems=problems, hint=problems[0].hint)


async def _refuse_children(new: asyncpg.Connection, catalog: Catalog, tables: Sequence[Written]) -> None:
    xids: dict[TableName, Sequence[int]] = dict(_merged(tables))
    problems = []
    for child in catalog.tables:
        for key in child.foreign_keys:
            if not xids.get(key.target):
                continue
            count = await new.fetchval(statements.foreign_children(child.name, key, xids.get(child.name, ()), xids[key.target]))
            if count:
                message = f"{count} rows of {child.name} that this run did not write refer to rows of {key.target} that it wrote ({key.name})"
                problems.append(Problem("TS352", str(child.name), message, "delete or re-point them first"))
    if problems:
        raise Refused("TS352", "\n".join(p.message for p in problems), problems=tuple(problems), hint=problems[0].hint)


def _merged(tables: Sequence[Written]) -> list[tuple[TableName, Sequence[int]]]:
    """Transactions per table of NEW; several old tables may fill one."""
    merged: dict[TableName, list[int]] = {}
    for w in tables:
        if w.xids:
            merged.setdefault(w.task.new, []).extend(w.xids)
    return list(merged.items())
