"""Rows of NEW that are looked up by key: few in memory, many in a file that nobody else can read."""

from __future__ import annotations

import sqlite3
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator

from tranship.execution.proof.rows import AT_ONCE, Place, Row
from tranship.sql import row_store as statements


class RowStore:
    """Rows of NEW. Those that turn out to be what OLD's rows become are taken out."""

    def __init__(self, *, keyed: bool) -> None:
        """``keyed``: the rows have keys; else equal rows cannot be told apart."""
        self._keyed = keyed
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.executescript(statements.MADE)
        weakref.finalize(self, self._rows.close)
        self._indexed = False
        self.left = 0
        """How many are not taken out."""

    def add(self, rows: Iterable[tuple[Row, Place]]) -> None:
        """Enters rows with their places, before the first question."""
        before = self._rows.total_changes
        self._rows.execute(statements.BEGIN)
        self._rows.executemany(statements.ADD, ((row.id, row.digest, *place) for row, place in rows))
        self._rows.execute(statements.COMMIT)
        self.left += self._rows.total_changes - before

    def beside(self, rows: Iterable[Row]) -> Counter[Row]:
        """Returns the rows under the keys of these, or the equal ones where rows have no key."""
        if not self.left:
            return Counter()
        self._index()
        found = Counter[Row]()
        for id_ in {row.id for row in rows}:
            for digest, number in self._rows.execute(statements.BESIDE, (id_,)):
                found[self._row(id_, digest)] = number
        return found

    def take(self, rows: Counter[Row]) -> None:
        """Takes rows out."""
        self._change(statements.TAKE, ((row.id, row.digest, number) for row, number in rows.items()))

    def take_alike(self, rows: Iterable[Row]) -> None:
        """Takes out as many rows under the keys of these, whatever they hold; without keys, any as many."""
        if self._keyed:
            self._change(statements.TAKE_OF_KEY, Counter(row.id for row in rows).items())
        else:
            self._change(statements.TAKE_ANY, [(sum(1 for _ in rows),)])

    def places(self, keys: Iterable[str]) -> list[Place]:
        """Returns where the rows under these keys lie, those that were taken out included."""
        self._index()
        return [place for key in keys for place in self._rows.execute(statements.PLACES, (key,))]

    def first(self, most: int) -> Counter[Row]:
        """Returns the first rows that are left."""
        read = self._rows.execute(statements.FIRST, (most,))
        return Counter(self._row(*one) for one in read)

    def rows(self, *, taken: bool = False) -> Iterator[Row]:
        """Yields the rows that are left; ``taken``: the others."""
        read = self._rows.execute(statements.ALL, (taken,))
        while some := read.fetchmany(AT_ONCE):
            yield from (self._row(*one) for one in some)

    def _row(self, id_: str, digest: str) -> Row:
        return Row(id_ if self._keyed else None, digest)

    def _index(self) -> None:
        # An index that grows with every row of millions would be read again and again from the file.
        if not self._indexed:
            self._rows.execute(statements.INDEXED)
            self._indexed = True

    def _change(self, statement: str, what: Iterable[tuple[object, ...]]) -> None:
        self._index()
        before = self._rows.total_changes
        self._rows.execute(statements.BEGIN)
        self._rows.executemany(statement, what)
        self._rows.execute(statements.COMMIT)
        self.left -= self._rows.total_changes - before
