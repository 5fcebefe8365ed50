"""What the data says about open changes. ``analyze`` gathers it within a time limit, the changes file keeps
it, and the suggestions of ``resolve generate`` read it.

Every count of rows is over the rows that were read: ``sampled`` says that these were a sample of the table's
pages.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from msgspec import Struct

from tranship.model.expression import Conversion
from tranship.model.names import ColumnRef, Side, TableName
from tranship.model.shape_evidence import ShapeEvidence
from tranship.model.types import PgType


class ValueCount(Struct, frozen=True):
    """One distinct value as text, and the number of rows that hold it."""

    value: str
    rows: int


class ColumnFacts(Struct, frozen=True):
    """The values of a column."""

    column: ColumnRef
    rows: int
    """Rows that were read."""
    nulls: int
    distinct: int
    """Distinct values among them, without NULL."""
    values: tuple[ValueCount, ...] = ()
    """The most frequent ones first; empty where one of them is too long to list."""
    complete: bool = False
    """``values`` holds every distinct value of every row of the table."""
    sampled: bool = False
    longest: int = 0
    """Characters of the longest value."""

    @property
    def filled(self) -> int:
        """Rows that hold a value, not NULL."""
        return self.rows - self.nulls


class RowsOfOld(Struct, frozen=True):
    """The table of OLD whose rows the run copies into a table of NEW, with the names that two of its columns
    have in OLD.
    """

    table: TableName
    key_column: str
    value_column: str


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
    """Of a key of several columns all of them, ``old`` being the first; likewise ``key_columns``. Empty: the
    key is one column.
    """
    key_columns: tuple[str, ...] = ()
    filled_by: RowsOfOld | None = None
    """Of a table of NEW: the rows that the run brings, in which the values are looked up. None: those that
    are there.
    """


class LookupFacts(Struct, frozen=True):
    """How far a lookup covers an old column."""

    question: LookupQuestion
    distinct: int
    """Distinct old values that were looked up."""
    found: int
    rows: int
    """Rows that hold them."""
    rows_found: int
    """Rows that hold a value that was found."""
    ambiguous: int = 0
    """Values for which the lookup table holds different results."""
    missing: tuple[str, ...] = ()
    """Some of the values that were not found."""
    complete: bool = False
    """Every distinct old value of every row was looked up."""
    inserts: tuple[str, ...] = ()
    """Statements that would add the missing values to NEW's table; comments where columns had to be
    guessed.
    """

    @property
    def covers(self) -> bool:
        """Whether every old value has exactly one result, and there is at least one value."""
        return self.complete and self.distinct > 0 and self.found == self.distinct and self.ambiguous == 0


class Misfits(Struct, frozen=True):
    """Rows of an old column that the new column's type would refuse."""

    old: ColumnRef
    new: ColumnRef
    rows: int
    what: str
    """``longer than 10 characters``."""
    sampled: bool = False


class ChangedValues(Struct, frozen=True):
    """Rows of an old column whose value a conversion takes, and changes."""

    old: ColumnRef
    new: ColumnRef
    loss: str
    """``rounded``, ``time of day dropped``."""
    rows: int
    sampled: bool = False


class RefusalQuestion(Struct, frozen=True):
    """Which values of an old column does the input function of the new column's type refuse?"""

    old: ColumnRef
    new: ColumnRef
    conversion: Conversion
    type: PgType
    """The new column's type."""


class Refusals(Struct, frozen=True):
    """What NEW said about the values of one old column, as they would be sent to it."""

    old: ColumnRef
    new: ColumnRef
    type: str
    """The new column's type as it is printed."""
    rows: int
    """Rows whose value is refused, of those that were looked at."""
    values: int
    """Distinct values that were looked at."""
    refused_values: int
    """How many of these are refused."""
    refused: tuple[str, ...] = ()
    """The refused values that are listed, the most frequent first."""
    complete: bool = True
    """Every value of every row was looked at."""
    otherwise: tuple[str, ...] = ()
    """Values that are taken and may have meant something else, the most frequent first."""
    otherwise_rows: int = 0
    """Rows that hold them."""


class RowsInNew(Struct, frozen=True):
    """What a table of NEW holds before anything is moved, beside the old table that is to fill it."""

    table: TableName
    rows: int
    estimated: bool = False
    """The table is too large to be counted: ``rows`` is what the server's statistics say."""
    keys: int | None = None
    """Keys that OLD has, too; None: they were not compared."""
    equal: int = 0
    """Rows under such a key that hold the same in every column that can be compared."""
    renumbered: int = 0
    """Rows whose unique name OLD has under another key."""
    renamed: int = 0
    """Rows under a key of OLD whose unique name is another one."""
    name: tuple[str, ...] = ()
    """The columns of NEW that make such a name: a unique key beside the primary key; empty without one."""


class Demand(Struct, frozen=True):
    """What a new constraint demands of the rows of an old table. OLD alone can check it, because the columns
    keep their types.
    """

    table: TableName
    kind: Literal["null", "check", "unique", "reference"]
    columns: tuple[tuple[str, str], ...]
    """Old column and the new column that it fills, in the order of a key."""
    expression: str = ""
    """The expression of a CHECK, over the new names; empty for other kinds."""
    target: TableName | None = None
    """The old table whose counterpart a foreign key refers to; None for other kinds."""
    target_columns: tuple[str, ...] = ()
    """That table's columns, in the order of ``columns``."""
    nulls_equal: bool = False
    """A unique key with NULLS NOT DISTINCT."""


