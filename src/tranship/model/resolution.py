"""Resolutions: what a person decides about a change. The fields are those of the resolutions file."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from tranship.model.names import ColumnRef, TableName
from tranship.model.shape import Children, NewKey


class Action(StrEnum):
    """The actions of a resolution."""

    RENAME = "rename"
    """The old column fills this new one."""
    TRANSFORM = "transform"
    """The old column fills this new one, converted by a mapping, a lookup, an expression or NEW's input."""
    DEFAULT = "default"
    """A constant fills this new column."""
    IGNORE = "ignore"
    """The old column's data is not copied."""
    RENAME_TABLE = "rename_table"
    """The old table fills this new one."""
    DROP_TABLE = "drop_table"
    """The old table is left out; nothing is dropped anywhere."""
    FILTER = "filter"
    """Only old rows that a condition selects are taken."""
    ROWS = "rows"
    """One old row makes any number of new rows."""
    MERGE = "merge"
    """Old rows with equal keys become one new row."""
    NEW_KEY = "new_key"
    """A key gets new values, and the foreign keys that lead to it follow."""
    EXISTING = "existing"
    """Rows that NEW holds already are found by a key: compared, kept, updated or refused."""
    QUERY = "query"
    """The rows of a SELECT over OLD fill the new table."""
    ADOPT = "adopt"
    """NEW's own rows may be parents under a foreign key, whatever the parents in OLD are."""
    TOLERATE = "tolerate"
    """Rows that break this constraint are kept: it is NOT VALID in NEW, and in OLD, which holds them."""


JsonText = str
"""A scalar of the resolutions file as text for a server's input function, with all digits as written:
``9007199254740993``, ``true``, ``1.10``. A Python float would round them."""


class LookupTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a lookup finds its values."""

    table: str
    value_column: str
    key_column: str | None = None
    key_columns: tuple[str, ...] = ()
    schema: str | None = None
    """None: the schema of the table that is resolved."""
    database: Literal["new", "old"] = "new"
    add_missing: bool = False
    """The distinct values that the lookup table lacks are added to it first."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns, whether they were given as ``key_column`` or as ``key_columns``."""
        return self.key_columns or ((self.key_column,) if self.key_column is not None else ())


class Resolution(Struct, frozen=True):
    """One entry of the resolutions file, as read. It is checked against the databases in
    ``planning/deciding/resolve``.
    """

    table: str
    """The key under which it stands, as written."""
    path: str
    """Where it stands in the file: ``$.resolutions.users[0]``."""
    action: str
    """As written; it may be a placeholder or an unknown word."""
    old_column: str | None = None
    old_columns: tuple[str, ...] = ()
    new_column: str | None = None
    value_mapping: tuple[tuple[str, JsonText | None], ...] | None = None
    lookup_table: LookupTable | None = None
    key_sql: tuple[str, ...] = ()
    """Of a lookup: expressions over the row ``old`` in place of old columns, one for each key column."""
    transform_sql: str | None = None
    default_value: JsonText | UnsetType | None = UNSET
    """For a value that a mapping or lookup lacks, or the constant of ``default``. UNSET: the field is absent.
    None: JSON null.
    """
    null_value: JsonText | UnsetType | None = UNSET
    """For a NULL of OLD. UNSET: the field is absent. None: JSON null."""
    new_table: str | None = None
    new_schema: str | None = None
    where: str | None = None
    """Of ``filter`` and ``rows``: which old rows, or which items, are taken."""
    children: tuple[tuple[str, Children], ...] = ()
    """Of ``filter``: what becomes of children, by name of the old table; an empty name stands for all."""
    items: str | None = None
    """``from`` of ``rows``."""
    order_by: str | None = None
    """Of ``rows``: how the items of one row are numbered."""
    key: tuple[str, ...] = ()
    """Of ``merge`` (expressions), ``existing`` (columns of NEW) and ``query`` (output columns)."""
    keep: str | None = None
    """Of ``merge``: the order in which the first row survives."""
    repoint_children: bool | None = None
    column: str | None = None
    """Of ``new_key``."""
    new_values: NewKey | None = None
    """``as`` of ``new_key``."""
    rows: str | None = None
    """Of ``existing``, as written."""
    query: str | None = None
    """``sql`` of ``query``."""
    cut_by: str | None = None
    """Of ``query``: the output column by whose ranges it is cut."""
    constraint: str | None = None
    """The constraint of NEW's table that it is about."""
    description: str = ""
    because: str = ""
    line: int = 0
    """The line of the file, from 1; 0: unknown."""
    source: str = ""
    """The entry as JSON text with its digits and comments, for writing it again."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The old columns that the entry names, in the order of a lookup's keys."""
        return self.old_columns or ((self.old_column,) if self.old_column is not None else ())


