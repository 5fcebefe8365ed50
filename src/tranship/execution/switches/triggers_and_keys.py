"""What is switched off on NEW while a group of tables is filled, and its way back, journalled before anything changes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import asyncpg
from msgspec import Struct

from tranship.errors import Refused, Stopped
from tranship.errors.codes.privileges import KeyNotDropped, TriggerNotDisabled
from tranship.errors.codes.runs import UndoUnreadable
from tranship.errors.codes.stops import IndexNotRebuilt, TriggerFired
from tranship.execution.context import Job
from tranship.execution.resilience.connection import Session
from tranship.execution.resilience.failpoints import failpoint
from tranship.execution.switches.indexes import LooseIndex
from tranship.model.catalog import ForeignKey, Table
from tranship.model.catalog_codes import FIRES_AS_ORIGIN, FIRES_AS_REPLICA, RelationKind, TriggerState
from tranship.model.names import TableName
from tranship.model.notes import (
    IndexesStillRemoved,
    IndexRebuilding,
    IndexRebuilt,
    IndexRemoved,
    LockBlocked,
    Note,
    NotRestored,
)
from tranship.model.plan import Group
from tranship.model.progress import Noted
from tranship.model.resolution import Problem
from tranship.model.undo import (
    CommentDropped,
    KeyDropped,
    KeyUnvalidated,
    SwitchedOff,
    TriggerDisabled,
    Unreadable,
)
from tranship.model.visible import pasteable
from tranship.server.journal import Journal, Undo
from tranship.server.trouble import DATABASE_TROUBLE, spoken
from tranship.sql import session as statements
from tranship.sql.new import switches as sql_switches
from tranship.sql.new.indexes import drop_index
from tranship.sql.new.undo import restoring
from tranship.sql.queries import query
from tranship.sql.quote import ident

LOCK_TIMEOUT = "3s"
Fence = Callable[[asyncpg.Connection], Awaitable[None]]
INSERT, DELETE = 4, 8
"""Bits of ``pg_trigger.tgtype``."""


class FiringTrigger(Struct, frozen=True):
    """A user trigger of a table or of one of its partitions that would fire while rows are copied."""

    relation: TableName
    name: str
    state: TriggerState
    owned: bool


class DroppedKey(Struct, frozen=True):
    """A foreign key that has to be away while a cycle is filled."""

    table: TableName
    key: ForeignKey


class Switches(Struct, frozen=True):
    """What one group needs."""

    replica: bool = False
    """Batches run under ``session_replication_role = replica``: no origin trigger fires, foreign keys are not checked."""
    disable: tuple[FiringTrigger, ...] = ()
    drop: tuple[DroppedKey, ...] = ()
    one_batch: bool = False
    """The keys of ``drop`` may stay while everything arrives in one statement."""

    @property
    def alters(self) -> bool:
        """NEW's definitions are changed for a while, which its other users would notice."""
        return bool(self.disable or self.drop)


async def may_be_replica(new: asyncpg.Connection) -> bool:
    """Whether this role may set ``session_replication_role``: tried in a transaction that is rolled back."""
    transaction = new.transaction()
    await transaction.start()
    try:
        await new.execute(sql_switches.REPLICA)
    except asyncpg.InsufficientPrivilegeError:
        return False
    finally:
        await transaction.rollback()
    return True


async def needed(
    new: asyncpg.Connection, job: Job, group: Group, *, replica: bool, rows: int | None, batch_rows: int
) -> Switches:
    """What a group needs; ``replica``: the role may be one. ``rows``: of the group in the snapshot, None before they are counted."""
    tables = {plan.new: job.after(plan) for plan in group.tables}
    triggers = [t for table in tables.values() for t in await firing(new, table, INSERT)]
    away = [
        DroppedKey(name, key)
        for name, table in tables.items()
        for key in table.foreign_keys
        if key.enforced and (name, key.name) in group.cyclic_keys
    ]
    origin_only = {t.state for t in triggers} <= {TriggerState.ORIGIN, TriggerState.DISABLED}
    declared = [k for t in tables.values() for k in t.foreign_keys] + [
        k for t in tables.values() for p in t.partitions for k in p.foreign_keys
    ]
    provable = not any(key.period for key in declared)
    if (
        replica
        and provable
        and (away or (origin_only and any(t.state == TriggerState.ORIGIN for t in triggers)))
    ):
        return Switches(replica=True, disable=tuple(t for t in triggers if t.state in FIRES_AS_REPLICA))
    own = len(group.tables) == 1 and all(d.key.target == d.table for d in away)
    one_batch = bool(away) and own and rows is not None and rows <= batch_rows and not group.tables[0].serial
    return Switches(
        disable=tuple(t for t in triggers if t.state in FIRES_AS_ORIGIN),
        drop=tuple(away),
        one_batch=one_batch,
    )


