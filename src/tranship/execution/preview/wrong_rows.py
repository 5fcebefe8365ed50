"""Which rows of a flow have values that NEW would refuse, among as many as can be looked at in a few seconds.

Where OLD can vouch for values by their types and lengths, one query asks it for the others, wherever in the
table they are. Otherwise, and where that takes too long, some rows are computed as a run computes them: those
that a query without an order gives first, which need not be the first of the table where it filters or joins.
Both are bounded in time, and nothing is claimed of rows that were not looked at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.preview.new_rows import NewRows
from tranship.execution.preview.old_rows import OldRows
from tranship.execution.probe.reading import RAISED, by_source
from tranship.model.expression import Lookup, Sql
from tranship.model.locator import Locator
from tranship.model.plan import HazardKind, TablePlan
from tranship.model.preview import PREVIEWED, WrongRows
from tranship.sql import session as statements
from tranship.sql.old.safe_values import foreign_characters, is_null, missing_entry, uncertain

LOOK_SECONDS = 3
"""Seconds after which a statement that looks for rows is cancelled, and no further rows are looked at."""
_WINDOW = 5_000
"""Most rows that are looked at where OLD can vouch for none."""
_AT_ONCE = 250
"""Rows whose texts are in memory together; a text has up to 100 kB."""
_DOUBTFUL = 500
"""Most rows for which OLD cannot vouch that are put to NEW."""

Sides = tuple[asyncpg.Connection, asyncpg.Connection]
_Search = Callable[[], "Awaitable[Looked | None]"]


class Looked(Struct, frozen=True):
    """The rows that were found, and how far the search came."""

    rows: tuple[Locator, ...] = ()
    """At most as many as are shown."""
    said: WrongRows | None = None
    """None: nobody looked."""
    right: tuple[Locator, ...] = ()
    """Some of those with nothing wrong, at most as many as are shown; empty where any other row will do."""


class Search:
    """Looks for rows with values that are refused, inside a read-only transaction of each side.

    ``names`` are the columns of NEW that are shown.
    """

    def __init__(
        self, job: Job, plan: TablePlan, reading: OldRows, rendering: NewRows, names: Sequence[str]
    ) -> None:
        self._job, self._plan, self.names = job, plan, names
        self._reading, self._rendering = reading, rendering

    async def look(self, sides: Sides, then: int) -> Looked:
        """Returns what was found in the time that there is. ``then`` are the seconds that a statement of OLD
        may take afterwards.
        """
        old, _ = sides
        await old.execute(statements.set_local("statement_timeout", f"{LOOK_SECONDS}s"))
        predicates, found = self._predicates(), None
        if predicates is not None:
            found = await self._tried(sides, lambda: self._doubtful(predicates))
        if found is None:
            found = await self._tried(sides, self._some)
        await old.execute(statements.set_local("statement_timeout", f"{then}s"))
        return found or Looked((), WrongRows())

    async def _tried(self, sides: Sides, search: _Search) -> Looked | None:
        """Returns what a search found; None where it takes too long, or raises for some row."""
        try:
            # Many short statements can take long together.
            async with asyncio.timeout(2 * LOOK_SECONDS), sides[0].transaction(), sides[1].transaction():
                return await search()
        except (TimeoutError, asyncpg.QueryCanceledError, *RAISED):
            return None

    async def _doubtful(self, predicates: Sequence[str]) -> Looked | None:
        """Returns the rows that NEW refuses of those for which OLD cannot vouch. None: there are too many of
        these to say so of every row.
        """
        if not predicates:
            return Looked((), WrongRows(None, by_types=True))
        rows = await self._reading.first(_DOUBTFUL, predicates)
        wrong = await self._wrong(rows)
        is_every_row = len(rows) < _DOUBTFUL
        if not is_every_row and len(wrong) < PREVIEWED:
            return None
        said = WrongRows(None, len(wrong), at_least=not is_every_row)
        return Looked(tuple(wrong[:PREVIEWED]), said)

    async def _some(self) -> Looked:
        """Returns those of some rows, as far as the time allows."""
        begun = time.monotonic()
        rows = await self._reading.first(_WINDOW)
        wrong: list[Locator] = []
        right: list[Locator] = []
        looked = 0
        for part in _parts(rows):
            if looked and (len(wrong) >= PREVIEWED or time.monotonic() - begun > LOOK_SECONDS):
                break
            found = await self._wrong(part)
            wrong += found
            right += [row for row in part if row not in found][: PREVIEWED - len(right)]
            looked += len(part)
        every = looked == len(rows) < _WINDOW
        said = WrongRows(None if every else looked, len(wrong))
        return Looked(tuple(wrong[:PREVIEWED]), said, tuple(right))

    async def _wrong(self, rows: Sequence[Locator]) -> list[Locator]:
        """Returns the rows for which a value is refused."""
        wanted = self._rendering.positions(self.names)
        wrong: list[Locator] = []
        for part in _parts(rows):
            refused = await self._rendering.refused(await self._reading.texts(part, wanted), self.names)
            wrong += [part[number] for number in refused]
        return wrong

    def _predicates(self) -> list[str] | None:
        """Returns predicates of the rows for which OLD cannot vouch; None: it can vouch for none, because SQL
        or a lookup computes a value.
        """
        shown = set(self._rendering.positions(self.names))
        computed = any(isinstance(self._plan.columns[n].expression, Sql | Lookup) for n in shown)
        generated = any(hazard.kind is HazardKind.GENERATED for hazard in self._plan.hazards)
        if computed or generated:
            return None
        found = list(self._of_hazards(shown))
        return None if None in found else [one for one in found if one is not None]

    def _of_hazards(self, shown: set[int]) -> Iterator[str | None]:
        before = self._job.before(self._plan)
        position = {self._plan.columns[n].column: n for n in shown}
        in_bytes = self._job.new.counts_bytes and not self._job.old.counts_bytes
        for hazard in self._plan.hazards:
            for n in (position[name] for name in hazard.columns if name in position):
                match hazard.kind:
                    case HazardKind.CONVERSION:
                        yield uncertain(self._plan, n, before, in_bytes=in_bytes)
                    case HazardKind.GAP:
                        yield missing_entry(self._plan, n, before)
                    case HazardKind.NOT_NULL:
                        yield is_null(self._plan, n, before)
                    case HazardKind.ENCODING:
                        yield foreign_characters(self._plan, n, before)
                    case _:
                        pass


def _parts(rows: Sequence[Locator]) -> Iterator[list[Locator]]:
    """Yields rows of one source whose texts are read together."""
    for some in by_source(rows):
        for n in range(0, len(some), _AT_ONCE):
            yield some[n : n + _AT_ONCE]
