"""``tranship rollback``: says what a run left in NEW, and deletes it with ``--live``. Sequences are set
back, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from tranship.config import Config
from tranship.errors import Refused
from tranship.errors.codes.rejects_only import TakenUpLater
from tranship.execution.resilience.connection import control
from tranship.execution.resilience.writer_lock import WriterLock, hold_epoch, lock_number, shut_out
from tranship.execution.results.on_record import unknown_run
from tranship.execution.rollback.choice import chosen_run
from tranship.execution.rollback.delete import RollbackContext, broken_off, roll_back
from tranship.execution.rollback.images import find_images
from tranship.execution.rollback.refusals import refuse
from tranship.execution.rollback.sequences import find_sequences, where_they_were_left
from tranship.execution.rollback.written import OfRuns, Others, Written, find_others, find_written
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.options import command_line
from tranship.model.progress import Noted
from tranship.server.catalog import read_catalog
from tranship.server.journal import Journal, Run, find_journal
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.new import sequences as sql_sequences


class RollbackTable(Struct, frozen=True):
    """One table of a rollback."""

    table: TableName
    written: int
    """Rows that the run wrote, by the journal."""
    unchanged: int
    """Rows that are still as the run wrote them; only these are deleted."""
    others: tuple[dict[str, str], ...] = ()
    """What names the first rows of the table that others wrote or changed since: their keys, or their places
    where it has no key. A table that several flows fill has the same in each.
    """
    gone: bool = False
    """The table was dropped, and its rows with it."""
    flow: str | UnsetType = UNSET
    """What a person calls the flow that wrote them; absent for a plain pair of tables."""
    updated: int = 0
    """Rows of NEW's own that the run changed, by the journal."""
    restored: int = 0
    """Those that get back the values that they had; of a preview: that nobody changed since."""
    not_restored: tuple[dict[str, str | None], ...] = ()
    """Keys of the first of the others; none in a preview."""
    old_table: TableName | UnsetType = UNSET
    """The table of OLD from which the rows came; absent where it has the name of the new one."""
    others_rows: int = 0
    """All rows of the table that others wrote or changed since; they stay."""
    others_of_runs: int = 0
    """The most of `others_rows` that may be rows of other runs on record, which others changed."""

    @property
    def missing(self) -> int:
        """The number of rows of the run that others changed or deleted since."""
        return self.written - self.unchanged if not self.gone else 0

    @property
    def left(self) -> int:
        """The most rows that stay and may once have been the run's, or that do not get back their values."""
        if self.gone:
            return 0
        return min(self.missing, self.others_rows) + self.updated - self.restored


class Rollback(Struct, frozen=True):
    """What a rollback deletes, or has deleted."""

    run: Run
    tables: tuple[RollbackTable, ...]
    sequences: tuple[TableName, ...]
    """Sequences set back."""
    sequences_left: tuple[TableName, ...]
    """Sequences that others have used since."""
    live: bool
    deleted: int = 0
    other_runs: int = 0
    """Other runs on record in NEW, whose rows stay."""
    sequences_needed: tuple[TableName, ...] = ()
    """Sequences that stay, because they would give numbers again that rows have which stay."""

    @property
    def stays(self) -> int:
        """The number of rows that others wrote or changed since and that stay. Rows of other runs are not
        among them as far as that is certain.
        """
        tables = {table.table: table for table in self.tables}.values()
        return sum(table.others_rows - self.foreign(table) for table in tables)

    def foreign(self, table: RollbackTable) -> int:
        """Returns how many of the rows of a table that stay count as rows of other runs on record."""
        # Where the run misses none of its rows, no row that others changed can be one of them.
        lacks = any(one.missing for one in self.tables if one.table == table.table)
        return 0 if lacks else table.others_of_runs


