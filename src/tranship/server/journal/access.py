"""Whether there is a journal, whether it may be trusted, and how it is made, upgraded and removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet

import asyncpg
import msgspec
from msgspec import Struct

from tranship import __version__
from tranship.errors import Refused
from tranship.errors.codes.privileges import (
    JournalMayNotBeMade,
    JournalMayNotBeUsed,
    JournalNotRemovable,
    JournalNotWhole,
    JournalOccupied,
    JournalOfEarlierRole,
    JournalOfLaterVersion,
    JournalOfOthers,
    JournalRefused,
    JournalWritable,
)
from tranship.errors.codes.runs import BegunInEarlierFormat, NoPlanInJournal, StillSwitchedOff
from tranship.model.resolution import Problem
from tranship.model.visible import pasteable
from tranship.server.journal.store import Journal
from tranship.sql.new.journal import FORMAT, TABLES, JournalSql
from tranship.sql.quote import ident
from tranship.sql.session import set_local

LOCK_TIMEOUT = "3s"
"""For locks on the journal's own tables."""
_TRIES = 2
"""Of making the journal: another run, from another OLD, may make it in the same moment."""


class _Schema(Struct, frozen=True):
    """The journal's schema as NEW's catalog has it."""

    owner: str
    may_use: bool
    may_create: bool
    may_read: bool
    may_write: bool
    tables: tuple[str, ...]
    strangers: tuple[str, ...]
    owners: tuple[str, ...]
    writers: tuple[str, ...]

    @property
    def format(self) -> int:
        """The format that the tables are of, before the journal itself is asked."""
        return 1 if not {"format", "predicted_reject"} & set(self.tables) else FORMAT

    @property
    def missing(self) -> tuple[str, ...]:
        """Tables of the journal that are not there."""
        return tuple(sorted(TABLES[self.format].keys() - set(self.tables)))


async def find_journal(conn: asyncpg.Connection, schema: str) -> Journal | None:
    """Returns the journal of NEW in the format that it has; None: there is none.

    Raises:
        Refused: it is not whole, a later version wrote it, somebody could have written into it who is
            neither this role nor a superuser, or this role may not read it.
    """
    state = await _look(conn, schema)
    if state is None or not state.tables:
        return None
    _refuse_untrusted(schema, state)
    if state.missing:
        drop = pasteable(f"DROP SCHEMA {ident(schema)} CASCADE;")
        raise Refused(JournalNotWhole(schema, state.missing, drop))
    if not (state.may_use and state.may_read):
        raise Refused(await _not_usable(conn, schema, state))
    journal = Journal(schema, state.format)
    if journal.format > 1:
        number, version = await conn.fetchrow(journal.sql("format_number"))
        if number > FORMAT:
            raise Refused(JournalOfLaterVersion(schema, number, FORMAT, version))
    return journal


async def missing_rights(conn: asyncpg.Connection, schema: str, user: str, database: str) -> Problem | None:
    """Returns the GRANTs that are missing before the journal can be made or used, as a problem; None: it can.

    Raises:
        Refused: as `find_journal`.
    """
    state = await _look(conn, schema)
    if state is None:
        if await conn.fetchval(
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')"
        ):
            return None
        make = f"CREATE SCHEMA {ident(schema)} AUTHORIZATION {ident(user)};"
        hint = f"{make}  -- or: GRANT CREATE ON DATABASE {ident(database)} TO {ident(user)};"
        return JournalMayNotBeMade(schema, pasteable(hint)).problem()
    if not state.tables and state.strangers:
        return _occupied(schema, state).problem()
    _refuse_untrusted(schema, state)
    if state.may_use and (state.may_write if state.tables else state.may_create):
        return None
    return (await _not_usable(conn, schema, state)).problem()


async def _not_usable(conn: asyncpg.Connection, schema: str, state: _Schema) -> JournalMayNotBeUsed:
    """Returns what this role lacks to use the journal, with the GRANTs."""
    user = ident(await conn.fetchval("SELECT CURRENT_USER::pg_catalog.text"))
    name = ident(schema)
    if not state.tables:
        return JournalMayNotBeUsed(schema, pasteable(f"GRANT USAGE, CREATE ON SCHEMA {name} TO {user};"))
    # No GRANT to write: a journal that a role of fewer rights may write is one that its owner does not trust.
    tables = f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {user};"
    reading = f"GRANT USAGE ON SCHEMA {name} TO {user}; {tables}"
    return JournalOfEarlierRole(schema, pasteable(reading), state.owner)


async def refuse_unfinished(
    conn: asyncpg.Connection, journal: Journal, *, without: AbstractSet[str] = frozenset()
) -> None:
    """Looks whether a journal of an earlier format may become one of this; ``without``: runs that do not
    count.

    Raises:
        Refused: a run in it is not finished, from whichever OLD, or something is off.
    """
    if journal.format == FORMAT:
        return
    for run in await conn.fetch(journal.sql("unfinished")):
        if run["id"] not in without:
            raise earlier_format(journal, run["id"], run["tool_version"])
    if any(undo.run not in without for undo in await journal.open_undo(conn)):
        raise Refused(StillSwitchedOff("tranship doctor CONFIG --restore"))


