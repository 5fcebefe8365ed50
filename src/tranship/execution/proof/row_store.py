"""Rows of NEW that are looked up by key: few in memory, many in a file that nobody else can read."""

from __future__ import annotations

import contextlib
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tranship.errors import Stopped
from tranship.errors.codes.stops import NoSqlite, TemporaryFolderFull
from tranship.execution.proof.rows import AT_ONCE, Place, Row
from tranship.sql import row_store as statements

_LINES = 1 << 16
"""A line pointer has 16 bits (``OffsetNumber``)."""


class RowStore:
    """Rows of NEW. Those that turn out to be what OLD's rows become are taken out."""

    def __init__(self, *, keyed: bool) -> None:
        """``keyed``: the rows have keys; else equal rows cannot be told apart.

        Raises:
            Stopped: Python was built without SQLite.
        """
        # Here: a Python that was built without SQLite moves rows all the same, and compares them. Only to say
        # which rows differ it is needed.
        try:
            import sqlite3
        except ImportError as error:
            raise Stopped(NoSqlite()) from error

        self._keyed = keyed
        self._error = sqlite3.Error
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._rows.executescript(statements.MADE)
        weakref.finalize(self, self._rows.close)
        self.left = 0
        """How many are not taken out."""

    def add(self, rows: Iterable[tuple[Row, Place]]) -> None:
        """Enters rows with their places, before :meth:`sort`.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        added = [(row.id, row.digest, page * _LINES + line) for row, (page, line) in rows]
        self._change(statements.ADD, added)
        self.left += len(added)

    def sort(self) -> None:
        """Sorts the rows, after which questions can be asked. Of millions it takes seconds: it may run in a
        thread.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        with self._room():
            self._rows.executescript(statements.SORTED)

    def beside(self, rows: Iterable[Row]) -> Counter[Row]:
        """Returns the rows under the keys of these, or the equal ones where rows have no key."""
        if not self.left:
            return Counter()
        found = self._asked(statements.BESIDE, {row.id for row in rows})
        return Counter({self._row(id_, digest): number for id_, digest, number in found})

    def take(self, rows: Counter[Row]) -> None:
        """Takes rows out, all of which are there."""
        if rows:
            taken = ((number, number, row.id, row.digest) for row, number in rows.items())
            self._change(statements.TAKE, taken)
            self.left -= rows.total()

    def take_alike(self, rows: Iterable[Row]) -> None:
        """Takes out as many rows under the keys of these, whatever they hold; without keys, any as many."""
        given = list(rows)
        wanted, taken = Counter(row.key for row in given), Counter[Row]()
        for row, number in (self.beside(given) if self._keyed else self.first(len(given))).items():
            taken[row] = min(number, wanted[row.key])
            wanted[row.key] -= taken[row]
        self.take(taken)

    def keys_taken(self, keys: Iterable[str]) -> frozenset[str | None]:
        """Returns those of these keys under which rows were taken out."""
        return frozenset(key for (key,) in self._asked(statements.KEYS_TAKEN, keys))

    def places(self, keys: Iterable[str]) -> list[Place]:
        """Returns where the rows under these keys lie, those that were taken out included."""
        return [divmod(place, _LINES) for (place,) in self._asked(statements.PLACES, keys)]

    def first(self, most: int) -> Counter[Row]:
        """Returns the first rows that are left, at most so many."""
        found, left = Counter[Row](), most
        for row, number in self._counted(statements.FREE):
            if left <= 0:
                break
            found[row] = min(number, left)
            left -= number
        return found

    def rows(self, *, taken: bool = False) -> Iterator[Row]:
        """Yields the rows that are left; ``taken``: the others."""
        for row, number in self._counted(statements.TAKEN if taken else statements.FREE):
            for _ in range(number):
                yield row

    def _counted(self, statement: str) -> Iterator[tuple[Row, int]]:
        read = self._rows.execute(statement)
        while some := read.fetchmany(AT_ONCE):
            yield from ((self._row(id_, digest), number) for id_, digest, number in some)

    def _asked(self, statement: str, ids: Iterable[str]) -> list[tuple[Any, ...]]:
        """Returns what a statement finds beside these ids. Sorted, they are found in neighbouring pages."""
        self._change(statements.ASK, ((id_,) for id_ in sorted(ids)))
        found = self._rows.execute(statement).fetchall()
        self._rows.execute(statements.FORGET)
        return found

    def _row(self, id_: str, digest: str) -> Row:
        return Row(id_ if self._keyed else None, digest)

    @contextlib.contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise Stopped(TemporaryFolderFull(str(error))) from error

    def _change(self, statement: str, what: Iterable[tuple[object, ...]]) -> None:
        with self._room():
            self._rows.execute(statements.BEGIN)
            self._rows.executemany(statement, what)
            self._rows.execute(statements.COMMIT)
