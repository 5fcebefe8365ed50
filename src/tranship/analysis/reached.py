"""What a connection to both databases shows before anything is compared: versions, clocks, latency and
privileges.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Iterator

import asyncpg
from msgspec import Struct

from tranship.analysis.sides import Connections, lost_ones_named, refuse_same_database
from tranship.analysis.swapped import perhaps_swapped
from tranship.config import Config, Endpoint
from tranship.errors import TranshipError
from tranship.errors.codes.privileges import PrivilegeMissing
from tranship.errors.codes.scope import NoTablesInNew
from tranship.errors.codes.start import NewIsStandby, RowSecurity, RowSecurityOfNew
from tranship.model.catalog import Catalog
from tranship.model.names import Side
from tranship.model.resolution import Problem
from tranship.model.visible import pasteable
from tranship.planning.matching.scope import HOLDS_ROWS, make_scope, moved_tables
from tranship.planning.matching.selection import narrowed
from tranship.server.catalog import read_catalog
from tranship.server.connect import connect
from tranship.server.journal import missing_rights
from tranship.server.trouble import DATABASE_TROUBLE, explain, is_lost, lost
from tranship.sql.queries import query
from tranship.sql.quote import ident, relation

_ROUNDS = 5
"""Statements whose quickest answer counts as the latency: the first one pays for what is not in memory."""


class Reached(Struct, frozen=True):
    """One database that answered."""

    side: Side
    place: str
    """``host:port/database``."""
    user: str
    version: str
    """As the server writes it: ``17.2``."""
    standby: bool
    encrypted: bool | None
    """Whether the connection uses TLS; None: the server does not say."""
    latency_ms: float
    """The quickest of several round trips."""
    clock_ahead_seconds: float
    """How far the server's clock is ahead of this machine's; half a round trip is the error."""
    schemas: tuple[str, ...] = ()
    """Those in scope."""
    tables: int = 0
    """Tables in them that hold rows."""


class Ping(Struct, frozen=True):
    """What both databases answered."""

    old: Reached | None
    new: Reached | None
    problems: tuple[Problem, ...]
    """What stands in the way of a live run, as far as one can tell without a plan."""

    @property
    def exit_status(self) -> int:
        """0: nothing stands in the way. 2: a server, schema or table is not reached. 3: a privilege is
        missing, or a safety rule refuses the pair.
        """
        codes = [problem.code for problem in self.problems if not problem.warning]
        if any(code.startswith(("TS1", "TS2")) for code in codes):
            return 2
        return 3 if codes else 0


async def ping_both(config: Config) -> Ping:
    """Connects to both databases and returns what they say. It writes to neither; that a server cannot be
    reached is a problem of the answer and no exception.
    """
    # wait() and not gather(): what goes wrong on one side says nothing about the other.
    opening = [asyncio.ensure_future(connect(endpoint)) for endpoint in (config.old, config.new)]
    await asyncio.wait(opening)
    opened = [task.result() for task in opening if task.exception() is None]
    problems: list[Problem] = []
    try:
        ends = (config.old, config.new)
        old, new = [
            await _side(task, (end, config.journal_schema), problems)
            for task, end in zip(opening, ends, strict=True)
        ]
        if old is not None and new is not None:
            problems += await _together(Connections(*opened), config, (old[1], new[1]))
        return Ping(old and old[0], new and new[0], tuple(dict.fromkeys(problems)))
    finally:
        await asyncio.gather(*(conn.close(timeout=10) for conn in opened), return_exceptions=True)


async def _side(
    task: asyncio.Future[asyncpg.Connection], end: tuple[Endpoint, str], problems: list[Problem]
) -> tuple[Reached, Catalog] | None:
    """Returns what one side says, and its catalog; None, and problems, where it does not answer."""
    endpoint, journal_schema = end
    error = task.exception()
    if isinstance(error, TranshipError):
        problems += error.problems
        return None
    if error is not None:
        raise error
    try:
        return await _asked(task.result(), endpoint, journal_schema)
    except DATABASE_TROUBLE as trouble:
        problems += (lost if is_lost(trouble) else explain)(trouble, endpoint).problems
        return None


async def _asked(
    conn: asyncpg.Connection, endpoint: Endpoint, journal_schema: str
) -> tuple[Reached, Catalog]:
    quickest, ahead, row = float("inf"), 0.0, None
    for _ in range(_ROUNDS):
        began, sent = time.perf_counter(), datetime.datetime.now(tz=datetime.UTC)
        row = await conn.fetchrow(query("ping"))
        took = time.perf_counter() - began
        if took < quickest:
            half = datetime.timedelta(seconds=took / 2)
            quickest, ahead = took, (row["clock"] - sent - half).total_seconds()
    assert row is not None
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        catalog = await read_catalog(conn, endpoint.schemas, journal_schema=journal_schema)
    reached = Reached(
        side=endpoint.side,
        place=endpoint.display,
        user=row["user"],
        version=row["version"],
        standby=row["standby"],
        encrypted=row["encrypted"],
        latency_ms=round(quickest * 1000, 3),
        clock_ahead_seconds=round(ahead, 3),
        schemas=catalog.schemas,
        tables=sum(1 for table in catalog.tables if table.kind in HOLDS_ROWS and table.extension is None),
    )
    return reached, catalog


async def _together(open_: Connections, config: Config, catalogs: tuple[Catalog, Catalog]) -> list[Problem]:
    """Returns what stands in the way of moving rows from the one database to the other."""
    try:
        with lost_ones_named(open_, config):
            await refuse_same_database(open_, config)
            journal = await _journal(open_.new, config)
            swapped = await perhaps_swapped(open_, catalogs, config)
    except TranshipError as error:
        return list(error.problems)
    old, new = catalogs
    scope, problems = make_scope(
        old,
        new,
        config.tables,
        config.table_mapping,
        old_configured=config.old.schemas,
        new_configured=config.new.schemas,
    )
    scope, problems = narrowed(scope, old, config.only, config.never, problems)
    kept = [
        *(RowSecurity(Side.OLD, t.name).problem() for t in moved_tables(old, scope) if t.row_security_active),
        *_kept_from(new),
    ]
    return [*problems, *journal, *_no_tables(new), *kept, *swapped]


async def _journal(new: asyncpg.Connection, config: Config) -> list[Problem]:
    row = await new.fetchrow(query("ping"))
    if row["standby"]:
        return [NewIsStandby(config.new.display).problem()]
    missing = await missing_rights(new, config.journal_schema, row["user"], config.new.database)
    return [] if missing is None else [missing]


def _no_tables(new: Catalog) -> list[Problem]:
    # A schema that does not exist is a problem of its own.
    if new.tables or not new.schemas:
        return []
    return [NoTablesInNew(", ".join(new.schemas), new.database).problem()]


def _kept_from(new: Catalog) -> Iterator[Problem]:
    """Yields the tables of NEW that may not be read and filled, with the GRANT, and those whose policies
    apply to the role.
    """
    for table in new.tables:
        if table.kind not in HOLDS_ROWS or table.extension is not None:
            continue
        lacking = [right for right in ("SELECT", "INSERT") if right not in table.privileges]
        if lacking:
            rights, role = ", ".join(lacking), ident(new.user)
            usage = f"GRANT USAGE ON SCHEMA {ident(table.name.schema)} TO {role};"
            grant = pasteable(f"{usage} GRANT {rights} ON {relation(table.name)} TO {role};")
            yield PrivilegeMissing(Side.NEW, table.name, new.user, rights, grant).problem()
        elif table.row_security_active:
            yield RowSecurityOfNew(Side.NEW, table.name).problem()
