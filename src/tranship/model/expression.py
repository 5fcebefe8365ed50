"""What fills a column of NEW: one union, compiled to SQL in one function (``sql/expression.py``)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tranship.model.flow import FlowId
from tranship.model.names import Side, TableName
from tranship.model.shape import NewKey, Numbering


class Rule(StrEnum):
    """How a value of one type becomes a value of another."""

    SAME = "same"
    """The types are equal, or differ only in a modifier that grows: the value travels as it is."""
    OLD_CAST = "old cast"
    """OLD computes the SQL cast; it cannot fail (``int4::int8``, ``boolean::text``, ``char(n)::text``)."""
    NEW_INPUT = "new input"
    """OLD ships ``value::text`` and NEW's input function reads it; a value it refuses rejects its row."""
    ROUND = "round"
    """A number with a fraction to an integer type: OLD rounds as the server's cast does and ships text, NEW's
    input checks the range.
    """
    ZONE = "zone"
    """Between wall-clock time (date, timestamp) and timestamptz, through OLD's database time zone."""


class Loss(StrEnum):
    """What a conversion may do to a value that it accepts. Such values are counted and reported."""

    NONE = ""
    ROUNDED = "rounded"
    CUT_SPACES = "trailing spaces cut"
    FLOAT = "not exactly representable"
    ZONE = "time zone applied"
    OFFSET = "offset dropped"
    DATE_ORDER = "day and month read by NEW's DateStyle"
    SKIPPED = "time of day that the zone skips"
    TWICE = "time of day that the zone has twice"
    TRUNCATED = "time of day dropped"
    FIELDS = "smaller units dropped"
    TRUTH = "number became true"
    KEYS = "repeated keys dropped"
    MET = "leads to a row that NEW held before"
    """An expression computes a reference, so that no row of OLD says who is meant."""


class Conversion(Struct, frozen=True):
    """How one pair of types is converted, as ``planning/types/conversion.py`` judges it."""

    rule: Rule
    automatic: bool
    """It is done without a person's decision."""
    fallible: bool = False
    """Some value of the old type is refused by the new one."""
    loss: Loss = Loss.NONE
    bare: bool = True
    """A ``transform`` without further fields may do it. False: only ``transform_sql``, a mapping or a lookup
    may (bytea and text, types without a cast)."""
    why: str = ""
    """Why it is not automatic, in words for people."""


class SurvivorKey(Struct, frozen=True):
    """A part of the key of the row into which the old row itself is merged; of a row that is not merged, of
    its own key.
    """

    parents: int
    """Position of the merged rows among those to which the flow's rows refer."""
    part: int


class Take(Struct, frozen=True, tag="take"):
    """The old column, converted to the new column's type by the conversion."""

    column: str
    conversion: Conversion
    led: SurvivorKey | None = None
    """Where the column is the row's own key, and the new one refers to the merged rows."""


class Constant(Struct, frozen=True, tag="constant"):
    """The same value in every row, as text that NEW's input function reads; None is NULL."""

    value: str | None


class NewDefault(Struct, frozen=True, tag="new default"):
    """The column is not named in the COPY: NEW's default, identity, generation expression or NULL fills
    it.
    """


class MapValues(Struct, frozen=True, tag="map values"):
    """A value mapping.

    Keys are texts that the old type's input function reads, compared by the type's own ``=``. Results are
    texts for NEW's input function.
    """

    column: str
    pairs: tuple[tuple[str, str | None], ...]
    """Key and result; None is NULL."""
    otherwise: Constant | None = None
    """For a value that is not among the keys; None rejects the row."""
    for_null: Constant | None = None
    """For a NULL; None leaves it NULL."""


