"""Both databases read in one go: catalogs, scope, and the connections that later questions use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.analysis.statistics import read_few
from tranship.codec import ChangesFile
from tranship.config import Config, Endpoint
from tranship.errors import Refused, UsageError
from tranship.model.catalog import Catalog, Index, Table
from tranship.model.names import Side
from tranship.model.resolution import Problem
from tranship.model.statistics import Background, Statistics
from tranship.planning.comparing.fingerprint import fingerprinted
from tranship.planning.matching.match import loose_columns
from tranship.planning.matching.scope import Scope, make_scope
from tranship.server.catalog import read_catalog
from tranship.server.connect import connect
from tranship.server.identity import read_identity
from tranship.server.journal import Journal

_STATISTICS_SECONDS = 30.0
"""Bound of reading what the servers' ANALYZE knows."""


class Sides(Struct, frozen=True):
    """Both catalogs, and what the configuration selects of them."""

    old: Catalog
    new: Catalog
    scope: Scope
    shared_ancestor: bool
    """Both servers descend from one cluster, so that equal OIDs mean the same physical table."""


class Connections(Struct, frozen=True):
    """One connection to each side, without an open transaction."""

    old: asyncpg.Connection
    new: asyncpg.Connection


@asynccontextmanager
async def connections(config: Config) -> AsyncIterator[Connections]:
    """Connect to both sides at once; both are closed at the end.

    Raises:
        ConnectError: a server cannot be reached or does not let us in.
    """
    opening = [asyncio.ensure_future(connect(endpoint)) for endpoint in (config.old, config.new)]
    await asyncio.wait(opening)
    opened = [task.result() for task in opening if task.exception() is None]
    try:
        yield Connections(*(task.result() for task in opening))
    finally:
        await asyncio.gather(*(conn.close(timeout=10) for conn in opened), return_exceptions=True)


async def read_sides(config: Config, open_: Connections, *, also: Sequence[tuple[Side, str]] = ()) -> Sides:
    """Read both catalogs, each in one read-only transaction.

    ``also`` names schemas beyond the configured ones whose tables are referred to (lookups).

    Raises:
        UsageError, Refused: a configured table is not there or may not be read; all of them at once.
    """
    (old, old_system), (new, new_system) = await asyncio.gather(
        _read_side(open_.old, config.old, config.journal_schema, [s for side, s in also if side is Side.OLD]),
        _read_side(open_.new, config.new, config.journal_schema, [s for side, s in also if side is Side.NEW]),
    )
    new = await _with_gone_indexes(open_.new, new, config.journal_schema)
    scope, problems = make_scope(
        old,
        new,
        config.tables,
        config.table_mapping,
        old_configured=config.old.schemas,
        new_configured=config.new.schemas,
    )
    refuse(problems)
    return Sides(old, new, scope, old_system == new_system)


async def read_background(open_: Connections, sides: Sides) -> tuple[Background, tuple[str, ...]]:
    """What ANALYZE knows of the columns that may have got another name, and what could not be read."""
    wanted = loose_columns(sides.old, sides.new, sides.scope)
    told: list[str] = []
    found: list[Statistics] = []
    for side, conn, catalog, columns in (
        (Side.OLD, open_.old, sides.old, wanted[0]),
        (Side.NEW, open_.new, sides.new, wanted[1]),
    ):
        try:
            found.append(await read_few(conn, catalog, columns, seconds=_STATISTICS_SECONDS))
        except (asyncpg.PostgresError, UnicodeDecodeError) as error:
            told.append(f"statistics of {side.value.upper()}: {type(error).__name__}")
            found.append(Statistics())
    return Background(sides.shared_ancestor, *found), tuple(told)


async def _read_side(
    conn: asyncpg.Connection, endpoint: Endpoint, journal_schema: str, also: Sequence[str]
) -> tuple[Catalog, str]:
    """One side's catalog and system identifier; relations that foreign keys or lookups reach outside the scope are read too."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        catalog = await read_catalog(conn, endpoint.schemas, journal_schema=journal_schema)
        targets = {key.target for table in catalog.tables for key in table.every_foreign_key}
        beyond = tuple(sorted({*also, *(t.schema for t in targets)} - set(catalog.schemas)))
        if beyond:
            extra = await read_catalog(conn, beyond, journal_schema=journal_schema)
            wanted = [t for t in extra.tables if t.name in targets or t.name.schema in also]
            catalog = replace(catalog, outside=tuple(wanted))
        return catalog, (await read_identity(conn)).system


async def _with_gone_indexes(conn: asyncpg.Connection, catalog: Catalog, journal_schema: str) -> Catalog:
    """NEW as it is and will be: an index that a run has off for its load counts as there."""
    journal = Journal(journal_schema)
    try:
        gone = (
            [undo.gone for undo in await journal.open_undo(conn) if undo.gone is not None]
            if await journal.exists(conn)
            else []
        )
    except asyncpg.InsufficientPrivilegeError:
        return catalog
    if not gone:
        return catalog
    return fingerprinted(
        replace(
            catalog,
            tables=tuple(
                _with_indexes(t, [g.index for g in gone if g.table == t.name]) for t in catalog.tables
            ),
        )
    )


def _with_indexes(table: Table, gone: Sequence[Index]) -> Table:
    there = {index.name for index in table.indexes}
    missing = [index for index in gone if index.name not in there]
    return replace(table, indexes=tuple(sorted((*table.indexes, *missing), key=lambda index: index.name)))


def told_scope(told: ChangesFile) -> Scope:
    """The scope as a changes file remembers it.

    Raises:
        UsageError: the file names tables that its own catalogs lack.
    """
    old, new = told.old.catalog, told.new.catalog
    scope, problems = make_scope(
        old,
        new,
        told.tables,
        told.table_mapping,
        old_configured=old.schemas if told.old.configured else None,
        new_configured=new.schemas if told.new.configured else None,
    )
    refuse([p for p in problems if p.code.startswith("TS1")])
    return scope


def told_background(told: ChangesFile) -> Background:
    """What a changes file remembers beside its catalogs."""
    return Background(told.shared_ancestor, told.old.statistics, told.new.statistics)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise when any problem is more than a warning: usage (TS1xx) first, then safety rules."""
    grave = tuple(p for p in problems if not p.warning)
    if not grave:
        return
    kind = UsageError if any(p.code.startswith("TS1") for p in grave) else Refused
    raise kind(grave)
