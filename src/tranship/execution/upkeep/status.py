"""``tranship status``: where the runs of a journal stand."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec import UNSET, Struct, UnsetType, field

from tranship.config import Config
from tranship.errors import Refused
from tranship.errors.codes.rollback import RollbackNotFinished
from tranship.errors.codes.runs import RunAtWork, RunsNotFinished, StillSwitchedOff
from tranship.execution.resilience.connection import control
from tranship.execution.resilience.writer_lock import at_work
from tranship.execution.upkeep.without_key import without_key
from tranship.model.names import TableName
from tranship.model.options import command_line
from tranship.model.progress import OldRows
from tranship.server.cut import old_rows
from tranship.server.journal import (
    BatchRow,
    Journal,
    RolledBack,
    Run,
    RunStatus,
    TaskRow,
    Undo,
    find_journal,
    remove_journal,
)

SAME_COMMAND = "the same migrate --live command"
"""What resumes a run of which the journal does not say its command."""


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
    flow: str | UnsetType = UNSET
    """What a person calls the flow; absent for a plain pair of tables."""
    old: OldRows | UnsetType = UNSET
    """The old rows behind ``read``; absent where they are the same rows."""
    already_there: int = 0
    kept: int = 0
    updated: int = 0
    merged: int = 0
    to_delete: int | UnsetType = UNSET
    """While its rollback is not ended: rows that the run wrote and that are not deleted yet, those included
    that others changed since; absent where nothing of the table is left to do.
    """


class RunState(Struct, frozen=True):
    """One run."""

    run: Run
    running: bool
    """It is not over and its writer lock is taken, so a process is at work on it."""
    tables: tuple[TableState, ...]
    bytes: int
    seconds: float
    """Seconds spent on the finished batches, added up over all streams."""
    switched_off: tuple[Undo, ...]
    rejects_of: tuple[str, ...] = ()
    """Of a rejects-only run: the runs whose rejected rows it moves."""
    rolling_back: bool = field(default=False, name="going_back")
    """Its rollback was begun and not ended. ``status --format json`` keeps the key of its first version."""

    @property
    def rows(self) -> tuple[int, int]:
        """The number of rows in finished batches, and the number of all rows."""
        return sum(t.read for t in self.tables), sum(t.rows for t in self.tables)

    @property
    def to_delete(self) -> int:
        """The number of rows that a rollback which is not ended has not deleted yet."""
        return sum(t.to_delete or 0 for t in self.tables)


async def status(config: Config) -> tuple[RunState, ...]:
    """Returns all runs that the journal of NEW knows, oldest first; none without a journal. Changes
    nothing.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            return ()
        return tuple([await state_of(new, journal, run) for run in await journal.runs(new, None)])


async def rolled_back(config: Config) -> tuple[RolledBack, ...]:
    """Returns the runs that were rolled back, in the order of their rollbacks; none without a journal."""
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        return await journal.rolled_back(new) if journal is not None else ()


class Purged(Struct, frozen=True):
    """What a purge removed, or would remove."""

    runs: tuple[Run, ...] = ()
    """The finished runs that the journal held."""
    rolled_back: tuple[RolledBack, ...] = ()
    """The runs of which it said that they were rolled back."""
    journal: bool = True
    """Whether there was a journal."""
    rejected: int = 0
    """Rejected rows that no later run moved: without the journal, ``--rejects-only`` does not know them."""
    without_key: tuple[TableName, ...] = ()
    """Tables that the runs filled and in which no key of NEW would tell rows that are moved again apart."""


