"""The rows that others wrote into a table of NEW since the run began, without holding more than a part in
memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from tranship.execution.proof.new_rows import NewRows
from tranship.execution.proof.row_store import RowStore
from tranship.execution.proof.rows import AT_ONCE, Place, Row

FEW = 100_000
"""Rows of others that are read at once, about a second."""
MOST_READINGS = 3
"""Readings of just the rows that a batch lacks. Each passes over all rows of others, and where a whole table
was written anew every batch lacks rows: after these readings, all are read once."""


class Strangers:
    """Rows of others. Those that turn out to be a batch's own are taken out."""

    def __init__(self, number: int, rows: NewRows) -> None:
        """``number`` is how many there are."""
        self._number, self._rows = number, rows
        self._all: RowStore | None = None
        self._some: RowStore | None = None
        self._taken: list[Counter[Row]] = []
        """What was taken out before all were read."""

    async def beside(self, missing: Counter[Row]) -> Counter[Row]:
        """Returns the rows among which those may be that a batch lacks."""
        if not missing or not self._number:
            return Counter()
        if self._all is None and self._number > FEW and len(self._taken) < MOST_READINGS:
            self._some = await self._rows.others_beside(missing)
            for rows in self._taken:
                self._some.take(rows & self._some.beside(rows))
            self._taken.append(Counter())
            return self._some.beside(missing)
        return (await self.read()).beside(missing)

    async def read(self) -> RowStore:
        """Reads all that are not read yet."""
        if self._all is None:
            self._all = await self._rows.others()
            for rows in self._taken:
                self._all.take(rows)
            self._some = None
        return self._all

    def take(self, rows: Counter[Row]) -> None:
        """Notes that these, which :meth:`beside` gave last, are a batch's own."""
        if self._all is not None:
            self._all.take(rows)
        elif self._some is not None:
            self._some.take(rows)
            self._taken[-1] += rows

    async def leave_out_at(self, places: Iterable[str]) -> None:
        """Takes out the rows at these places, which nobody added: NEW held them before the run."""
        rows = await self._rows.at_places(places)
        self.take(rows & await self.beside(rows))

    def places(self, keys: Iterable[str]) -> list[Place]:
        """Returns where those of the rows lie, which :meth:`beside` gave last, that have these keys."""
        store = self._all if self._all is not None else self._some
        return store.places(keys) if store is not None else []

    @property
    def taken(self) -> Iterator[Row]:
        """The rows that were taken out."""
        if self._all is not None:
            return self._all.rows(taken=True)
        return chain.from_iterable(rows.elements() for rows in self._taken)

    @property
    def number_taken(self) -> int:
        """How many rows were taken out."""
        if self._all is not None:
            return self._number - self._all.left
        return sum(rows.total() for rows in self._taken)

    def among_taken(self, keys: Iterable[str]) -> frozenset[str | None]:
        """Returns those of these keys under which rows were taken out."""
        if self._all is not None:
            return self._all.keys_taken(keys)
        return frozenset(keys) & frozenset(row.key for rows in self._taken for row in rows)

    async def leave_out(self, other: Strangers) -> None:
        """Takes out the rows that another flow has taken out as its own; it fills other columns of them."""
        taken = other.taken
        while some := list(islice(taken, AT_ONCE)):
            (await self.read()).take_alike(some)

    async def left(self, most: int) -> tuple[Counter[Row], int]:
        """Returns so many of the others, and how many more there are."""
        if self._all is not None:
            first = self._all.first(most)
            return first, self._all.left - first.total()
        taken = sum(self._taken, Counter[Row]())
        there = self._number - taken.total()
        if there <= 0:
            return Counter(), 0
        first = Counter(await self._rows.first_others(most + taken.total())) - taken
        named = Counter(dict(first.most_common(most)))
        return named, there - named.total()
