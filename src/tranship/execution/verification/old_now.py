"""OLD as it is now, which a verification asks only where sums differ: then it can say which rows do."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack

from msgspec import Struct

from tranship.config import Config
from tranship.errors import TranshipError
from tranship.execution.context import Job
from tranship.execution.probe.everything import locked_relations
from tranship.model.catalog import Catalog
from tranship.model.plan import Plan
from tranship.server.catalog import read_catalog
from tranship.server.identity import read_identity
from tranship.server.session import datestyle, open_session
from tranship.server.snapshot import Snapshot
from tranship.server.trouble import DATABASE_TROUBLE, spoken


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
                catalog = await read_catalog(conn, None, journal_schema=config.journal_schema)
            identity = (await read_identity(conn)).key
        finally:
            conn.terminate()
        wanted = (name for plan in self._plans for name in locked_relations(Job(plan, catalog, self._new)))
        there = [name for name in dict.fromkeys(wanted) if catalog.table(name) is not None]
        opening = Snapshot.open(config.old, there, datestyle=style)
        return OldSide(await self._stack.enter_async_context(opening), catalog, identity)