async def firing(new: asyncpg.Connection, table: Table, event: int) -> list[FiringTrigger]:
    """User triggers of a table and its partitions for an event (``INSERT``, ``DELETE``)."""
    rows = await new.fetch(query("triggers_firing"), table.oid, event)
    return [
        FiringTrigger(
            TableName(r["schema"], r["relation"]), r["trigger"], TriggerState(r["state"]), r["owned"]
        )
        for r in rows
    ]


async def refuse_late_triggers(new: asyncpg.Connection, table: Table, *, replica: bool) -> None:
    """Inside a batch, after its rows: no trigger was made or switched on since the switches were thrown, which would have changed or swallowed them.

    CREATE TRIGGER waits for the lock that COPY holds to the end of the transaction, so nothing comes after this look.

    Raises:
        Stopped: one was.
    """
    late = [
        t
        for t in await firing(new, table, INSERT)
        if t.state in (FIRES_AS_REPLICA if replica else FIRES_AS_ORIGIN)
    ]
    if late:
        raise Stopped(TriggerFired(table.name, late[0].name, late[0].relation))


def missing_rights(switches: Switches, job: Job) -> list[Problem]:
    """What this role may not switch off, with the cure."""
    grant = pasteable(f"GRANT SET ON PARAMETER session_replication_role TO {ident(job.new.user)};")
    problems = [
        TriggerNotDisabled(t.name, t.relation, job.new.user, grant).problem()
        for t in switches.disable
        if not t.owned
    ]
    tables = {d.table: job.new.table(d.table) for d in switches.drop}
    for dropped in switches.drop:
        table = tables[dropped.table]
        if table is not None and not table.owned:
            held = KeyNotDropped(dropped.key.name, dropped.table, job.new.user, grant)
            problems.append(held.problem())
    return problems


