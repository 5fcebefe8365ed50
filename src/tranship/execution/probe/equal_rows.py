"""Rows of OLD that NEW holds already, equal in every column.

Whoever refers to them finds the right row, so they are no rejects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.typed_rows import Typed, ask, json_rows, typed
from tranship.model.expression import NewDefault
from tranship.model.locator import Locator
from tranship.model.verdict import Held
from tranship.sql.new.given_rows import rows_query
from tranship.sql.new.unique_indexes import UniqueIndex, equal_part


class EqualRows:
    """Compares rows of one flow, in every column that it fills, with the rows of NEW with which they
    collide.
    """

    def __init__(self, reader: Reader, book: Book, indexes: Sequence[UniqueIndex]) -> None:
        self._reader, self._book = reader, book
        self._flow = reader.plan.flow
        self._filled = [m.column for m in reader.plan.columns if not isinstance(m.expression, NewDefault)]
        self._typed = self._comparable()
        # A row that an earlier run wrote stands for another row of OLD.
        ours = reader.job.written_before.get(reader.plan.new, ())
        parts = [
            equal_part(self._typed.rows, index, n, self._filled, ours)
            for n, index in enumerate(indexes)
            if self._typed
        ]
        self._query = rows_query(self._typed.rows, parts) if self._typed is not None and parts else ""

    async def find(self, rows: Iterable[Locator]) -> set[Locator]:
        """Enters the rows that NEW holds equal into the book, and returns them.

        One row of NEW stands for one row of OLD: the first that is read.
        """
        equal: set[Locator] = set()
        wanted = sorted(rows)
        if not wanted or self._typed is None or not self._query:
            return equal
        positions = self._typed.positions
        async for chunk in self._reader.chosen(wanted, positions):
            given = json_rows(chunk, positions, range(len(chunk.rows)))
            try:
                answers = await ask(self._reader, self._query, given)
            except NotAskable as why:
                self._book.note(self._flow, f"rows already in NEW: {why}")
                return equal
            places = {a.row: str(a.detail) for a in answers if a.kind == "equal"}
            equal.update(row for row in self._entered(chunk.rows, places))
        return equal

    def _entered(self, rows: Sequence[Locator], places: Mapping[int, str]) -> list[Locator]:
        return [
            rows[n]
            for n, place in sorted(places.items())
            if self._book.find(self._flow, place, Held(rows[n]))
        ]

    def _comparable(self) -> Typed | None:
        """Returns the flow's columns as they are sent to NEW. None: a value exists only after NEW has
        made it.
        """
        plan, lookups = self._reader.plan, self._reader.lookups
        if any(lookups.unknowable(plan, n) for n in range(len(plan.columns))):
            return None
        try:
            return typed(self._reader.job, plan, self._filled)
        except NotAskable:
            return None
