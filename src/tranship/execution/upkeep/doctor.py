"""What a run that died left switched off in NEW, and putting it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """A living run has it off on purpose: it is left alone."""
    restored: bool = False
    problem: str = ""
    """Why it could not be put back."""


async def examine(config: Config) -> tuple[Diagnosis, ...]:
    """What is switched off now, with the SQL that puts it back; changes nothing."""
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
    """Put back what no living run needs off. A foreign key whose rows are not all there yet stays NOT VALID until its run is finished.

    ``resuming``: a live run begins. Indexes of an unfinished one that has rows in NEW stay off: it goes on without them and makes them at its end.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            return ()
        runs = {run.id: run for run in await journal.runs(new, None)}
        open_now = await journal.open_undo(new)
        if resuming:
            half = {
                id
                for id, run in runs.items()
                if run.state != RunStatus.FINISHED and await new.fetchval(journal.sql("any_batch_done"), id)
            }
            open_now = tuple(undo for undo in open_now if undo.index is None or undo.run not in half)
        fences: dict[str, Fence | None] = {}
        for run in {undo.run for undo in open_now}:
            if run not in runs:
                fences[run] = None
            elif await _lock(new, runs[run]):
                # The run may live although its lock session does not: it must not go on with what is put back now.
                epoch = await shut_out(new, journal, runs[run])
                fences[run] = partial(hold_epoch, journal=journal, run=run, epoch=epoch)
        return tuple(
            [await _settle(journal, new, undo, runs.get(undo.run), fences, tell) for undo in open_now]
        )


async def _settle(
    journal: Journal,
    new: asyncpg.Connection,
    undo: Undo,
    run: Run | None,
    fences: Mapping[str, Fence | None],
    tell: Callable[[Note], None],
) -> Diagnosis:
    if undo.run not in fences:
        return Diagnosis(undo, run, running=True)
    try:
        await restore(
            journal, PlainSession(new, lambda noted: tell(noted.what)), undo, tell, fence=fences[undo.run]
        )
    except (asyncpg.PostgresError, Refused) as error:
        return Diagnosis(undo, run, running=False, problem=str(error))
    return Diagnosis(undo, run, running=False, restored=True)


async def _lock(new: asyncpg.Connection, run: Run) -> bool:
    """Whether no living run holds the writer lock of the run's two databases; taken until the connection ends."""
    return bool(await new.fetchval(TRY_LOCK, lock_number(run.old_identity, run.new_identity)))
