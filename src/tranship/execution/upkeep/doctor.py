"""``tranship doctor``: shows triggers, keys and indexes that a crashed run left disabled, and restores
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import asyncpg
from msgspec import Struct

from tranship.config import Config
from tranship.errors import Refused
from tranship.execution.resilience.connection import PlainSession, control
from tranship.execution.resilience.writer_lock import at_work, hold_epoch, lock_number, shut_out
from tranship.execution.switches.switch_board import Fence, restore
from tranship.model.notes import Note
from tranship.server.journal import Journal, Run, RunStatus, Undo, find_journal
from tranship.sql.session import TRY_LOCK


class Diagnosis(Struct, frozen=True):
    """One thing that is switched off."""

    undo: Undo
    run: Run | None
    running: bool
    """A run that is at work needs it off, so it is left alone."""
    restored: bool = False
    problem: str = ""
    """Why it could not be restored."""


async def examine(config: Config) -> tuple[Diagnosis, ...]:
    """Returns what is switched off now, with the SQL that restores it. Changes nothing."""
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            return ()
        runs = {run.id: run for run in await journal.runs(new, None)}
        found = [(undo, runs.get(undo.run)) for undo in await journal.open_undo(new)]
        return tuple(
            [Diagnosis(undo, run, run is not None and await at_work(new, run)) for undo, run in found]
        )


async def restore_all(
    config: Config, tell: Callable[[Note], None], *, resuming: bool = False
) -> tuple[Diagnosis, ...]:
    """Restores what no run at work needs off.

    A foreign key whose rows are not all there stays NOT VALID until its run is finished.

    ``resuming``: a live run begins. It resumes an unfinished run without the indexes which that one
    removed, and rebuilds them at its end, so they stay off.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            return ()
        runs = {run.id: run for run in await journal.runs(new, None)}
        open_undo = await journal.open_undo(new)
        if resuming:
            unfinished = await _with_rows(new, journal, runs.values())
            open_undo = tuple(undo for undo in open_undo if undo.index is None or undo.run not in unfinished)
        fences = await _fences(new, journal, {undo.run: runs.get(undo.run) for undo in open_undo})
        restoring = _Restoring(journal, PlainSession(new, lambda noted: tell(noted.what)), fences, tell)
        return tuple([await restoring.restore(undo, runs.get(undo.run)) for undo in open_undo])


async def _with_rows(new: asyncpg.Connection, journal: Journal, runs: Iterable[Run]) -> set[str]:
    """Returns the unfinished runs that have committed a batch."""
    unfinished = [run.id for run in runs if run.state != RunStatus.FINISHED]
    return {id for id in unfinished if await new.fetchval(journal.sql("any_batch_done"), id)}


async def _fences(
    new: asyncpg.Connection, journal: Journal, runs: Mapping[str, Run | None]
) -> dict[str, Fence | None]:
    """Takes the writer locks of runs. Returns a fence for each run whose lock was free.

    An entry whose run the journal does not know has None: nobody else can be at work on it.
    """
    fences: dict[str, Fence | None] = {}
    for name, run in runs.items():
        if run is None:
            fences[name] = None
        elif await _lock(new, run):
            # The process may live although its lock session does not. The new epoch keeps it from going on
            # with what is restored now.
            epoch = await shut_out(new, journal, run)
            fences[name] = partial(hold_epoch, journal=journal, run=name, epoch=epoch)
    return fences


class _Restoring(Struct, frozen=True):
    """Restores entries of a journal; a run without a fence is at work and left alone."""

    journal: Journal
    session: PlainSession
    fences: Mapping[str, Fence | None]
    tell: Callable[[Note], None]

    async def restore(self, undo: Undo, run: Run | None) -> Diagnosis:
        """Restores one entry and returns what came of it."""
        if undo.run not in self.fences:
            return Diagnosis(undo, run, running=True)
        try:
            await restore(self.journal, self.session, undo, self.tell, fence=self.fences[undo.run])
        except (asyncpg.PostgresError, Refused) as error:
            return Diagnosis(undo, run, running=False, problem=str(error))
        return Diagnosis(undo, run, running=False, restored=True)


async def _lock(new: asyncpg.Connection, run: Run) -> bool:
    """Takes the writer lock of a run's two databases until the connection ends. Returns whether it was
    free.
    """
    return bool(await new.fetchval(TRY_LOCK, lock_number(run.old_identity, run.new_identity)))
