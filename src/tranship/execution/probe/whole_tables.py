"""Lookup tables of NEW that travel whole.

Where a table has about as many entries as a batch has rows, sending all of them costs less than asking OLD
which of them the batch needs, and NEW what it holds for these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.ranks import ranked
from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, Table
from tranship.model.expression import Followed, Lookup
from tranship.model.names import Side, TableName
from tranship.model.options import MigrateOptions
from tranship.model.plan import TablePlan
from tranship.sql.joins import FIXED_TEXT, Searched
from tranship.sql.lookup import everything
from tranship.sql.new.transactions import staying
from tranship.sql.quote import array_text, relation
from tranship.sql.types.values import deterministic

_MOST = 100_000
"""Entries of a table that is sent whole."""
_BYTES = 6_000_000
"""Bytes of their texts, which are part of each statement: of keys that are uuids 100 000 have no more."""
_LARGE = 4 * _BYTES
"""Bytes of a table from which on its entries may be larger."""
_PER_ROW = 3
"""Entries for each row of a batch up to which the table is sent: further ones cost OLD about 1 µs each, and
the question which of them are needed about 3 µs for each row.
"""
_ROWS_OF_ENTRY = 4
"""Rows that a batch has at least for each entry that travels with it: to read an entry takes OLD half as long
as to find one.
"""
_PRINTED_ALIKE = frozenset({Family.INTEGER, Family.NUMERIC, Family.STRING, Family.BOOLEAN, Family.UUID})
"""Families whose values have one text in every session."""
_INTEGERS = "pg_catalog.int8"
_WIDTH = 64
"""Bytes of the type ``name`` with the one that ends it (NAMEDATALEN)."""


class Entries(NamedTuple):
    """All entries of a lookup table."""

    number: int
    keys: tuple[tuple[str, ...], ...]
    values: tuple[str | None, ...]
    """Texts, None for NULL, in the order of the keys."""
    searched: Searched | None = None
    """All of them in place of the keys and the values, where types and values allow it."""


class WholeTables:
    """The lookup tables of NEW that have been read whole."""

    def __init__(self, job: Job, pending: Callable[[TableName], bool]) -> None:
        """``pending`` says of which tables rows of this run are not in NEW yet."""
        self._job = job
        self._pending = pending
        self._read: dict[Lookup, Entries | None] = {}

    async def entries(
        self, new: asyncpg.Connection, plan: TablePlan, lookup: Lookup, rows: int
    ) -> Entries | None:
        """Returns all that a lookup's table holds, each text of which OLD's encoding has. None: it is not to
        be sent whole with so many rows.
        """
        found = await self._entries(new, plan, lookup)
        return found if found is not None and found.number <= rows * _PER_ROW else None

    async def serve(self, new: asyncpg.Connection, plan: TablePlan) -> bool:
        """Returns whether all that is looked up for the rows of a plan are such tables, so that it is the
        same for each batch.
        """
        expressions = [mapping.expression for mapping in plan.columns]
        if any(isinstance(one, Followed) or ranked(one) for one in expressions):
            return False
        return all([await self._entries(new, plan, lookup) is not None for lookup in _in_new(plan)])

    async def _entries(self, new: asyncpg.Connection, plan: TablePlan, lookup: Lookup) -> Entries | None:
        """Returns the same, with however many rows; None, too, where the run may add entries, or where they
        are compared otherwise than by their texts.
        """
        if self._pending(lookup.table) or not _compares_by_text(self._job, plan, lookup):
            return None
        if lookup not in self._read:
            self._read[lookup] = await self._whole(new, lookup)
        return self._read[lookup]

    async def _whole(self, new: asyncpg.Connection, lookup: Lookup) -> Entries | None:
        rows = await new.fetch(everything(lookup, table_of(self._job, lookup), _MOST + 1, _BYTES))
        if len(rows) > _MOST or (rows and rows[0][0] is None):
            return None
        *parts, values = zip(*rows, strict=True) if rows else [()] * (len(lookup.keys) + 1)
        found = Entries(len(rows), tuple(zip(*parts, strict=True)), values)
        # A key of several values is refused where a row of OLD has it.
        twice = len(set(found.keys)) < len(found.keys)
        if twice or not self._can_be_sent(found):
            return None
        searched = _searched(self._job.new.table(lookup.table), lookup, found)
        return found if searched is None else Entries(len(rows), (), (), searched)

    def _can_be_sent(self, entries: Entries) -> bool:
        """Returns whether OLD's encoding certainly has every character, also of entries that no row needs."""
        if self._job.old.encoding == "UTF8":
            return True
        return all(map(str.isascii, chain(chain.from_iterable(entries.keys), filter(None, entries.values))))