class ForAll(Struct, frozen=True):
    """One decision about all columns that change from one type to another: an entry of ``for_all``."""

    entry: Resolution
    """What is decided. It names no columns, and ``table`` is ``when`` as written."""
    tables: str
    """Which old tables: a name in which ``*`` stands for any characters and ``?`` for one."""
    types: tuple[str, str]
    """The old and the new type, as people write them: ``timestamp``, ``timestamptz``."""
    misread: bool = False
    """One of its fields is unknown or has a wrong shape, so that it decides nothing."""


class ResolutionFile(Struct, frozen=True):
    """A resolutions file."""

    entries: tuple[Resolution, ...]
    """In the file's order."""
    bare_keys: tuple[Resolution, ...] = ()
    """Keys without an entry, each as an entry that says nothing: such a key may still make a flow."""
    for_all: tuple[ForAll, ...] = ()
    """The patterns, in the file's order. An entry under a table's name beats each of them."""
    old_fingerprint: str = ""
    """Of the catalog it was generated against, likewise for NEW; empty: it was written by hand."""
    new_fingerprint: str = ""
    problems: tuple[Problem, ...] = ()
    """Unknown fields and wrong shapes; such entries are not among ``entries``."""
    misread: tuple[Resolution, ...] = ()
    """Those entries, as far as they could be read: what they are about is not asked beside their problem."""
    misread_for_all: tuple[ForAll, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    """Comments that belong to no entry, as keys and their JSON, for writing them again."""


class Decision(Struct, frozen=True):
    """A checked resolution, tied to real tables and columns."""

    action: Action
    old_table: TableName
    new_table: TableName | None
    resolution: Resolution
    flow: str = ""
    """The name of the flow that it speaks of; empty for the one that the comparison found."""


class Answers(Struct, frozen=True, dict=True):
    """The decisions that the plan is built from."""

    decisions: tuple[Decision, ...] = ()
    used: tuple[ColumnRef, ...] = ()
    """Old columns that SQL of the decisions turns into values of NEW: they are not left behind."""
    read: tuple[TableName, ...] = ()
    """Old tables that lookups or such SQL read beside those that are moved."""

    def of_flow(self, old: TableName, flow: str = "") -> tuple[Decision, ...]:
        """Returns the decisions about one flow from an old table, in the file's order."""
        return self._by_flow.get((old, flow), ())

    @cached_property
    def _by_flow(self) -> dict[tuple[TableName, str], tuple[Decision, ...]]:
        found: dict[tuple[TableName, str], tuple[Decision, ...]] = {}
        for decision in self.decisions:
            key = decision.old_table, decision.flow
            found[key] = (*found.get(key, ()), decision)
        return found


class Problem(Struct, frozen=True):
    """Something that keeps a run from starting, or that a person should know. It is a value, never an
    exception.
    """

    code: str
    """The stable code of its kind, such as ``TS203``."""
    object: str
    """The table, column, file or setting it is about."""
    message: str
    hint: str = ""
    warning: bool = False
    """It is reported and refuses nothing."""
