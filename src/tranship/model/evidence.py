"""What the data said about open questions: gathered by ``analyze`` within a time limit, kept in the changes file, read by the suggestions."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from tranship.model.names import ColumnRef, Side, TableName


class ValueCount(Struct, frozen=True):
    """One distinct value as text, and in how many rows it stands."""

    value: str
    rows: int


class ColumnFacts(Struct, frozen=True):
    """What an old column holds."""

    column: ColumnRef
    rows: int
    """Rows looked at."""
    nulls: int
    distinct: int
    """Distinct values among them, NULL apart."""
    values: tuple[ValueCount, ...] = ()
    """The most frequent first; none where a value is too long to list."""
    complete: bool = False
    """``values`` holds every distinct value of every row."""
    sampled: bool = False
    longest: int = 0
    """Characters of the longest value."""

    @property
    def filled(self) -> int:
        """Rows that hold a value."""
        return self.rows - self.nulls


class LookupQuestion(Struct, frozen=True):
    """Would this table translate the old column's values into the new column's?"""

    old: ColumnRef
    new: ColumnRef
    side: Side
    table: TableName
    key_column: str
    value_column: str
    why: str


class LookupFacts(Struct, frozen=True):
    """How far a lookup covers an old column."""

    question: LookupQuestion
    distinct: int
    """Distinct old values that were looked up."""
    found: int
    rows: int
    """Rows in which they stand."""
    rows_found: int
    ambiguous: int = 0
    """Values whose key stands there with different results."""
    missing: tuple[str, ...] = ()
    complete: bool = False
    """Every distinct old value of every row was looked up."""
    inserts: tuple[str, ...] = ()
    """Statements that would add the missing values to NEW's table; those that need more than the name are comments."""

    @property
    def covers(self) -> bool:
        """Every old value is found exactly once, and there was one to look up."""
        return self.complete and self.distinct > 0 and self.found == self.distinct and self.ambiguous == 0


class Misfits(Struct, frozen=True):
    """Rows of an old column that the new column's type would refuse."""

    old: ColumnRef
    new: ColumnRef
    rows: int
    what: str
    """``longer than 10 characters``."""
    sampled: bool = False


class Reference(Struct, frozen=True):
    """An old column without a foreign key whose values are keys of one table and of no other."""

    column: ColumnRef
    table: TableName


class Evidence(Struct, frozen=True, dict=True):
    """All facts, in the order of the questions."""

    columns: tuple[ColumnFacts, ...] = ()
    lookups: tuple[LookupFacts, ...] = ()
    misfits: tuple[Misfits, ...] = ()
    references: tuple[Reference, ...] = ()
    not_asked: tuple[str, ...] = ()
    """Questions that the time limit, a missing privilege or a server error left without an answer, in words."""

    def of(self, table: TableName, column: str) -> ColumnFacts | None:
        """The facts of one old column."""
        return self._by_column.get(ColumnRef(table, column))

    @cached_property
    def _by_column(self) -> dict[ColumnRef, ColumnFacts]:
        return {facts.column: facts for facts in self.columns}
