"""OLD as it is now: it says which rows differ, and is compared once more with NEW beside the sums."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from tranship.config import Config
from tranship.errors import TranshipError
from tranship.execution.context import Job
from tranship.execution.probe.everything import locked_relations
from tranship.model.catalog import Catalog, Table
from tranship.model.plan import Plan
from tranship.server.catalog import read_catalog
from tranship.server.catalog.described import described, query_table
from tranship.server.identity import read_identity
from tranship.server.session import datestyle, open_session
from tranship.server.snapshot import Snapshot
from tranship.server.trouble import DATABASE_TROUBLE, spoken
from tranship.sql.old.expression_checks import output


class OldSide(Struct, frozen=True):
    """What is read of OLD."""

    snapshot: Snapshot
    catalog: Catalog
    identity: str
    """The journal's key for the database."""


class OldNow:
    """Opens OLD when it is first asked for. It is left through the stack that it was given."""

    def __init__(self, config: Config, new: Catalog, plans: Iterable[Plan], stack: AsyncExitStack) -> None:
        self._config, self._new, self._plans, self._stack = config, new, tuple(plans), stack
        self._side: OldSide | None = None
        self.trouble = ""
        """Why it cannot be read; empty as long as it was not asked or answers."""

    @property
    def schemas(self) -> tuple[str, ...] | None:
        """The schemas that plans are made of."""
        return self._config.old.schemas

    @property
    def read(self) -> bool:
        """Whether it was asked and answered."""
        return self._side is not None

    async def side(self) -> OldSide | None:
        """Returns what is read of OLD; None: it cannot be reached, and ``trouble`` says why."""
        if self._side is None and not self.trouble:
            try:
                self._side = await self._opened()
            except TranshipError as error:
                self.trouble = error.message
            except DATABASE_TROUBLE as error:
                self.trouble = spoken(error)
        return self._side

    async def _opened(self) -> OldSide:
        config, style = self._config, datestyle(self._new)
        conn = await open_session(config.old, datestyle=style, direct=True)
        try:
            async with conn.transaction(isolation="repeatable_read", readonly=True):
                # A partition whose root was out of scope was a table of the run.
                read = {table.old for plan in self._plans for table in plan.tables}
                journal = config.journal_schema
                catalog = await read_catalog(conn, None, journal_schema=journal, partitions=read)
            catalog = replace(catalog, outside=(*catalog.outside, *await self._queries(conn)))
            identity = (await read_identity(conn)).key
        finally:
            conn.terminate()
        plans = (self._of_tables_there(plan, catalog) for plan in self._plans)
        wanted = (name for plan in plans for name in locked_relations(Job(plan, catalog, self._new)))
        there = [name for name in dict.fromkeys(wanted) if catalog.table(name) is not None]
        opening = Snapshot.open(config.old, there, datestyle=style)
        return OldSide(await self._stack.enter_async_context(opening), catalog, identity)

    def _of_tables_there(self, plan: Plan, old: Catalog) -> Plan:
        """Returns a plan without the flows of which a table is gone by now."""
        there = (one for one in plan.tables if old.table(one.old) and self._new.table(one.new))
        return plan.part(there)

    async def _queries(self, conn: asyncpg.Connection) -> list[Table]:
        """Returns a table for the output of each ``query`` of the plans: a server's catalog has none.

        Raises:
            asyncpg.PostgresError: OLD does not run the query any more.
        """
        flows = {table.old: table.shape.query for plan in self._plans for table in plan.tables}
        return [
            query_table(name, query.key, await described(conn, output(query.sql)))
            for name, query in flows.items()
            if query is not None
        ]