def earlier_format(journal: Journal, run: str, version: str) -> Refused:
    """Returns the refusal of a run that began in an earlier format: only the version that began it can finish
    it.
    """
    return Refused((BegunInEarlierFormat if journal.format < FORMAT else NoPlanInJournal)(run, version))


async def prepare_journal(conn: asyncpg.Connection, schema: str) -> Journal:
    """Makes the journal, or makes one of an earlier format one of this, in the transaction that the
    connection is in.

    Raises:
        Refused: this role may neither make nor use it, the schema is somebody else's, or a run of an earlier
            format is unfinished.
    """
    for left in reversed(range(_TRIES)):
        try:
            async with conn.transaction():
                return await _prepared(conn, schema)
        except (asyncpg.DuplicateObjectError, asyncpg.DuplicateSchemaError, asyncpg.UniqueViolationError):
            if not left:
                raise
        except asyncpg.InsufficientPrivilegeError as error:
            raise Refused(JournalRefused(schema, str(error))) from error
    raise AssertionError("the last try returns or raises")


async def _prepared(conn: asyncpg.Connection, schema: str) -> Journal:
    there = await find_journal(conn, schema)
    made = Journal(schema)
    if there is None:
        await _make(conn, made)
    elif there.format < FORMAT:
        await conn.execute(there.sql("lock_out"))
        await refuse_unfinished(conn, there)
        await conn.execute(there.sql("upgrade_1"))
        await conn.execute(made.sql("insert_format"), FORMAT, __version__)
    return made


async def _make(conn: asyncpg.Connection, journal: Journal) -> None:
    state = await _look(conn, journal.schema)
    if state is not None and state.strangers:
        raise Refused(_occupied(journal.schema, state))
    if state is None:
        await conn.execute(journal.sql("create_schema"))
    await conn.execute(journal.sql("create_tables"))
    await conn.execute(journal.sql("insert_format"), FORMAT, __version__)
    for row in await conn.fetch(journal.sql("granted"), journal.schema):
        # Whom a schema that was there before lets in, somebody let in on purpose; into its tables nobody else
        # writes.
        await conn.execute(journal.sql.revoke_from(row["role"], reading=state is None))


async def remove_journal(
    conn: asyncpg.Connection, journal: Journal, judge: Callable[[], Awaitable[None]]
) -> bool:
    """Drops the journal's tables, and the schema where it is empty then and this role's own; whether the
    schema is gone.

    ``judge`` is asked once no run can begin any more; what it raises keeps the journal.

    Raises:
        Refused: the tables belong to another role, or something of others depends on them.
        asyncpg.LockNotAvailableError: a run is at work.
    """
    in_the_way = (asyncpg.InsufficientPrivilegeError, asyncpg.DependentObjectsStillExistError)
    try:
        async with conn.transaction():
            await conn.execute(set_local("lock_timeout", LOCK_TIMEOUT))
            await conn.execute(journal.sql("lock_out"))
            await judge()
            await conn.execute(journal.sql("drop_tables"))
    except in_the_way as error:
        raise Refused(JournalNotRemovable(journal.schema, str(error))) from error
    try:
        async with conn.transaction():
            await conn.execute(journal.sql("drop_schema"))
    except in_the_way:
        return False
    return True


async def _look(conn: asyncpg.Connection, schema: str) -> _Schema | None:
    known = [(table, mark) for tables in TABLES.values() for table, mark in tables.items()]
    names, marks = zip(*dict.fromkeys(known), strict=True)
    row = await conn.fetchrow(JournalSql(schema)("state_of_schema"), schema, names, marks)
    return msgspec.convert(dict(row), type=_Schema) if row is not None else None


def _refuse_untrusted(schema: str, state: _Schema) -> None:
    """Refuses a journal that others may write. It decides what is done to NEW with this role's rights, so
    nobody of fewer rights may write it.

    Raises:
        Refused: somebody may.
    """
    if state.owners:
        raise Refused(JournalOfOthers(schema, state.owners))
    if state.writers:
        revoke = "; ".join(_revoking(ident(schema), role) for role in state.writers)
        raise Refused(JournalWritable(schema, state.writers, pasteable(f"{revoke};")))


def _revoking(schema: str, role: str) -> str:
    """Returns the statements that leave a role nothing but reading."""
    writing, name = "INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER", "PUBLIC" if role == "PUBLIC" else ident(role)
    tables = f"REVOKE {writing} ON ALL TABLES IN SCHEMA {schema} FROM {name}"
    return f"REVOKE CREATE ON SCHEMA {schema} FROM {name}; {tables}"


def _occupied(schema: str, state: _Schema) -> JournalOccupied:
    return JournalOccupied(schema, state.strangers[:5])