class Lookup(Struct, frozen=True, tag="lookup"):
    """A value found in another table by key, as text for NEW's input."""

    columns: tuple[str, ...]
    """Old columns, in the order of ``keys``."""
    table: TableName
    keys: tuple[str, ...]
    value: str
    """The column that holds the result."""
    side: Side = Side.NEW
    """The database in which the table is."""
    otherwise: Constant | None = None
    """For a key that is not found; None rejects the row."""
    for_null: Constant | None = None
    """Where one of the old columns is NULL; None leaves the value NULL."""
    key_sql: tuple[str, ...] = ()
    """A person's expressions over the row ``old``, in the order of ``keys``, in place of the old columns."""
    within: bool = False
    """The table is filled together with the rows that look up in it, which may be its own: NEW holds some of
    its rows, and OLD says what the others will be.
    """
    add_missing: bool = False
    """The distinct values that the table lacks are added to it before the rows are moved."""
    collations: tuple[str, ...] = ()
    """Per key of a table of OLD its own collation, which says what is equal; an empty text where none
    applies. Empty: what is looked up has the same collations.
    """
    operators: tuple[str, ...] = ()
    """Per key of a table of OLD the equality of its type, where expressions are looked up; an empty text:
    ``=`` of ``pg_catalog``. Empty: that of the old columns.
    """
    own: bool = False
    """What is found is a value of the new column's own type, which OLD reads from its text as NEW does."""

    @property
    def reads_new(self) -> bool:
        """Whether the table is in NEW."""
        return self.side is Side.NEW


class Coalesce(Struct, frozen=True, tag="coalesce"):
    """The old column converted; a NULL becomes the constant (``null_value`` of a bare transform)."""

    of: Take
    for_null: Constant


class Rekeyed(Struct, frozen=True, tag="rekeyed"):
    """The new value of a key (``new_key``), computed from the old key, or from a reference to it."""

    column: str
    """The old column: the key itself, or a column that refers to it."""
    key: NewKey
    table: TableName
    """The old table whose key it is, likewise ``key_type``: a reference is cast to it first."""
    key_type: str
    """The key's type as SQL prints it."""
    equality: str = ""
    """The operator by which the key's own text is read from its table, because equal references may be
    written otherwise; empty where they are written alike.
    """
    numbering: Numbering | None = None
    """Of consecutive numbers: the rows that are counted. None: the new value depends on the old one alone."""
    start: int = 1
    """The first number; a run fixes it when it begins."""
    led: SurvivorKey | None = None
    """As for :class:`Take`."""


class Followed(Struct, frozen=True, tag="followed"):
    """A column of a foreign key whose parent may be a row that NEW held before the run under another key
    (``existing`` with ``repoint_children``). Then its value is that key as NEW has it, else ``of``.
    """

    of: Take | Rekeyed
    columns: tuple[str, ...]
    """The old columns that refer to the parent, in the order of ``keys``."""
    parent: FlowId
    keys: tuple[str, ...]
    """The columns of the parent's old table that they refer to."""
    value: str
    """The column of the parent's new table that holds the value."""
    operators: tuple[str, ...] = ()
    """Per key what compares it with a reference, where the parent's own text has to be read because equal
    references may be written otherwise. Empty: they are written alike.
    """
    partitioned: bool = False
    """The parent's old table is a partitioned one."""


class Sql(Struct, frozen=True, tag="sql"):
    """A person's expression over the row ``old``. OLD computes it, NEW's input function reads its text;
    tranship never parses it.
    """

    text: str
    own: bool = False
    """OLD says that its values are of NEW's own type, or of a smaller one of the same kind, so that NEW can
    refuse none. Then they are sent as values.
    """
    total: bool = False
    """Nothing in it can raise for a row, so that a question about all rows may compute it, too. Only said of
    ``own`` ones.
    """


Expression = Take | Constant | NewDefault | MapValues | Lookup | Coalesce | Rekeyed | Followed | Sql


def old_columns(expression: Expression) -> tuple[str, ...]:
    """Returns the old columns that an expression is said to read; a person's SQL is not parsed."""
    match expression:
        case Take(column=column) | MapValues(column=column) | Rekeyed(column=column):
            return (column,)
        case Coalesce(of=of):
            return (of.column,)
        case Followed(columns=columns) | Lookup(columns=columns):
            return columns
        case _:
            return ()
