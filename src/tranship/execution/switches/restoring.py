"""Restores one thing that is off, once it has looked how it stands in NEW now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, assert_never

import asyncpg

from tranship.errors import Refused
from tranship.errors.codes.upkeep import CannotRestore, UndoUnreadable
from tranship.execution.resilience.connection import Session
from tranship.execution.resilience.failpoints import failpoint
from tranship.model.notes import FoundRestored, LockBlocked, Note
from tranship.model.options import command_line
from tranship.model.undo import (
    Back,
    Blocked,
    CheckDropped,
    CommentDropped,
    Gone,
    IndexDropped,
    KeyDropped,
    KeyUnvalidated,
    RuleDisabled,
    Standing,
    TriggerDisabled,
    Unreadable,
    Waiting,
)
from tranship.model.visible import pasteable
from tranship.server.journal import Journal, Undo
from tranship.server.journal.off_now import standing_now
from tranship.sql import session as statements
from tranship.sql.new.undo import restoring
from tranship.sql.queries import query

T = TypeVar("T")
LOCK_TIMEOUT = "3s"
"""A lock that waits makes every later session on the table wait behind it, so it gives up soon and tries
again.
"""
Fence = Callable[[asyncpg.Connection], Awaitable[None]]


async def restore(
    journal: Journal,
    session: Session,
    undo: Undo,
    tell: Callable[[Note], None],
    *,
    fence: Fence | None = None,
) -> Standing:
    """Restores one thing and records that it is restored, in one transaction. Returns how it stood before.

    What somebody else has restored or dropped is recorded as done, and told.

    ``fence`` as for `SwitchBoard`; None: the caller holds the writer lock.

    Raises:
        Refused: a person has to look: something stands in the way, or the journal's entry is none that
            tranship wrote.
    """
    if isinstance(undo.off, Unreadable):
        raise unreadable(undo)

    tries = 0

    async def once(new: asyncpg.Connection) -> Standing:
        nonlocal tries
        tries += 1
        async with new.transaction():
            await new.execute(statements.set_local("lock_timeout", LOCK_TIMEOUT))
            if fence is not None:
                await fence(new)
            stands = await standing_now(new, journal, undo)
            await _bring_back(new, journal, undo, stands)
        return stands

    stands = await session.work(undo.what, partial(naming_blockers, once, tell))
    # What a second try finds may be what the first one did, whose answer was lost; and a key that this run
    # has dropped once more is validated for both entries at once.
    own = tries > 1 or (isinstance(undo.off, KeyUnvalidated) and isinstance(stands, Back))
    if isinstance(stands, Back | Gone) and not own:
        tell(FoundRestored(undo.what, stands))
    return stands


async def _bring_back(new: asyncpg.Connection, journal: Journal, undo: Undo, stands: Standing) -> None:
    """Does what an entry needs and marks it as done, in the caller's transaction."""
    match stands:
        case Blocked():
            raise blocked(undo, stands)
        case Waiting():
            # The entry of its foreign key comes first; it could not be restored.
            return
        case Back() | Gone():
            await new.fetchval(journal.sql("undone"), undo.run, undo.seq)
        case (
            TriggerDisabled()
            | RuleDisabled()
            | KeyDropped()
            | KeyUnvalidated()
            | CommentDropped()
            | CheckDropped()
            | IndexDropped()
            | Unreadable()
        ):
            # None: an earlier try committed, and its answer was lost.
            if await new.fetchval(journal.sql("undone"), undo.run, undo.seq) is not None:
                for statement in restoring(stands):
                    await new.execute(statement)
                await failpoint("switches.restoring")
        case _:
            assert_never(stands)


def blocked(undo: Undo, stands: Blocked) -> Refused:
    """Returns the refusal of an entry in whose way something stands."""
    return Refused(CannotRestore(undo.what, stands.by, pasteable(undo.sql), accepting(undo)))


def accepting(undo: Undo) -> str:
    """Returns the command by which a person lets a thing be as it is."""
    return pasteable(command_line("tranship", "doctor", "CONFIG", "--accept", undo.what))


def unreadable(undo: Undo) -> Refused:
    """Returns the refusal of an entry that tranship did not write. Its SQL is shown and never executed."""
    return Refused(UndoUnreadable(undo.what, undo.sql, accepting(undo)))


async def naming_blockers(
    once: Callable[[asyncpg.Connection], Awaitable[T]], tell: Callable[[Note], None], new: asyncpg.Connection
) -> T:
    """Tries once; when that waited too long for a lock, tells which sessions hold one."""
    try:
        return await once(new)
    except asyncpg.LockNotAvailableError:
        for row in await new.fetch(query("lock_holders")):
            tell(LockBlocked(*(row[field] for field in LockBlocked.__struct_fields__)))
        raise
