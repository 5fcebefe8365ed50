"""Rows that NEW held before the run and that stand for rows of OLD: whether they hold OLD's values.

They are found by their key and compared text by text in every column that the flow fills: those that were
equal when the run found them, and those that it gave OLD's values. Rows that NEW keeps by decision are not
compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reading import Chunk, Reader
from tranship.execution.probe.typed_rows import ask, json_rows, typed
from tranship.execution.probe.within import lookups_of
from tranship.execution.proof.naming import Listing
from tranship.model.difference import Difference, DifferenceKind, RowsBefore
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.verdict import Held, HeldAs
from tranship.planning.plan.found import filled_columns, found_by
from tranship.server.snapshot import Snapshot
from tranship.sql.new.existing import compared_part
from tranship.sql.new.given_rows import rows_query
from tranship.sql.new.matched_key import matched_key

_COMPARED = (HeldAs.ALREADY_THERE, HeldAs.UPDATED)


class HeldRows(Struct, frozen=True):
    """The rows of one flow."""

    job: Job
    plan: TablePlan
    held: Mapping[Locator, Held]

    async def compared(
        self, snapshot: Snapshot, new: asyncpg.Connection
    ) -> tuple[RowsBefore | None, list[Difference]]:
        """Compares OLD's rows of the run's snapshot with those of NEW, in the caller's transaction there."""
        outcomes = Counter(one.outcome for one in self.held.values())
        kept = outcomes[HeldAs.KEPT]
        rows = sorted(row for row, one in self.held.items() if one.outcome in _COMPARED)
        if not rows or not self._columns[0]:
            return RowsBefore(0, kept, len(rows)) if rows or kept else None, []
        found = Listing()
        try:
            async with snapshot.reader(self.plan.zone) as old:
                reader = Reader(self.job, self.plan, old, new, lookups_of(self.job), {})
                compared = await self._read(reader, rows, found)
        except NotAskable:
            return RowsBefore(0, kept, len(rows)), []
        return RowsBefore(compared, kept, len(rows) - compared), found.all

    @property
    def _columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Returns a key of NEW, empty without one that the flow fills, and the columns that are compared."""
        existing, filled = self.plan.shape.existing, filled_columns(self.plan)
        if existing is not None:
            by = found_by(existing, self.plan, self.job.new)
            return by.key, by.compared
        keys = sorted(self.job.after(self.plan).keys, key=lambda one: (not one.primary, one.name))
        own = (one.columns for one in keys if set(one.columns) <= set(filled))
        return next(own, ()), filled

    async def _read(self, reader: Reader, rows: list[Locator], found: Listing) -> int:
        """Enters the rows that differ; returns how many were compared."""
        key, columns = self._columns
        question = typed(self.job, self.plan, {*key, *columns}, written=True)
        matched = matched_key(self.job.after(self.plan), key)
        query = rows_query(question.rows, [compared_part(question.rows, matched, columns)])
        compared = 0
        async for chunk in reader.chosen(rows, question.positions):
            given = json_rows(chunk, question.positions, range(len(chunk.rows)))
            answers = await ask(reader, query, given)
            seen = {one.row: str(one.detail or "") for one in answers if one.kind == "compared"}
            found.add(self._differences(chunk, seen))
            compared += len(chunk.rows)
        return compared

    def _differences(self, chunk: Chunk, seen: Mapping[int, str]) -> Iterator[Difference]:
        """Yields the rows that NEW lacks, or that hold other values in some columns."""
        (key, columns), table = self._columns, str(self.plan.new)
        places = {mapping.column: n for n, mapping in enumerate(self.plan.columns)}
        for n in range(len(chunk.rows)):
            named = {name: chunk.texts[places[name]][n] for name in key}
            wrong = seen.get(n)
            if wrong is None:
                yield Difference(table, DifferenceKind.MISSING, named)
            elif wrong:
                differing = tuple(columns[int(at)] for at in wrong.split(","))
                # The run found it equal, or made it so: somebody else changed it.
                yield Difference(table, DifferenceKind.CHANGED, named, differing, by_others=True)