async def rollback(
    config: Config,
    *,
    live: bool,
    run: str | None = None,
    tell: Callable[[Noted], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> Rollback:
    """Rolls back the latest run from this OLD or the one named. Without ``live`` it only says what would be
    deleted.

    ``stop``, once set, ends the rollback after the piece in hand.

    Raises:
        UsageError: there is no such run, or nothing tells which one is meant.
        Refused: the run is at work, or rows of others refer to its rows.
        Stopped: it was interrupted; the same command resumes.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        chosen = await chosen_run(new, journal, config, run) if journal is not None else None
        if journal is None or chosen is None:
            raise await unknown_run(new, journal, config, run)
        await _refuse_taken_up(new, journal, chosen, config)
        key = lock_number(chosen.old_identity, chosen.new_identity)
        if not live:
            # The command that a preview ends with would be refused.
            await WriterLock.refuse_held(config, new, key, chosen.old_identity)
        catalog = await _catalog(new, journal)
        if not live:
            tables = await find_written(new, journal, chosen, catalog)
            await refuse(new, catalog, tables)
            return await _preview(new, journal, catalog, chosen, tables)
        async with WriterLock.hold(config, key, chosen.old_identity, take_over=False):
            chosen = replace(chosen, epoch=await shut_out(new, journal, chosen))
            tables = await find_written(new, journal, chosen, catalog)
            preview = await _preview(new, journal, catalog, chosen, tables)
            try:
                context = RollbackContext(journal, chosen, catalog, tell, stop or asyncio.Event())
                return await _carry_out(new, context, preview, tables)
            except DATABASE_TROUBLE as error:
                raise broken_off(chosen, error) from error


async def _refuse_taken_up(new: asyncpg.Connection, journal: Journal, run: Run, config: Config) -> None:
    """Refuses to roll back a run of which a later one moved rejected rows.

    Raises:
        Refused: there is one.
    """
    later = await new.fetch(journal.sql("takers"), run.id)
    if later:
        command = command_line("tranship", "rollback", *config.words, "--run", later[-1]["run"], "--live")
        raise Refused(TakenUpLater(run.id, later[-1]["run"], command))


async def _catalog(new: asyncpg.Connection, journal: Journal) -> Catalog:
    async with new.transaction(readonly=True):
        return await read_catalog(new, None, journal_schema=journal.schema)


async def _preview(
    new: asyncpg.Connection, journal: Journal, catalog: Catalog, run: Run, tables: tuple[Written, ...]
) -> Rollback:
    """Returns what a rollback would do."""
    found = await find_sequences(new, catalog, await journal.sequences(new, run.id), tables)
    others = await _others(new, journal, catalog, run, tables)
    listed = tuple(
        RollbackTable(
            w.task.flow.new,
            w.rows,
            w.found,
            others[w.task.flow.new].keys,
            w.gone,
            w.task.flow.name or UNSET,
            w.images.rows,
            w.images.ours,
            old_table=w.task.flow.old if w.task.flow.old != w.task.flow.new else UNSET,
            others_rows=others[w.task.flow.new].rows,
            others_of_runs=others[w.task.flow.new].of_runs,
        )
        for w in tables
    )
    back = tuple(move.name for move in found.back)
    others_on_record = len(await journal.runs(new, None)) - 1
    return Rollback(
        run,
        listed,
        back,
        found.moved_on,
        live=False,
        other_runs=others_on_record,
        sequences_needed=found.needed,
    )


async def _others(
    new: asyncpg.Connection, journal: Journal, catalog: Catalog, run: Run, tables: tuple[Written, ...]
) -> dict[TableName, Others]:
    """Returns by table the rows that neither this run nor another one of the journal wrote."""
    beside = await _beside(new, journal, run)
    found = {}
    for name in dict.fromkeys(written.task.flow.new for written in tables):
        ours = [written for written in tables if written.task.flow.new == name]
        # Of a run that wrote no row into the table nothing can stay there.
        any_rows = any(written.rows for written in ours)
        others = Others()
        if any_rows:
            others = await find_others(new, catalog, name, ours, beside.get(name, OfRuns()))
        found[name] = others
    return found


async def _beside(new: asyncpg.Connection, journal: Journal, run: Run) -> dict[TableName, OfRuns]:
    """Returns by table what the other runs of the journal wrote."""
    beside: dict[TableName, OfRuns] = {}
    for other in await journal.runs(new, None):
        if other.id == run.id:
            continue
        tasks = await journal.tasks(new, other.id)
        names = {task.position: task.flow.new for task in tasks}
        for batch in await journal.batches(new, tasks, other.id):
            name = names[batch.position]
            known = beside.get(name, OfRuns())
            # A run before NEW was restored from a dump left rows without its transactions.
            rows = batch.written if other.new_identity == run.new_identity else 0
            beside[name] = OfRuns(
                (*known.xids, *batch.xids), (*known.update_xids, *batch.update_xids), known.rows + rows
            )
    return beside


async def _carry_out(
    new: asyncpg.Connection, context: RollbackContext, preview: Rollback, tables: tuple[Written, ...]
) -> Rollback:
    journal = context.journal
    deleted = await roll_back(new, context, tables)
    after = [
        await find_images(new, journal, preview.run, context.catalog, written.task) for written in tables
    ]
    done = tuple(
        replace(table, restored=table.updated - images.rows, not_restored=images.keys)
        for table, images in zip(preview.tables, after, strict=True)
    )
    async with new.transaction():
        await hold_epoch(new, journal, preview.run.id, preview.run.epoch)
        # Looked at again: deleting may have taken hours, in which others used the sequences.
        now = await where_they_were_left(new, await journal.sequences(new, preview.run.id))
        back = [moved for moved in now.back if moved.name not in preview.sequences_needed]
        for moved in back:
            await new.execute(
                sql_sequences.set_sequence(moved.name, moved.before, called=moved.before_called)
            )
        if journal.format > 1:
            await new.execute(journal.sql("keep_rolled_back"), preview.run.id, preview.stays)
        for statement in journal.sql.forget_run:
            await new.execute(statement, preview.run.id)
    needed = tuple(name for name in preview.sequences_needed if name not in now.moved_on)
    return replace(
        preview,
        tables=done,
        sequences=tuple(moved.name for moved in back),
        sequences_left=now.moved_on,
        sequences_needed=needed,
        live=True,
        deleted=deleted,
    )
