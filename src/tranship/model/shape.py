"""What a person decides about the rows of a flow: which are taken, what becomes several or one, under which
key.

A flow that has none of these is plain: each old row makes one new row. The texts are a person's SQL; OLD
computes them over the row ``old`` (and ``item``), and tranship never parses them.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from tranship.model.names import TableName


class Children(StrEnum):
    """What becomes of a child whose parent is left out by a filter."""

    REJECT = "reject"
    """It is rejected, and the reason says so."""
    LEAVE_OUT = "leave_out"
    """It is left out as well, and its own children likewise, over keys that OLD alone declares, too."""
    NULL = "null"
    """Its foreign key becomes NULL, which is counted; where NEW's column is NOT NULL it is rejected."""


class Filter(Struct, frozen=True):
    """Which rows of the driving table are taken. A NULL result does not select a row."""

    where: str
    children: Children = Children.REJECT
    of: tuple[tuple[TableName, Children], ...] = ()
    """What becomes of the children in single old tables; ``children`` is for all others."""
    because: str = ""


class Parent(Struct, frozen=True):
    """A key of an old table by which its rows follow parents that are left out."""

    table: TableName
    """The parents' old table."""
    columns: tuple[str, ...]
    """The child's."""
    target_columns: tuple[str, ...]
    flows: tuple[Taken, ...]
    """A parent is left out where none of these flows takes it."""
    operators: tuple[str, ...] = ()
    """Per column the equality of both ends, as a foreign key of OLD has it; empty: ``=`` of pg_catalog."""
    collations: tuple[str | None, ...] = ()
    """Likewise the collations that decide."""
    with_partitions: bool = False
    """The parents' table is partitioned."""
    itself: bool = False
    """The child is a row of the same table, whose rows follow each other."""
    lost: tuple[str, ...] = ()
    """The child's columns that become NULL, where it is to refer to no parent; empty: all of them."""
    only_in: tuple[str, ...] = ()
    """The columns of NEW in which these are NULL, where further ones take the same old columns and keep their
    values; empty: every column that takes them.
    """

    def nullifies(self, column: str, new: Collection[str]) -> bool:
        """Returns whether an old column is NULL in columns of NEW, where it is to refer to no parent."""
        return column in self.becoming_null and (not self.only_in or not set(self.only_in).isdisjoint(new))

    @property
    def becoming_null(self) -> tuple[str, ...]:
        """The child's columns that become NULL, where it is to refer to no parent."""
        return self.lost or self.columns


class Taken(Struct, frozen=True):
    """Which rows of an old table one of its flows takes."""

    where: str = ""
    parents: tuple[Parent, ...] = ()
    """Rows are not taken either whose parent under one of these is left out."""


ITEM_NUMBERS = ("item_number", "item.item_number")
"""How a person's SQL names the number of an item within its old row."""


class Items(Struct, frozen=True):
    """One old row makes a row for each item: what stands after ``CROSS JOIN LATERAL``, named ``item``.

    Items are numbered from 1 before ``where`` selects among them: by ``order_by``, else by the ordinality
    column, else by their canonical text under ``COLLATE "C"``.
    """

    source: str
    where: str = ""
    order_by: str = ""
    columns: tuple[str, ...] = ()
    """The columns of ``item``, as OLD's server names them."""
    ordinality: str = ""
    """The column of ``WITH ORDINALITY``; empty without one."""
    late: bool = False
    """A value may raise where it is read, although the items were made."""


class Merge(Struct, frozen=True):
    """Rows with equal keys become one: the first by ``keep``, and of equals the first in OLD key order.

    A row with a NULL in any part of the key is never merged.
    """

    key: tuple[str, ...]
    keep: str = ""
    repoint_children: bool = False


class MergedParents(Struct, frozen=True):
    """The table to which rows refer, some of whose rows are merged into others."""

    columns: tuple[str, ...]
    """The old columns that refer to it."""
    table: TableName
    keys: tuple[str, ...]
    """The columns that they refer to, in their order."""
    operators: tuple[str, ...]
    """What compares each of these with a reference."""
    order: tuple[tuple[str, bool], ...]
    """The columns of the table's key order, and whether each is a string."""
    merge: Merge
    partitioned: bool = False
    where: str = ""
    """The filter of the parents' flow; empty where all rows are taken."""
    repointing: Repointing | None = None
    """The references of the parents themselves that lead to survivors, those to their own table apart."""
    left_with: tuple[Parent, ...] = ()
    """Rows of the parents' flow that are left out with theirs take no part."""
    only_in: tuple[str, ...] = ()
    """Of a further flow of the merged table, whose columns are its own key: the columns of NEW that refer to
    the merged rows, and alone lead to the survivors. Empty: the old columns do, in everything that is made
    of them.
    """


