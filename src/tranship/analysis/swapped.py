"""Finds out whether OLD and NEW are probably swapped: OLD holds nothing, and NEW holds rows."""

from __future__ import annotations

import asyncpg

from tranship.analysis.sides import Connections, Sides
from tranship.config import Config
from tranship.errors.codes.start import PerhapsSwapped, ProbablySwapped
from tranship.model.catalog import Catalog, Table
from tranship.model.count import count_of
from tranship.model.plan import Plan
from tranship.model.resolution import Problem
from tranship.planning.matching.scope import HOLDS_ROWS
from tranship.server.identity import read_identity
from tranship.server.journal import find_journal, missing_rights
from tranship.server.trouble import is_lost
from tranship.sql.evidence import bounded_transaction
from tranship.sql.standing import holding_any

_AT_ONCE = 50
"""Tables that one statement looks into: each takes a few of the server's shared locks."""
_MILLISECONDS = 10_000
"""A table that is locked is not waited for: whether it holds a row decides nothing but this warning."""
_HALF = 2
"""NEW counts as full where at least one in so many of its tables holds rows; fewer are seeds."""


async def probably_swapped(
    open_: Connections, sides: Sides, plan: Plan, config: Config, *, allowed: bool
) -> tuple[Problem, ...]:
    """Returns a problem where no table of the plan holds a row in OLD, and at least half of them do in NEW.

    An OLD that a run of the journal has read is known to be the old one; ``allowed`` asks for nothing.
    """
    if allowed:
        return ()
    after = {table.name: table for one in plan.tables if (table := sides.new.table(one.new)) is not None}
    held = await _swapped(open_, (_read(sides, plan), list(after.values())), sides.new, config)
    return () if held is None else (ProbablySwapped(config.old.display, config.new.display, *held).problem(),)


async def perhaps_swapped(
    open_: Connections,
    catalogs: tuple[Catalog, Catalog],
    config: Config,
    *,
    message: type[ProbablySwapped] = PerhapsSwapped,
) -> tuple[Problem, ...]:
    """Returns a problem, by default a warning, where no table of OLD's schemas holds a row, and at least half
    of NEW's do: nobody should answer questions about the wrong direction.
    """
    old, new = ([one for one in catalog.tables if one.kind in HOLDS_ROWS] for catalog in catalogs)
    held = await _swapped(open_, (old, new), catalogs[1], config)
    return () if held is None else (message(config.old.display, config.new.display, *held).problem(),)


async def _swapped(
    open_: Connections, tables: tuple[list[Table], list[Table]], new: Catalog, config: Config
) -> tuple[str, str] | None:
    """Returns how many tables of OLD hold nothing, and how many of NEW's hold rows; None: that is nothing
    to wonder at.
    """
    before, after = tables
    # What may not be read is not known to be empty.
    unread = any(table.pages and "SELECT" not in table.privileges for table in before)
    if not before or unread or await _holding(open_.old, before) != 0:
        return None
    full = await _holding(open_.new, after)
    if not full or full * _HALF < len(after) or await _has_run(open_, new, config):
        return None
    return count_of(len(before), "table"), f"{full} of {len(after)}"


def _read(sides: Sides, plan: Plan) -> list[Table]:
    """Returns the tables of OLD of which a plan may take rows."""
    if all(one.shape.in_a_heap for one in plan.tables):
        return [table for one in plan.tables if (table := sides.old.table(one.old)) is not None]
    # A query may read other tables than those of the plan.
    return list(sides.old.tables)


async def _holding(conn: asyncpg.Connection, tables: list[Table]) -> int | None:
    """Returns how many tables hold a row; one without a page, or that may not be read, counts as empty.

    None: the server does not say (a partition on another server, a lock, policies that hide rows), so that
    nothing is concluded.
    """
    if any(table.row_security_active for table in tables):
        return None
    asked = [table for table in tables if table.pages and "SELECT" in table.privileges]
    found = 0
    for start in range(0, len(asked), _AT_ONCE):
        try:
            await conn.execute(bounded_transaction(_MILLISECONDS))
            rows = await conn.fetch(holding_any(asked[start : start + _AT_ONCE]))
        except asyncpg.PostgresError as error:
            if is_lost(error):
                raise
            return None
        finally:
            if not conn.is_closed():
                await conn.execute("ROLLBACK")
        found += sum(1 for row in rows if row["held"])
    return found


async def _has_run(open_: Connections, new: Catalog, config: Config) -> bool:
    if await missing_rights(open_.new, config.journal_schema, new.user, new.database) is not None:
        return False
    journal = await find_journal(open_.new, config.journal_schema)
    return journal is not None and bool(await journal.runs(open_.new, (await read_identity(open_.old)).key))