class Breaks(Struct, frozen=True):
    """The number of old rows that break a new constraint; of rows that are equal under a unique key all but
    one count.
    """

    demand: Demand
    rows: int
    sampled: bool = False


class KeyQuestion(Struct, frozen=True):
    """Are the values of an old column without a foreign key the keys of a table?"""

    column: ColumnRef
    keys: tuple[ColumnRef, ...]
    """Keys of one column in OLD, the likeliest first."""
    becomes: ColumnRef | None = None
    """The text column of NEW whose own rows would tell, too."""


class Reference(Struct, frozen=True):
    """What a ``KeyQuestion`` brought: the keys that nearly all distinct values of an old column are."""

    column: ColumnRef
    table: TableName | None = None
    """The likeliest table; None: the values are keys of no table."""
    keys: tuple[ColumnRef, ...] = ()
    """Every key that holds nearly all values, the likeliest first."""
    distinct: int = 0
    """Distinct whole values that were compared, up to 1000."""
    sampled: bool = False


class NumberFacts(Struct, frozen=True):
    """Magnitudes of a numeric column, without NULL, NaN and infinities."""

    column: ColumnRef
    rows: int
    """Rows that hold a number."""
    nonzero: int
    fractional: int
    """Rows whose number is not an integer."""
    lowest: float | None = None
    median: float | None = None
    """The median of the absolute values that are not 0."""
    highest: float | None = None
    sampled: bool = False


class MeaningQuestion(Struct, frozen=True):
    """What do these two columns hold? It is asked where names, types or comments raise the concern that their
    meaning differs.
    """

    old: ColumnRef
    new: ColumnRef
    numbers: bool
    """Their magnitudes are compared; otherwise their frequent values are."""
    beside: bool = False
    """OLD's numbers say nothing unless NEW has rows of its own to compare with."""


class TrialQuestion(Struct, frozen=True):
    """Would this expression over the old row (alias ``old``) translate every row?"""

    table: TableName
    sql: str
    """The expression, as it would stand in ``transform_sql``."""
    fits: str
    """A condition over the old row, which never raises: the expression understands this row's value."""
    shown: str
    """An expression over the old row: the value that is shown of a row that does not fit."""


class TrialFacts(Struct, frozen=True):
    """The outcome of a trial."""

    question: TrialQuestion
    rows: int
    """Rows that hold something to translate."""
    fitting: int
    """Of them, those that the expression understands."""
    examples: tuple[str, ...] = ()
    """Some values that do not fit."""
    failed: bool = False
    """The server refused a row that seemed to fit."""
    sampled: bool = False

    @property
    def holds(self) -> bool:
        """Whether every row of the table was tried and fits, and there is at least one."""
        return not self.sampled and not self.failed and 0 < self.rows == self.fitting


class Evidence(Struct, frozen=True, dict=True):
    """All facts, in the order of the questions."""

    columns: tuple[ColumnFacts, ...] = ()
    there: tuple[ColumnFacts, ...] = ()
    """The values that columns of NEW hold already."""
    numbers: tuple[NumberFacts, ...] = ()
    numbers_there: tuple[NumberFacts, ...] = ()
    """The magnitudes that columns of NEW hold already."""
    trials: tuple[TrialFacts, ...] = ()
    lookups: tuple[LookupFacts, ...] = ()
    misfits: tuple[Misfits, ...] = ()
    changed: tuple[ChangedValues, ...] = ()
    refusals: tuple[Refusals, ...] = ()
    breaks: tuple[Breaks, ...] = ()
    references: tuple[Reference, ...] = ()
    left_rows: tuple[RowsInNew, ...] = ()
    """Rows of the old tables that have no counterpart."""
    in_new: tuple[RowsInNew, ...] = ()
    """Tables of NEW that hold rows already."""
    extension_rows: tuple[RowsInNew, ...] = ()
    """Rows of the user in OLD's tables that belong to an extension."""
    shapes: ShapeEvidence = ShapeEvidence()
    named: tuple[LookupFacts, ...] = ()
    """How many names of rows of an old table that goes nowhere a table of NEW holds."""
    unanswered: tuple[ColumnRef, ...] = ()
    """Old columns whose meaning could not be asked, so that nobody knows what their values mean."""
    not_asked: tuple[str, ...] = ()
    """Questions that have no answer because of the time limit, a missing privilege or a server error, in
    words for people.
    """

    def of(self, table: TableName, column: str) -> ColumnFacts | None:
        """Returns the facts of one old column, or None."""
        return self._by_column.get(ColumnRef(table, column))

    def held(self, table: TableName, column: str) -> ColumnFacts | None:
        """Returns the facts of one column of NEW, or None."""
        return next((facts for facts in self.there if facts.column == ColumnRef(table, column)), None)

    def refused(self, old: ColumnRef, new: ColumnRef) -> Refusals | None:
        """Returns which values of an old column NEW refuses, or None where it was not asked."""
        return next((r for r in self.refusals if (r.old, r.new) == (old, new)), None)

    def changed_between(self, old: ColumnRef, new: ColumnRef) -> list[ChangedValues]:
        """Returns what the conversion from an old column to a new one changes."""
        return [one for one in self.changed if (one.old, one.new) == (old, new)]

    def tried(self, question: TrialQuestion) -> TrialFacts | None:
        """Returns the outcome of a trial, or None where it was not made."""
        return next((facts for facts in self.trials if facts.question == question), None)

    @cached_property
    def _by_column(self) -> dict[ColumnRef, ColumnFacts]:
        return {facts.column: facts for facts in self.columns}