async def purge(config: Config, *, dry_run: bool = False) -> Purged:
    """Removes the journal with its rejected rows. Returns what it held. With ``dry_run`` nothing is removed.

    Raises:
        Refused: a run is not finished, or something is still switched off.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            return Purged(journal=False)
        held = await _held(new, journal, config)
        if dry_run:
            return held
        found: list[Purged] = []

        # Asked again under the lock that removes the journal: a run may have begun since.
        async def still() -> None:
            found.append(await _held(new, journal, config))

        try:
            await remove_journal(new, journal, still)
        except asyncpg.LockNotAvailableError as error:
            watch = command_line("tranship", "status", *config.words, "--watch")
            raise Refused(RunAtWork(journal.schema, watch)) from error
        return found[-1]


async def _held(new: asyncpg.Connection, journal: Journal, config: Config) -> Purged:
    """Returns what a journal holds that nobody needs any more.

    Raises:
        Refused: a run is not finished, or something is still switched off.
    """
    runs = await _all_over(new, journal, config)
    states = [await state_of(new, journal, run) for run in runs]
    return Purged(
        runs,
        tuple(await journal.rolled_back(new)),
        rejected=still_rejected(states),
        without_key=await without_key(new, journal, runs),
    )


async def _all_over(new: asyncpg.Connection, journal: Journal, config: Config) -> tuple[Run, ...]:
    """Returns the runs of a journal that nobody needs any more.

    Raises:
        Refused: a run is not finished, or something is still switched off.
    """
    runs = await journal.runs(new, None)
    for run in runs:
        # Neither resuming nor a rollback is possible at this moment, so neither is offered.
        if await at_work(new, run):
            watch = command_line("tranship", "status", *config.words, "--watch")
            raise Refused(RunAtWork(journal.schema, watch))
    waiting = [r for r in runs if r.state != RunStatus.FINISHED]
    if waiting:
        back = command_line("tranship", "rollback", *config.words, "--run", waiting[0].id, "--live")
        if (await state_of(new, journal, waiting[0])).rolling_back:
            raise Refused(RollbackNotFinished(waiting[0].id, back))
        decided = waiting[0].decided_by
        again = decided.again if decided is not None and decided.again else SAME_COMMAND
        raise Refused(RunsNotFinished(waiting[0].id, len(waiting), back, again))
    if await journal.open_undo(new):
        raise Refused(StillSwitchedOff(command_line("tranship", "doctor", *config.words, "--restore")))
    return runs


def still_rejected(states: Sequence[RunState]) -> int:
    """Returns the number of rows that runs rejected and that no later one moved."""
    # A rejects-only run moves what an earlier one rejected: of each flow the last run tells.
    last = {
        (state.run.old_identity, table.table, table.new_table, table.flow): table.rejected
        for state in states
        for table in state.tables
    }
    return sum(last.values())


async def state_of(new: asyncpg.Connection, journal: Journal, run: Run) -> RunState:
    """Returns where a run stands."""
    tasks = await journal.tasks(new, run.id)
    batches = await journal.batches(new, tasks, run.id)
    done = [batch for batch in batches if batch.done]
    rolling_back = any(batch.rolling_back for batch in batches)
    return RunState(
        run,
        await _is_at_work(new, run, rolling_back=rolling_back),
        tuple(
            _table(task, [batch for batch in batches if batch.position == task.position]) for task in tasks
        ),
        sum(batch.bytes for batch in done),
        sum(batch.seconds for batch in done),
        tuple(undo for undo in await journal.open_undo(new) if undo.run == run.id),
        _rejects_of(tasks),
        rolling_back,
    )


async def _is_at_work(new: asyncpg.Connection, run: Run, *, rolling_back: bool) -> bool:
    # All runs of two databases share one lock: while a later run holds it, a finished one is not at work.
    return (run.state != RunStatus.FINISHED or rolling_back) and await at_work(new, run)


def _rejects_of(tasks: Sequence[TaskRow]) -> tuple[str, ...]:
    return tuple(sorted({task.rejects_of for task in tasks if task.rejects_of is not None}))


def _table(task: TaskRow, batches: Sequence[BatchRow]) -> TableState:
    """Returns where a table stands, by its batches."""
    done = [batch for batch in batches if batch.done]
    back = [batch for batch in batches if batch.rolling_back]
    return TableState(
        task.flow.old,
        task.flow.new,
        task.rows,
        read=_total(done, "read"),
        written=_total(done, "written"),
        rejected=_total(done, "rejected"),
        batches=len(batches),
        batches_done=len(done),
        done=task.done,
        flow=task.flow.name or UNSET,
        old=UNSET if task.old_rows is None else old_rows(batch.batch.old for batch in done),
        already_there=_total(done, "already_there"),
        kept=_total(done, "kept"),
        updated=_total(done, "updated"),
        merged=_total(done, "merged"),
        # Those that are gone already are taken off what the journal says was written.
        to_delete=_total(back, "written") if back else UNSET,
    )


def _total(done: Sequence[BatchRow], count: str) -> int:
    """Returns one of the counts of batches, by its name."""
    return sum(int(getattr(batch, count)) for batch in done)