class Repointing(Struct, frozen=True):
    """References to merged rows lead to their survivors, before anything of a row is computed."""

    columns: tuple[str, ...]
    """All columns of the old table, in its order."""
    parents: tuple[MergedParents, ...]


class KeyKind(StrEnum):
    """How new values for a key are made."""

    UUID = "uuid"
    """From a hash of namespace, old schema, old table and key (RFC 9562, version 8)."""
    OFFSET = "offset"
    """The old value plus a constant."""
    NUMBER = "number"
    """Consecutive numbers in OLD key order, from a start that the live run reserves."""


class Numbering(Struct, frozen=True):
    """The rows that are numbered, in OLD key order."""

    order: tuple[tuple[str, bool], ...]
    """The columns of the order, and whether each is a string."""
    partitioned: bool = False
    where: str = ""
    """The filter of their flow; empty where all rows are taken."""
    left_with: tuple[Parent, ...] = ()
    """Rows of their flow that are left out with these have no number."""


class NewKey(Struct, frozen=True):
    """New values for a column that foreign keys refer to; they follow by themselves."""

    column: str
    """The old column; the new one is the column that it fills."""
    kind: KeyKind
    namespace: str = ""
    """Of ``UUID``."""
    offset: int = 0
    """Of ``OFFSET``."""


class ExistingRows(StrEnum):
    """What becomes of an old row whose key NEW held before the run."""

    SAME = "same"
    """Equal in every mapped column: already there. Different: rejected, with the names of the columns."""
    REJECT = "reject"
    KEEP = "keep"
    """NEW's row stays as it is."""
    UPDATE = "update"
    """OLD's values replace NEW's."""


class Existing(Struct, frozen=True):
    """Which rows that NEW held before the run are the same things as old rows."""

    key: tuple[str, ...] = ()
    """Columns of NEW; empty: the primary key."""
    rows: ExistingRows = ExistingRows.SAME
    repoint_children: bool = False


class CutKind(StrEnum):
    """How the values of the column compare by whose ranges a query is divided."""

    NUMBER = "number"
    STRING = "string"
    """By the bytes of the text."""
    OTHER = "other"
    """By the bytes of the values' texts."""


class Query(Struct, frozen=True):
    """A SELECT whose rows the flow takes in place of a table's. Its output columns are the row ``old``."""

    sql: str
    key: tuple[str, ...]
    """Output columns that identify a row; unique and NOT NULL in the output."""
    cut_by: str = ""
    """An output column by whose ranges the SELECT is divided into batches; empty: it is one batch."""
    cut_kind: CutKind = CutKind.OTHER

    @property
    def never_null(self) -> tuple[str, ...]:
        """The output columns of which none may be NULL: those of the key, and the one of the ranges."""
        return tuple(dict.fromkeys([*self.key, *([self.cut_by] if self.cut_by else [])]))


class Shape(Struct, frozen=True):
    """All that a flow does with its rows before their columns are filled, in this order."""

    query: Query | None = None
    filter: Filter | None = None
    left_with: tuple[Parent, ...] = ()
    """Old rows whose parent under one of these is left out are left out, too."""
    null_with: tuple[Parent, ...] = ()
    """Where the parent under one of these is left out, the columns that refer to it become NULL."""
    items: Items | None = None
    merge: Merge | None = None
    new_keys: tuple[NewKey, ...] = ()
    existing: Existing | None = None

    @property
    def one_row_each(self) -> bool:
        """Whether the flow makes exactly one row of each old row."""
        return self.query is None and self.takes_all and self.items is None

    @property
    def takes_all(self) -> bool:
        """Whether the flow takes every old row."""
        return self.filter is None and not self.left_with

    @property
    def in_a_heap(self) -> bool:
        """Whether old rows lie in heaps, where a ctid finds them and ranges of ctids divide them."""
        return self.query is None


PLAIN = Shape()