def rows_of_batch(job: Job, plan: TablePlan, options: MigrateOptions) -> int:
    """Returns how many rows of a plan are copied together: more than usual where entries travel with them,
    unless a person says how many, or the way to NEW does.
    """
    if options.batch_size is not None or job.old.encoding != "UTF8":
        return options.batch_rows
    entries = [_estimate(job, plan, lookup) for lookup in _in_new(plan)]
    if any(count > _MOST for count in entries):
        # The entries do not travel whole, and the keys of all rows of a batch are held.
        return options.batch_rows
    return max([options.batch_rows, *(int(_ROWS_OF_ENTRY * count) for count in entries)])


def _in_new(plan: TablePlan) -> list[Lookup]:
    expressions = (mapping.expression for mapping in plan.columns)
    return [one for one in expressions if isinstance(one, Lookup) and one.side is Side.NEW]


def _estimate(job: Job, plan: TablePlan, lookup: Lookup) -> float:
    """Returns how many entries travel with each batch, as far as NEW's catalog knows."""
    table = job.new.table(lookup.table)
    if table is None or table.bytes > _LARGE or not _compares_by_text(job, plan, lookup):
        return math.inf
    return table.row_estimate


def _compares_by_text(job: Job, plan: TablePlan, lookup: Lookup) -> bool:
    """Returns whether a text of OLD finds exactly the entry whose key has this text in NEW."""
    table, before = job.new.table(lookup.table), job.before(plan)
    if table is None or lookup.key_sql or lookup.within or not _printed_alike(table, lookup.value):
        return False
    # What the role may not read is told by the question about single keys.
    if "SELECT" not in table.privileges:
        return False
    pairs = zip(map(before.column, lookup.columns), map(table.column, lookup.keys), strict=True)
    return all(_same_texts(given, key) for given, key in pairs)


def table_of(job: Job, lookup: Lookup) -> str:
    """Returns the FROM item of a lookup's table, without rows of NEW that are on their way out."""
    table = job.new.table(lookup.table) if lookup.side is Side.NEW else None
    name = relation(lookup.table)
    return name if table is None else staying(table, name)


def _printed_alike(table: Table, name: str) -> bool:
    column = table.column(name)
    return column is not None and column.type.leaf.family in _PRINTED_ALIKE


def _same_texts(given: Column | None, key: Column | None) -> bool:
    """Returns whether values of two columns are equal exactly where their texts are."""
    if given is None or key is None:
        return False
    pair = (given.type.leaf, key.type.leaf)
    if all(leaf.typname in ("text", "varchar") for leaf in pair):
        return all(
            deterministic(c.collation or c.type.collation or c.type.leaf.collation) for c in (given, key)
        )
    return all(leaf.family is Family.INTEGER for leaf in pair) or all(leaf.typname == "uuid" for leaf in pair)


def _searched(table: Table | None, lookup: Lookup, entries: Entries) -> Searched | None:
    """Returns the entries as they are found by halving; None where a type has no fixed width, or a value is
    NULL.
    """
    known = [value for value in entries.values if value is not None]
    if table is None or len(lookup.keys) != 1 or len(known) < len(entries.values):
        return None
    keys = [key for (key,) in entries.keys]
    key_type = _fixed_width(table.column(lookup.keys[0]), keys)
    value_type = _fixed_width(table.column(lookup.value), known)
    if key_type is None or value_type is None:
        return None
    values = dict(zip(keys, known, strict=True))
    # Texts have the order of their characters' numbers, which is that of their bytes in UTF-8.
    keys.sort(key=int if key_type == _INTEGERS else None)
    return Searched(key_type, value_type, array_text(keys), array_text(map(values.__getitem__, keys)))


def _fixed_width(column: Column | None, texts: Sequence[str]) -> str | None:
    """Returns the type of an array for these texts of a column's values, in which each keeps its text."""
    leaf = column.type.leaf if column is not None else None
    if leaf is not None and leaf.family is Family.INTEGER:
        return _INTEGERS
    if leaf is not None and leaf.family is Family.UUID:
        return "pg_catalog.uuid"
    if leaf is not None and leaf.typname in ("text", "varchar"):
        short = 4 * max(map(len, texts), default=0) < _WIDTH
        return FIXED_TEXT if short or all(len(text.encode()) < _WIDTH for text in texts) else None
    return None
