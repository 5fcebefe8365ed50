"""``tranship rollback``: takes back what a run wrote, sequences included; looks first, deletes only when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.config import Config
from tranship.errors import UsageError
from tranship.errors.codes.runs import NoRun, NoSuchRun
from tranship.execution.resilience.connection import control
from tranship.execution.resilience.writer_lock import WriterLock, hold_epoch, lock_number, shut_out
from tranship.execution.rollback.delete import (
    RollbackContext,
    Written,
    broken_off,
    roll_back,
    rows_of_others,
    written,
)
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.options import command_line
from tranship.model.progress import Noted
from tranship.server.catalog import read_catalog
from tranship.server.journal import Journal, Run, SequenceMove, find_journal
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.new import sequences as sql_sequences


class RollbackTable(Struct, frozen=True):
    """One table: rows by the journal, rows that are still as the run wrote them (only these go), rows changed or deleted by others since (left)."""

    table: TableName
    written: int
    unchanged: int
    others: tuple[dict[str, str], ...] = ()
    """Keys of the first rows that others wrote or changed since, where rows are left: the changed ones are among them."""

    @property
    def left(self) -> int:
        """Rows that can no longer be proven to be the run's."""
        return self.written - self.unchanged


class Rollback(Struct, frozen=True):
    """What a rollback takes back or took back."""

    run: Run
    tables: tuple[RollbackTable, ...]
    sequences: tuple[TableName, ...]
    """Sequences set back."""
    sequences_left: tuple[TableName, ...]
    """Moved on by others since."""
    live: bool
    deleted: int = 0


async def rollback(
    config: Config,
    *,
    live: bool,
    run: str | None = None,
    tell: Callable[[Noted], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> Rollback:
    """Take back the latest run (or the one named); without ``live`` only say what would go. ``stop``, once set, ends it after the piece in hand.

    Raises:
        UsageError: there is no such run.
        Refused: it is running, or rows of others refer to its rows.
        Stopped: interrupted in the middle; the same again goes on.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        chosen = await _chosen(new, journal, run) if journal is not None else None
        if journal is None or chosen is None:
            raise _unknown(run, config)
        catalog = await _catalog(new, journal)
        if not live:
            return await _told(new, journal, catalog, chosen, await written(new, journal, chosen))
        key = lock_number(chosen.old_identity, chosen.new_identity)
        async with WriterLock.hold(config, key, chosen.old_identity, take_over=False):
            chosen = replace(chosen, epoch=await shut_out(new, journal, chosen))
            tables = await written(new, journal, chosen)
            told = await _told(new, journal, catalog, chosen, tables)
            try:
                context = RollbackContext(journal, chosen, catalog, tell, stop or asyncio.Event())
                return await _carry_out(new, context, told, tables)
            except DATABASE_TROUBLE as error:
                raise broken_off(chosen, error) from error


async def _chosen(new: asyncpg.Connection, journal: Journal, run: str | None) -> Run | None:
    """The run that is named, else the latest; None: there is no such run."""
    chosen = [r for r in await journal.runs(new, None) if run is None or r.id == run]
    return chosen[-1] if chosen else None


def _unknown(run: str | None, config: Config) -> UsageError:
    status = command_line("tranship", "status", config.path)
    return UsageError(NoSuchRun(status, run) if run else NoRun(status))


async def _catalog(new: asyncpg.Connection, journal: Journal) -> Catalog:
    async with new.transaction(readonly=True):
        return await read_catalog(new, None, journal_schema=journal.schema)


async def _told(
    new: asyncpg.Connection, journal: Journal, catalog: Catalog, run: Run, tables: tuple[Written, ...]
) -> Rollback:
    back, left = await _sequences(new, await journal.sequences(new, run.id))
    others = [await rows_of_others(new, catalog, w) if w.found < w.rows else () for w in tables]
    listed = tuple(
        RollbackTable(w.task.flow.new, w.rows, w.found, keys) for w, keys in zip(tables, others, strict=True)
    )
    return Rollback(run, listed, tuple(m.name for m in back), tuple(m.name for m in left), live=False)


async def _sequences(
    new: asyncpg.Connection, moves: Sequence[SequenceMove]
) -> tuple[list[SequenceMove], list[SequenceMove]]:
    """Those that still stand where the run left them, and those that others moved on since."""
    mine: list[SequenceMove] = []
    left: list[SequenceMove] = []
    for moved in moves:
        row = await new.fetchrow(sql_sequences.sequence_state(moved.name))
        still = (int(row["last"]), row["called"]) == (moved.after, moved.after_called)
        (mine if still else left).append(moved)
    return mine, left


async def _carry_out(
    new: asyncpg.Connection, context: RollbackContext, told: Rollback, tables: tuple[Written, ...]
) -> Rollback:
    journal = context.journal
    deleted = await roll_back(new, context, tables)
    async with new.transaction():
        await hold_epoch(new, journal, told.run.id, told.run.epoch)
        # Looked at again: taking the rows back may have taken hours, in which others drew from them.
        back, left = await _sequences(new, await journal.sequences(new, told.run.id))
        for moved in back:
            await new.execute(
                sql_sequences.set_sequence(moved.name, moved.before, called=moved.before_called)
            )
        for statement in journal.sql.forget_run:
            await new.execute(statement, told.run.id)
    sequences, sequences_left = (tuple(m.name for m in moves) for moves in (back, left))
    return Rollback(told.run, told.tables, sequences, sequences_left, live=True, deleted=deleted)
