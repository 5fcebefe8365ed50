"""``tranship status``: where the runs of a journal stand."""

from __future__ import annotations

import asyncpg
from msgspec import Struct

from tranship.config import Config
from tranship.errors import Refused
from tranship.errors.codes.runs import RunAtWork, RunsNotFinished, StillSwitchedOff
from tranship.execution.resilience.connection import control
from tranship.execution.resilience.writer_lock import at_work
from tranship.model.names import TableName
from tranship.model.options import command_line
from tranship.server.journal import Journal, Run, RunStatus, Undo, find_journal, remove_journal


class TableState(Struct, frozen=True):
    """One table of a run."""

    table: TableName
    new_table: TableName
    rows: int
    read: int
    written: int
    rejected: int
    batches: int
    batches_done: int
    done: bool


class RunState(Struct, frozen=True):
    """One run."""

    run: Run
    running: bool
    """Its writer lock is held: somebody works on it right now."""
    tables: tuple[TableState, ...]
    bytes: int
    seconds: float
    """Spent on the batches that are done, over all streams."""
    switched_off: tuple[Undo, ...]
    rolling_back: bool = False
    """Taking its rows back was begun and not ended."""

    @property
    def rows(self) -> tuple[int, int]:
        """Rows settled, and rows in all."""
        return sum(t.read for t in self.tables), sum(t.rows for t in self.tables)


async def status(config: Config) -> tuple[RunState, ...]:
    """All runs that the journal of NEW knows, oldest first; empty without a journal. Changes nothing."""
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            return ()
        return tuple([await _state(new, journal, run) for run in await journal.runs(new, None)])


async def purge(config: Config) -> tuple[Run, ...]:
    """Removes the journal, rejected rows included; the runs that it held.

    Raises:
        Refused: a run is not finished, or something is still switched off.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            return ()
        await _all_over(new, journal, config)
        runs: list[Run] = []

        async def still() -> None:
            runs.extend(await _all_over(new, journal, config))

        try:
            await remove_journal(new, journal, still)
        except asyncpg.LockNotAvailableError as error:
            raise Refused(RunAtWork(journal.schema)) from error
        return tuple(runs)


async def _all_over(new: asyncpg.Connection, journal: Journal, config: Config) -> tuple[Run, ...]:
    """The runs, when nobody needs the journal any more."""
    runs = await journal.runs(new, None)
    waiting = [r for r in runs if r.state != RunStatus.FINISHED]
    if waiting:
        back = command_line("tranship", "rollback", config.path, "--run", waiting[0].id, "--live")
        raise Refused(RunsNotFinished(waiting[0].id, len(waiting), back))
    if await journal.open_undo(new):
        raise Refused(StillSwitchedOff(command_line("tranship", "doctor", config.path, "--restore")))
    return runs


async def _state(new: asyncpg.Connection, journal: Journal, run: Run) -> RunState:
    tasks = await journal.tasks(new, run.id)
    batches = await journal.batches(new, tasks, run.id)
    tables = []
    for task in tasks:
        mine = [b for b in batches if b.position == task.position]
        done = [b for b in mine if b.done]
        counts = (sum(b.read for b in done), sum(b.written for b in done), sum(b.rejected for b in done))
        tables.append(
            TableState(task.flow.old, task.flow.new, task.rows, *counts, len(mine), len(done), task.done)
        )
    undo = tuple(u for u in await journal.open_undo(new) if u.run == run.id)
    return RunState(
        run,
        await at_work(new, run),
        tuple(tables),
        sum(b.bytes for b in batches if b.done),
        sum(b.seconds for b in batches if b.done),
        undo,
        any(b.rolling_back for b in batches),
    )
