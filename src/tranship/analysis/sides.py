"""Connects to both databases and reads what a comparison needs: catalogs, scope and statistics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.analysis.statistics import read_few
from tranship.codec import ChangesFile
from tranship.config import Config, Endpoint
from tranship.errors import Refused, UsageError
from tranship.errors.codes.runs import OldIsStandbyOfNew, SameDatabase
from tranship.model.catalog import Catalog
from tranship.model.names import ColumnRef, Side
from tranship.model.resolution import Problem
from tranship.model.statistics import Background, Statistics
from tranship.planning.comparing.restored import as_restored
from tranship.planning.matching.match import loose_columns
from tranship.planning.matching.scope import Scope, make_scope
from tranship.planning.matching.selection import narrowed
from tranship.server.catalog import read_catalog
from tranship.server.connect import connect
from tranship.server.identity import read_identities, read_identity, same_database, standby_of
from tranship.server.journal import find_journal
from tranship.server.trouble import DATABASE_TROUBLE, is_lost, lost, spoken

_STATISTICS_SECONDS = 30.0
"""Seconds, at most, for reading what ANALYZE has stored, per side."""


class Sides(Struct, frozen=True):
    """Both catalogs, and what the configuration selects of them."""

    old: Catalog
    new: Catalog
    scope: Scope
    shared_ancestor: bool
    """Both servers have one system identifier: a copy of a cluster keeps it, and the OIDs of its tables."""


class Connections(Struct, frozen=True):
    """One connection to each side, without an open transaction."""

    old: asyncpg.Connection
    new: asyncpg.Connection


@asynccontextmanager
async def connections(config: Config) -> AsyncIterator[Connections]:
    """Connects to both sides at the same time and closes both at the end of the block.

    Raises:
        ConnectError: a server cannot be reached, does not let us in, or ends its connection meanwhile.
    """
    # wait() and not gather(): when one fails, the other one is still opened and has to be closed.
    opening = [asyncio.ensure_future(connect(endpoint)) for endpoint in (config.old, config.new)]
    await asyncio.wait(opening)
    opened = [task.result() for task in opening if task.exception() is None]
    try:
        open_ = Connections(*(task.result() for task in opening))
        with lost_ones_named(open_, config):
            yield open_
    finally:
        await asyncio.gather(*(conn.close(timeout=10) for conn in opened), return_exceptions=True)


@contextmanager
def lost_ones_named(open_: Connections, config: Config) -> Iterator[None]:
    """Turns the end of a connection within the block into the error that names its database.

    Raises:
        ConnectError: a server, or the network, ended its connection.
    """
    try:
        yield
    except DATABASE_TROUBLE as error:
        ended = [end for conn, end in ((open_.old, config.old), (open_.new, config.new)) if conn.is_closed()]
        if not ended or not is_lost(error):
            raise
        raise lost(error, ended[0]) from error


async def read_sides(config: Config, open_: Connections, *, also: Sequence[tuple[Side, str]] = ()) -> Sides:
    """Returns both catalogs, each read in one read-only transaction, with what the configuration selects.

    ``also`` names further schemas whose tables the decisions refer to (lookups).

    Raises:
        UsageError, Refused: configured tables do not exist or may not be read; all of them at once.
    """
    (old, old_system), (new, new_system) = await asyncio.gather(
        _read_side(open_.old, config.old, config.journal_schema, [s for side, s in also if side is Side.OLD]),
        _read_side(open_.new, config.new, config.journal_schema, [s for side, s in also if side is Side.NEW]),
    )
    new = await _as_restored(open_.new, new, config.journal_schema)
    scope, problems = make_scope(
        old,
        new,
        config.tables,
        config.table_mapping,
        old_configured=config.old.schemas,
        new_configured=config.new.schemas,
    )
    scope, problems = narrowed(scope, old, config.only, config.never, problems)
    refuse(problems)
    return Sides(old, new, scope, old_system == new_system)


async def refuse_same_database(open_: Connections, config: Config) -> None:
    """Refuses two names of one database: it would be compared with itself.

    Raises:
        Refused: OLD is NEW, or a standby of it.
    """
    old, new = await read_identities(open_.old, open_.new)
    if standby_of(old, new):
        raise Refused(OldIsStandbyOfNew(config.old.display, config.new.display))
    if not new.standby and await same_database(open_.old, open_.new):
        raise Refused(SameDatabase(config.old.display, config.new.display))


async def read_background(open_: Connections, sides: Sides) -> tuple[Background, tuple[str, ...]]:
    """Returns what ANALYZE has stored about columns that may have been renamed, and in words what could not
    be read.
    """
    wanted = loose_columns(sides.old, sides.new, sides.scope)
    read = await asyncio.gather(
        _statistics(Side.OLD, open_.old, sides.old, wanted[0]),
        _statistics(Side.NEW, open_.new, sides.new, wanted[1]),
    )
    unread = tuple(words for _, words in read if words)
    return Background(sides.shared_ancestor, *(found for found, _ in read)), unread


async def _statistics(
    side: Side, conn: asyncpg.Connection, catalog: Catalog, columns: Sequence[ColumnRef]
) -> tuple[Statistics, str]:
    """Returns what ANALYZE has stored about columns, or in words why it could not be read."""
    try:
        return await read_few(conn, catalog, columns, seconds=_STATISTICS_SECONDS), ""
    except (asyncpg.PostgresError, UnicodeDecodeError) as error:
        if is_lost(error):
            raise
        return Statistics(), f"statistics of {side.value.upper()}: {spoken(error)}"


async def _read_side(
    conn: asyncpg.Connection, endpoint: Endpoint, journal_schema: str, also: Sequence[str]
) -> tuple[Catalog, str]:
    """Returns one side's catalog and system identifier. Relations outside the scope that foreign keys or
    lookups refer to are read, too.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        catalog = await read_catalog(conn, endpoint.schemas, journal_schema=journal_schema)
        targets = {key.target for table in catalog.tables for key in table.every_foreign_key}
        beyond = tuple(sorted({*also, *(t.schema for t in targets)} - set(catalog.schemas)))
        if beyond:
            extra = await read_catalog(conn, beyond, journal_schema=journal_schema)
            wanted = [t for t in extra.tables if t.name in targets or t.name.schema in also]
            catalog = replace(catalog, outside=tuple(wanted))
        return catalog, (await read_identity(conn)).system