class SwitchBoard:
    """Throws the switches of one run and puts them back."""

    def __init__(
        self,
        journal: Journal,
        run: str,
        job: Job | None,
        tell: Callable[[Noted], None],
        *,
        fence: Fence | None = None,
    ) -> None:
        """``fence`` is called in every transaction that changes something; it raises when another run took over. None: nobody else can."""
        self._journal = journal
        self._run = run
        self._job = job
        self._tell = tell
        self._fence = fence

    async def off(self, session: Session, switches: Switches, *, keys: bool) -> None:
        """Switch off what a group needs; each change commits together with its way back. ``keys``: the foreign keys of the cycle too."""
        await failpoint("switches.before")
        for trigger in switches.disable:
            off = TriggerDisabled(trigger.relation, trigger.name, trigger.state)
            await self._change(
                session, [off], sql_switches.trigger_state(trigger.relation, trigger.name, "D")
            )
            await failpoint("switches.off")
        if keys:
            for dropped in switches.drop:
                await self._drop(session, dropped)
                await failpoint("switches.off")

    async def take_off(self, session: Session, indexes: Sequence[LooseIndex]) -> None:
        """Drop indexes for a load; each drop commits together with its way back."""
        for one in indexes:
            await self._change(session, [one.dropped], drop_index(one.name))
            self._say(IndexRemoved(str(one.dropped)))
            await failpoint("indexes.off")

    async def gone(self, session: Session) -> list[Undo]:
        """The indexes that this run has off, in the order in which they went."""
        return [undo for undo in reversed(await self._open(session)) if undo.index is not None]

    async def _open(self, session: Session) -> list[Undo]:
        """Everything that this run has off, latest first."""
        found = await session.work("the journal", self._journal.open_undo)
        return [undo for undo in found if undo.run == self._run]

    async def rebuild(self, session: Session, undo: Undo) -> None:
        """Make one index again.

        Raises:
            Stopped: the server does not; its way back stays in the journal.
        """
        self._say(IndexRebuilding(undo.what))
        began = time.monotonic()
        try:
            await restore(self._journal, session, undo, self._say, fence=self._fence)
        except asyncpg.PostgresError as error:
            raise Stopped(IndexNotRebuilt(undo.what, spoken(error))) from error
        self._say(IndexRebuilt(undo.what, time.monotonic() - began))
        await failpoint("indexes.rebuilt")

    async def on(self, session: Session) -> None:
        """Put everything back that the journal says this run has off, indexes apart: they wait for their rows, see `rebuild`."""
        for undo in await self._open(session):
            if undo.index is None:
                await restore(self._journal, session, undo, self._say, fence=self._fence)
                await failpoint("switches.restored")

    async def on_after_failure(self, session: Session) -> None:
        """The same as far as it goes while rows are missing: what cannot be put back yet stays in the journal for the next run, and so do
        indexes, which would only slow it down."""
        try:
            mine = await self._open(session)
            for undo in mine:
                if undo.index is None:
                    with contextlib.suppress(
                        asyncpg.IntegrityConstraintViolationError, asyncpg.ForeignKeyViolationError, Stopped
                    ):
                        await restore(self._journal, session, undo, self._say, fence=self._fence)
            if left := sum(undo.index is not None for undo in mine):
                self._say(IndexesStillRemoved(left))
        except DATABASE_TROUBLE as error:
            self._say(NotRestored(spoken(error)))

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
        comment = await session.work(
            what, lambda new: new.fetchval(query("constraint_comment"), oid, key.name)
        )
        partitioned = any(
            end is not None and end.kind == RelationKind.PARTITIONED_TABLE
            for end in (table, self._target(key))
        )
        off: list[SwitchedOff] = []
        if comment is not None:
            off.append(CommentDropped(dropped.table, key.name, comment))
        if key.validated and not partitioned:
            off.append(KeyUnvalidated(dropped.table, key.name))
        off.append(KeyDropped(dropped.table, key, partitioned))
        await self._change(session, off, sql_switches.drop_constraint(dropped.table, key.name))

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
                    return  # the try before committed, and its answer was lost
                for one in off:
                    await self._journal.write_undo(new, self._run, one)
                await new.execute(change)

        await session.work(str(off[-1]), partial(_naming_blockers, once, self._say))

    def _say(self, note: Note) -> None:
        self._tell(Noted(note))


async def restore(
    journal: Journal,
    session: Session,
    undo: Undo,
    tell: Callable[[Note], None],
    *,
    fence: Fence | None = None,
) -> None:
    """Restores one thing and records that it is restored, in one transaction. ``fence`` as for `SwitchBoard`; None: the caller holds the writer lock.

    Raises:
        Refused: the journal's entry is none that tranship wrote.
    """
    if isinstance(undo.off, Unreadable):
        raise unreadable(undo)

    async def once(new: asyncpg.Connection) -> None:
        async with new.transaction():
            await new.execute(statements.set_local("lock_timeout", LOCK_TIMEOUT))
            if fence is not None:
                await fence(new)
            if await new.fetchval(journal.sql("undone"), undo.run, undo.seq) is not None:
                for statement in restoring(undo.off):
                    await new.execute(statement)
                await failpoint("switches.restoring")

    await session.work(undo.what, partial(_naming_blockers, once, tell))


def unreadable(undo: Undo) -> Refused:
    """Returns the refusal of an entry that is none of the statements that tranship writes: it is shown and never executed."""
    return Refused(UndoUnreadable(undo.what, undo.sql))


async def _naming_blockers(
    once: Callable[[asyncpg.Connection], Awaitable[None]],
    tell: Callable[[Note], None],
    new: asyncpg.Connection,
) -> None:
    """One try; where it waited too long for a lock, the sessions are named that hold one."""
    try:
        await once(new)
    except asyncpg.LockNotAvailableError:
        for row in await new.fetch(query("lock_holders")):
            tell(LockBlocked(*(row[field] for field in LockBlocked.__struct_fields__)))
        raise
