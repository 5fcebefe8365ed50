"""``tranship doctor``: shows triggers, keys and indexes that a crashed run left disabled, and restores
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import asyncpg
from msgspec import Struct

from tranship.config import Config
from tranship.errors import Refused, UsageError
from tranship.errors.codes.runs import RunAtWork
from tranship.errors.codes.upkeep import CannotRestore, NothingOff, NothingOffAtAll
from tranship.execution.resilience.connection import PlainSession, control
from tranship.execution.resilience.writer_lock import at_work, hold_epoch, lock_number, shut_out
from tranship.execution.switches.restoring import Fence, accepting, blocked, restore
from tranship.model.notes import Note
from tranship.model.options import command_line
from tranship.model.resolution import Problem
from tranship.model.undo import Back, Blocked, Gone, Waiting
from tranship.model.visible import pasteable, visible
from tranship.server.journal import Journal, Run, RunStatus, Undo, find_journal
from tranship.server.journal.off_now import standing_now
from tranship.server.trouble import spoken
from tranship.sql.session import TRY_LOCK


class Diagnosis(Struct, frozen=True):
    """One thing that is switched off."""

    undo: Undo
    run: Run | None
    running: bool
    """A run that is at work needs it off, so it is left alone."""
    restored: bool = False
    problem: str = ""
    """Why it could not be restored, or what stands in the way."""
    now: Back | Gone | None = None
    """Somebody else restored or dropped it: it is off no more. None: nobody did."""
    refusal: Problem | None = None
    """What a person has to do before a live run can begin. None: nothing, or rows are missing that the run
    brings."""

    @property
    def off(self) -> bool:
        """Whether it is still off."""
        return not self.restored and self.now is None


async def examine(config: Config) -> tuple[Diagnosis, ...]:
    """Returns what is switched off now, with the SQL that restores it. Changes nothing."""
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            return ()
        runs = {run.id: run for run in await journal.runs(new, None)}
        found = [(undo, runs.get(undo.run)) for undo in await journal.open_undo(new)]
        return tuple([await _examined(new, journal, undo, run) for undo, run in found])


async def _examined(new: asyncpg.Connection, journal: Journal, undo: Undo, run: Run | None) -> Diagnosis:
    async with new.transaction(readonly=True):
        stands = await standing_now(new, journal, undo)
    working = run is not None and await at_work(new, run)
    if isinstance(stands, Blocked):
        refusal = blocked(undo, stands).problems[0] if not working else None
        return Diagnosis(undo, run, working, problem=stands.by, refusal=refusal)
    return Diagnosis(undo, run, working, now=stands if isinstance(stands, Back | Gone) else None)


async def accept(config: Config, names: Sequence[str]) -> tuple[Undo, ...]:
    """Records that things stay as they are now, by what they are called, and returns them.

    Raises:
        UsageError: nothing that is off is called so.
        Refused: a run that is at work needs one of them off.
    """
    async with control(config) as new:
        journal = await find_journal(new, config.journal_schema)
        if journal is None:
            raise UsageError(NothingOffAtAll(names[0]))
        chosen = _chosen(await journal.open_undo(new), names)
        runs = {run.id: run for run in await journal.runs(new, None)}
        fences = await _fences(new, journal, {undo.run: runs.get(undo.run) for undo in chosen})
        if any(undo.run not in fences for undo in chosen):
            watch = command_line("tranship", "status", *config.words, "--watch")
            raise Refused(RunAtWork(journal.schema, watch))
        async with new.transaction():
            for fence in filter(None, fences.values()):
                await fence(new)
            for undo in chosen:
                await new.fetchval(journal.sql("undone"), undo.run, undo.seq)
        return chosen


def _chosen(open_undo: Sequence[Undo], names: Sequence[str]) -> tuple[Undo, ...]:
    """Returns the entries that are called by these names, as they are or as they are shown.

    Raises:
        UsageError: nothing is called by one of them.
    """
    called = {word for undo in open_undo for word in (undo.what, visible(undo.what))}
    for name in names:
        if not called:
            raise UsageError(NothingOffAtAll(name))
        if name not in called:
            raise UsageError(NothingOff(name, tuple(dict.fromkeys(undo.what for undo in open_undo))))
    return tuple(undo for undo in open_undo if {undo.what, visible(undo.what)} & set(names))


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
        stay: list[Undo] = []
        if resuming:
            unfinished = await _with_rows(new, journal, runs.values())
            stay = [undo for undo in open_undo if undo.index is not None and undo.run in unfinished]
        open_undo = tuple(undo for undo in open_undo if undo not in stay)
        # An index that could not be rebuilt after hours of copying is asked about now, before this connection
        # has the locks by which a run is known to be at work.
        asked = [await _examined(new, journal, undo, runs.get(undo.run)) for undo in stay]
        fences = await _fences(new, journal, {undo.run: runs.get(undo.run) for undo in open_undo})
        restoring = _Restoring(journal, PlainSession(new, lambda noted: tell(noted.what)), fences, tell)
        found = [await restoring.restore(undo, runs.get(undo.run)) for undo in open_undo]
        return (*found, *asked)


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
            stood = await restore(self.journal, self.session, undo, self.tell, fence=self.fences[undo.run])
        except Refused as refused:
            return Diagnosis(undo, run, running=False, problem=refused.message, refusal=refused.problems[0])
        except asyncpg.PostgresError as error:
            return Diagnosis(undo, run, False, problem=spoken(error), refusal=_refusal(undo, error))
        if isinstance(stood, Waiting):
            return Diagnosis(undo, run, running=False, problem="its foreign key is not back yet")
        now = stood if isinstance(stood, Back | Gone) else None
        return Diagnosis(undo, run, running=False, restored=True, now=now)


def _refusal(undo: Undo, error: asyncpg.PostgresError) -> Problem | None:
    """Returns what a person has to do about an error. None: rows are missing, which the run will bring."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return None
    return CannotRestore(undo.what, spoken(error), pasteable(undo.sql), accepting(undo)).problem()


def refuse_what_is_off(found: Iterable[Diagnosis]) -> None:
    """Looks whether a person has to act before a live run begins.

    Raises:
        Refused: something that an interrupted run switched off cannot be restored.
    """
    problems = tuple(one.refusal for one in found if one.refusal is not None)
    if problems:
        raise Refused(problems)


async def _lock(new: asyncpg.Connection, run: Run) -> bool:
    """Takes the writer lock of a run's two databases until the connection ends. Returns whether it was
    free.
    """
    return bool(await new.fetchval(TRY_LOCK, lock_number(run.old_identity, run.new_identity)))
