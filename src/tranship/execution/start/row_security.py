"""Row-level security that applies to the role: rows that it hides would be taken for rows that are not
there.
"""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from tranship.errors.codes.start import RowSecurity, RowSecurityOfNew
from tranship.execution.context import Job
from tranship.execution.probe.left_out_parents import left_out_parents
from tranship.model.expression import Lookup
from tranship.model.names import Side, TableName
from tranship.model.resolution import Problem
from tranship.sql import session as statements


async def hidden_rows(old: asyncpg.Connection, new: asyncpg.Connection, job: Job) -> list[Problem]:
    """Returns a problem for every table whose policies apply to the role: the plan's tables, and those that
    the run only reads.

    The server checks a foreign key with the rights of the parent's owner and without policies (PostgreSQL
    documentation, "Row Security Policies"). So a parent that is hidden from this role would be missing to
    the data checks and to nobody else.
    """
    plans = job.plan.tables
    olds = [RowSecurity(Side.OLD, p.old) for p in plans if job.before(p).row_security_active]
    news = [RowSecurityOfNew(Side.NEW, p.new) for p in plans if job.after(p).row_security_active]
    of_new = (_parents(job) | _lookups(job, Side.NEW)) - {p.new for p in plans}
    compared = {pair.parent.name for pair in left_out_parents(job)}
    of_old = (_lookups(job, Side.OLD) | compared) - {p.old for p in plans}
    beside = [
        *(RowSecurity(Side.OLD, table) for table in await _hiding(old, of_old)),
        *(RowSecurity(Side.NEW, table) for table in await _hiding(new, of_new)),
    ]
    return [found.problem() for found in (*olds, *news, *beside)]


def _parents(job: Job) -> set[TableName]:
    """Returns the tables of NEW in which the data checks look for parents."""
    keys = [key for plan in job.plan.tables for key in job.after(plan).every_foreign_key]
    return {key.target for key in keys if key.enforced}


def _lookups(job: Job, side: Side) -> set[TableName]:
    expressions = (m.expression for plan in job.plan.tables for m in plan.columns)
    return {e.table for e in expressions if isinstance(e, Lookup) and e.side is side}


async def _hiding(conn: asyncpg.Connection, tables: Iterable[TableName]) -> list[TableName]:
    """Returns the tables that this role may read, but only through their policies."""
    return [
        table
        for table in sorted(tables)
        if await _may_plan(conn, table, "on") and not await _may_plan(conn, table, "off")
    ]


async def _may_plan(conn: asyncpg.Connection, table: TableName, row_security: str) -> bool:
    """Returns whether the server plans a query under the setting.

    With ``row_security`` off it refuses a query that a policy would change.
    """
    try:
        async with conn.transaction():
            await conn.execute(statements.set_local("row_security", row_security))
            await conn.execute(statements.explained_read(table))
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True