async def _as_restored(conn: asyncpg.Connection, catalog: Catalog, journal_schema: str) -> Catalog:
    """Returns NEW's catalog as it is while no run has anything switched off: what an interrupted one left is
    restored by its next process.

    A role that may not read the journal, or does not trust it, runs no live run, so it gets the catalog as it
    is.
    """
    try:
        journal = await find_journal(conn, journal_schema)
        off = await journal.open_undo(conn) if journal is not None else ()
    except (asyncpg.InsufficientPrivilegeError, Refused):
        return catalog
    return as_restored(catalog, [undo.off for undo in off])


def recorded_scope(changes: ChangesFile) -> Scope:
    """Returns the scope that a changes file records.

    Raises:
        UsageError: the file names tables that its own catalogs lack.
    """
    old, new = changes.old.catalog, changes.new.catalog
    scope, problems = make_scope(
        old,
        new,
        changes.tables,
        changes.table_mapping,
        old_configured=old.schemas if changes.old.configured else None,
        new_configured=new.schemas if changes.new.configured else None,
    )
    scope, problems = narrowed(scope, old, changes.only, changes.never, problems)
    refuse([p for p in problems if p.code.startswith("TS1")])
    return scope


def recorded_background(changes: ChangesFile) -> Background:
    """Returns the statistics that a changes file records."""
    return Background(changes.shared_ancestor, changes.old.statistics, changes.new.statistics)


def refuse(problems: Sequence[Problem]) -> None:
    """Raises an exception with all problems that are more than warnings, if there are any.

    Raises:
        UsageError: one of them is about usage (TS1xx): its exit status 2 says that the safety rules were not
            reached.
        Refused: safety rules alone.
    """
    grave = tuple(p for p in problems if not p.warning)
    if not grave:
        return
    kind = UsageError if any(p.code.startswith("TS1") for p in grave) else Refused
    raise kind(grave)
