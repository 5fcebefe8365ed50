"""What the data said about open questions: gathered by ``analyze`` within a time limit, kept in the changes file, read by the suggestions."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from msgspec import Struct

from tranship.model.names import ColumnRef, Side, TableName


class ValueCount(Struct, frozen=True):
    """One distinct value as text, and in how many rows it stands."""

    value: str
    rows: int


class ColumnFacts(Struct, frozen=True):
    """What a column holds."""

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
    old_columns: tuple[str, ...] = ()
    """Several columns that are one key: ``old`` is the first of them, and likewise ``key_columns``; empty: there is one."""
    key_columns: tuple[str, ...] = ()


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


class Demand(Struct, frozen=True):
    """What a new constraint asks of the rows of an old table, in a way that OLD alone can answer: the columns keep their types."""

    table: TableName
    kind: Literal["null", "check", "unique", "reference"]
    columns: tuple[tuple[str, str], ...]
    """Old column and the new one that it fills; of a key its columns in order."""
    expression: str = ""
    """Of a check, over the new names."""
    target: TableName | None = None
    """The old table whose counterpart a foreign key refers to."""
    target_columns: tuple[str, ...] = ()
    nulls_equal: bool = False
    """Of a unique key."""


class Breaks(Struct, frozen=True):
    """How many old rows break a new constraint; of equal ones under a unique key all but one."""

    demand: Demand
    rows: int
    sampled: bool = False


class Reference(Struct, frozen=True):
    """An old column without a foreign key whose values are keys of one table and of no other."""

    column: ColumnRef
    table: TableName


class NumberFacts(Struct, frozen=True):
    """Magnitudes of a numeric column, NULL, NaN and infinities apart."""

    column: ColumnRef
    rows: int
    """Rows that hold a number."""
    nonzero: int
    fractional: int
    """Rows whose number is no integer."""
    lowest: float | None = None
    median: float | None = None
    """Of the absolute values that are not zero."""
    highest: float | None = None
    sampled: bool = False


class MeaningQuestion(Struct, frozen=True):
    """What do these two columns hold? Asked where names, types or comments raise the doubt that they mean different things."""

    old: ColumnRef
    new: ColumnRef
    numbers: bool
    """Magnitudes tell; otherwise the frequent values do."""
    beside: bool = False
    """Those of OLD tell nothing where NEW has no rows of its own."""


class TrialQuestion(Struct, frozen=True):
    """Would this expression over the old row (alias ``old``) do for every row?"""

    table: TableName
    sql: str
    """The expression, as it would stand in ``transform_sql``."""
    fits: str
    """A condition over the old row that never fails: this row's value is understood."""
    shown: str
    """An expression over the old row: the value to show of a row that does not fit."""


class TrialFacts(Struct, frozen=True):
    """What came of it."""

    question: TrialQuestion
    rows: int
    """Rows that hold something to translate."""
    fitting: int
    examples: tuple[str, ...] = ()
    """Some values that do not fit."""
    failed: bool = False
    """The server refused a row that seemed to fit."""
    sampled: bool = False

    @property
    def holds(self) -> bool:
        """Every row was tried, and there was one."""
        return not self.sampled and not self.failed and 0 < self.rows == self.fitting


class Evidence(Struct, frozen=True, dict=True):
    """All facts, in the order of the questions."""

    columns: tuple[ColumnFacts, ...] = ()
    there: tuple[ColumnFacts, ...] = ()
    """What columns of NEW hold already."""
    numbers: tuple[NumberFacts, ...] = ()
    numbers_there: tuple[NumberFacts, ...] = ()
    """Of NEW."""
    trials: tuple[TrialFacts, ...] = ()
    lookups: tuple[LookupFacts, ...] = ()
    misfits: tuple[Misfits, ...] = ()
    breaks: tuple[Breaks, ...] = ()
    references: tuple[Reference, ...] = ()
    not_asked: tuple[str, ...] = ()
    """Questions that the time limit, a missing privilege or a server error left without an answer, in words."""

    def of(self, table: TableName, column: str) -> ColumnFacts | None:
        """The facts of one old column."""
        return self._by_column.get(ColumnRef(table, column))

    def held(self, table: TableName, column: str) -> ColumnFacts | None:
        """What one new column holds already."""
        return next((facts for facts in self.there if facts.column == ColumnRef(table, column)), None)

    def tried(self, question: TrialQuestion) -> TrialFacts | None:
        """What came of a trial; None: it was not asked."""
        return next((facts for facts in self.trials if facts.question == question), None)

    @cached_property
    def _by_column(self) -> dict[ColumnRef, ColumnFacts]:
        return {facts.column: facts for facts in self.columns}
