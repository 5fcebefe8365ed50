"""Switches off what a group needs off, and restores it. Each change commits with its journal entry."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial

import asyncpg
from msgspec.structs import replace

from tranship.errors import Refused, Stopped
from tranship.errors.codes.stops import IndexNotRebuilt, StillOff
from tranship.execution.context import Job
from tranship.execution.resilience.connection import Session
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.resilience.server_errors import is_transient
from tranship.execution.switches.indexes import LooseIndex, relation_of
from tranship.execution.switches.restoring import LOCK_TIMEOUT, Fence, naming_blockers, restore
from tranship.execution.switches.triggers_and_keys import DroppedCheck, DroppedKey, Switches
from tranship.model.catalog import ForeignKey, Table
from tranship.model.catalog_codes import RelationKind, TriggerState
from tranship.model.names import TableName
from tranship.model.notes import (
    IndexesStillRemoved,
    IndexRebuilding,
    IndexRebuilt,
    IndexRemoved,
    Note,
    NotRestored,
)
from tranship.model.progress import Noted
from tranship.model.undo import (
    Back,
    CheckDropped,
    CommentDropped,
    Gone,
    KeyDropped,
    KeyUnvalidated,
    Standing,
    SwitchedOff,
    Waiting,
)
from tranship.planning.printed.off_now import meaning
from tranship.server.catalog.printing import plain_output
from tranship.server.journal import Journal, Undo
from tranship.server.trouble import DATABASE_TROUBLE, spoken
from tranship.sql import session as statements
from tranship.sql.new import switches as sql_switches
from tranship.sql.new.indexes import drop_index
from tranship.sql.queries import query

_UNKNOWN = -1
"""Stands for entries of which the number is not known."""


class SwitchBoard:
    """Switches off what a run needs off, and restores it."""

    def __init__(
        self,
        journal: Journal,
        run: str,
        job: Job | None,
        tell: Callable[[Noted], None],
        *,
        fence: Fence | None = None,
    ) -> None:
        """``fence`` is called in every transaction that changes something and raises when another run took
        over.

        None: nobody else can take over.
        """
        self._journal = journal
        self._run = run
        self._job = job
        self._tell = tell
        self._fence = fence
        self._off = {_UNKNOWN}
        """The numbers of the entries that may be open, as far as this process knows."""

    async def off(self, session: Session, switches: Switches, *, keys: bool) -> None:
        """Switches off what a group needs. Each change commits together with its undo.

        ``keys``: whether the foreign keys of the cycle are dropped, too.
        """
        await failpoint("switches.before")
        for one in switches.disable:
            disable = sql_switches.rule_state if one.rule else sql_switches.trigger_state
            await self._change(session, [one.off], disable(one.relation, one.name, TriggerState.DISABLED))
            await failpoint("switches.off")
        if keys:
            for dropped in switches.drop:
                await self._drop(session, dropped)
                await failpoint("switches.off")
        for constraint in switches.tolerated:
            if isinstance(constraint, DroppedKey):
                await self._drop(session, constraint)
            else:
                await self._drop_check(session, constraint)
            await failpoint("switches.off")

    async def remove_indexes(self, session: Session, indexes: Sequence[LooseIndex]) -> None:
        """Drops indexes for a load. Each drop commits together with its undo."""
        for one in indexes:
            await self._change(session, [one.dropped], drop_index(one.name))
            self._say(IndexRemoved(str(one.dropped)))
            await failpoint("indexes.off")

    async def removed_indexes(self, session: Session) -> list[Undo]:
        """Returns the indexes that this run has removed, in the order in which it did."""
        return [undo for undo in reversed(await self._open(session)) if undo.index is not None]

    async def anything_off(self, session: Session) -> bool:
        """Returns whether anything is on record that this run has off."""
        return bool(await self._open(session))

    async def _open(self, session: Session) -> list[Undo]:
        """Returns everything that this run has off, latest first."""
        found = await session.work("the journal", self._journal.open_undo)
        mine = [undo for undo in found if undo.run == self._run]
        self._off = {undo.seq for undo in mine}
        return mine

    async def rebuild(self, session: Session, undo: Undo) -> None:
        """Rebuilds one index.

        Raises:
            Stopped: the server refuses, or something stands in the way; the undo stays in the journal.
        """
        self._say(IndexRebuilding(undo.what))
        began = time.monotonic()
        try:
            stood = await self._restore(session, undo)
        except asyncpg.PostgresError as error:
            raise Stopped(IndexNotRebuilt(undo.what, spoken(error))) from error
        except Refused as refused:
            raise Stopped(IndexNotRebuilt(undo.what, refused.message)) from refused
        if not isinstance(stood, Back | Gone):
            self._say(IndexRebuilt(undo.what, time.monotonic() - began))
        await failpoint("indexes.rebuilt")

    async def on(self, session: Session) -> None:
        """Restores everything that this run has off, except indexes, which `rebuild` makes once their rows
        are there.

        Raises:
            Stopped: the server refuses, or something stands in the way; the undo stays in the journal.
        """
        for undo in await self._open(session):
            if undo.index is None:
                try:
                    await self._restore(session, undo)
                except asyncpg.PostgresError as error:
                    if is_transient(error):
                        raise
                    raise Stopped(StillOff(undo.what, spoken(error))) from error
                except Refused as refused:
                    raise Stopped(StillOff(undo.what, refused.message)) from refused
                await failpoint("switches.restored")

    async def on_after_failure(self, session: Session) -> None:
        """Restores what it can after a failure, while rows are missing.

        What cannot be restored yet stays in the journal for the next run. So do indexes, which would only
        slow that run down.
        """
        try:
            mine = await self._open(session)
            for undo in mine:
                if undo.index is None:
                    await self._restore_if_possible(session, undo)
            if left := sum(undo.index is not None for undo in mine):
                self._say(IndexesStillRemoved(left))
        except DATABASE_TROUBLE as error:
            # A server that is gone tells nothing; where nothing was off, nothing is left to do.
            if self._off:
                self._say(NotRestored(spoken(error)))

    async def _restore_if_possible(self, session: Session, undo: Undo) -> None:
        """Restores one thing. What the server or a person's change forbids is told, and stays off."""
        # Missing rows are no trouble: the next run brings them.
        with contextlib.suppress(asyncpg.IntegrityConstraintViolationError, Stopped):
            try:
                await self._restore(session, undo)
            except Refused as refused:
                self._say(NotRestored(refused.message))
            except asyncpg.PostgresError as error:
                if is_transient(error) or isinstance(error, asyncpg.IntegrityConstraintViolationError):
                    raise
                self._say(NotRestored(f"{undo.what}: {spoken(error)}"))

    async def _restore(self, session: Session, undo: Undo) -> Standing:
        stood = await restore(self._journal, session, undo, self._say, fence=self._fence)
        if not isinstance(stood, Waiting):
            self._off.discard(undo.seq)
        return stood

    async def _drop(self, session: Session, dropped: DroppedKey) -> None:
        table = self._job.new.table(dropped.table) if self._job is not None else None
        if table is None:
            return
        key, oid = dropped.key, table.oid
        what = f"foreign key {key.name} of {dropped.table}"
        if (
            await session.work(what, lambda new: new.fetchval(query("constraint_there"), oid, key.name))
            is None
        ):
            return
        # What the dropped key carries has to come back with it: its comment, and that it was validated.
        comment = await session.work(
            what, lambda new: new.fetchval(query("constraint_comment"), oid, key.name)
        )
        partitioned = any(
            end is not None and end.kind == RelationKind.PARTITIONED_TABLE
            for end in (table, self._target(key))
        )
        gone = _key_dropped(table, self._target(key), key, partitioned=partitioned)
        off: list[SwitchedOff] = []
        if comment is not None:
            off.append(CommentDropped(dropped.table, key.name, comment, gone))
        if key.validated and not partitioned and not key.period:
            off.append(KeyUnvalidated(dropped.table, key.name, gone))
        off.append(gone)
        await self._change(session, off, sql_switches.drop_constraint(dropped.table, key.name))

    async def _drop_check(self, session: Session, dropped: DroppedCheck) -> None:
        table = self._job.new.table(dropped.table) if self._job is not None else None
        if table is None:
            return
        oid, check = table.oid, dropped.check
        what = f"check {check.name} of {table.name}"
        asked = partial(_check_now, oid=oid, name=check.name)
        found = await session.work(what, asked)
        if found is None:
            return
        holder = TableName(self._journal.schema, f"check_{found['oid']}")
        home = relation_of(table, check.columns)
        off = CheckDropped(table.name, check, found["definition"], holder, found["comment"], home)
        await self._change(session, [off], sql_switches.hold_and_drop_check(table.name, check.name, holder))

    def _target(self, key: ForeignKey) -> Table | None:
        return self._job.new.table(key.target) if self._job is not None else None

    async def _change(self, session: Session, off: Sequence[SwitchedOff], change: str) -> None:
        tries = 0

        async def once(new: asyncpg.Connection) -> None:
            nonlocal tries
            tries += 1
            async with new.transaction():
                await new.execute(statements.set_local("lock_timeout", LOCK_TIMEOUT))
                if self._fence is not None:
                    await self._fence(new)
                if tries > 1 and await self._journal.undo_there(new, self._run, off[-1]):
                    # The try before committed, and its answer was lost.
                    return
                self._off.add(_UNKNOWN)
                for one in off:
                    await self._journal.write_undo(new, self._run, one)
                await new.execute(change)

        await session.work(str(off[-1]), partial(naming_blockers, once, self._say))

    def _say(self, note: Note) -> None:
        self._tell(Noted(note))


async def _check_now(new: asyncpg.Connection, *, oid: int, name: str) -> asyncpg.Record | None:
    async with new.transaction(readonly=True), plain_output(new):
        return await new.fetchrow(query("check_now"), oid, name)


def _key_dropped(table: Table, parent: Table | None, key: ForeignKey, *, partitioned: bool) -> KeyDropped:
    """Returns what is recorded of a foreign key that is dropped."""
    twins = tuple(k.name for k in table.foreign_keys if k.name != key.name and meaning(k) == meaning(key))
    # How it compares follows from its columns when it is made again.
    kept = replace(key, operators=(), collations=())
    home = relation_of(table, key.columns)
    target = relation_of(parent, key.target_columns) if parent is not None else None
    return KeyDropped(table.name, kept, partitioned, home, target, twins)
