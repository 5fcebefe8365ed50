"""The book of rejects: what asking found and what copying met, so that later tables can be asked against it.

Memory: one entry per rejected row, about 500 bytes with its reason (100 000 rejects are 50 MB); nothing is held for rows that arrive.
``--max-rejects`` bounds it where a person wants a bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tranship.model.names import TableName
from tranship.model.progress import RowId
from tranship.model.verdict import LossCount, Reject, TableFindings


class Book:
    """Rejects per old table, and what else asking a table's rows brought to light. The first reject of a row stands."""

    def __init__(self) -> None:
        self._rejects: dict[TableName, dict[RowId, Reject]] = {}
        self._losses: dict[TableName, tuple[LossCount, ...]] = {}
        self._not_asked: dict[TableName, dict[str, None]] = {}
        self._ordered: set[TableName] = set()

    def add(self, table: TableName, reject: Reject) -> bool:
        """Enter a reject; False: the row is rejected already and keeps its first reason."""
        rejects = self._rejects.setdefault(table, {})
        return rejects.setdefault(reject.row, reject) is reject

    def add_all(self, table: TableName, rejects: Iterable[Reject]) -> int:
        """Enter many; the number of rows that were not rejected before."""
        return sum(self.add(table, reject) for reject in rejects)

    def rejected(self, table: TableName) -> Mapping[RowId, Reject]:
        """The rejected rows of an old table."""
        return MappingProxyType(self._rejects.get(table, {}))

    def note(self, table: TableName, what: str) -> None:
        """Say once that something about a table's rows could not be asked."""
        self._not_asked.setdefault(table, {}).setdefault(what)

    def lost(self, table: TableName, losses: Iterable[LossCount]) -> None:
        """Set what the conversions of a table change silently."""
        self._losses[table] = tuple(losses)

    def order(self, table: TableName) -> None:
        """Collisions of this table could not be decided by asking: it must be copied as one stream in OLD key order."""
        self._ordered.add(table)

    def findings(self, table: TableName) -> TableFindings:
        """Everything about one old table, rejects in row order."""
        rejects = self._rejects.get(table, {})
        return TableFindings(
            table=table,
            rejects=tuple(rejects[row] for row in sorted(rejects)),
            losses=self._losses.get(table, ()),
            not_asked=tuple(self._not_asked.get(table, ())),
            ordered_stream=table in self._ordered,
        )
