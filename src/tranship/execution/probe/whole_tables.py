"""Lookup tables of NEW that travel whole.

Where a table has about as many entries as a batch has rows, sending all of them costs less than asking OLD
which of them the batch needs, and NEW what it holds for these.
"""

from __future__ import annotations

from typing import NamedTuple

import asyncpg

from tranship.execution.context import Job
from tranship.model.builtin_types import Family
from tranship.model.catalog import Column, Table
from tranship.model.expression import Lookup
from tranship.model.plan import TablePlan
from tranship.sql.lookup import everything
from tranship.sql.types.values import deterministic

_MOST = 100_000
"""Entries of a table that is sent whole: about 3 MB of text in each statement."""
_PER_ROW = 3
"""Entries for each row of a batch up to which the table is sent: further ones cost OLD about 1 µs each, and
the question which of them are needed about 3 µs for each row.
"""
_PRINTED_ALIKE = frozenset({Family.INTEGER, Family.NUMERIC, Family.STRING, Family.BOOLEAN, Family.UUID})
"""Families whose values have one text in every session."""


class Entries(NamedTuple):
    """All entries of a lookup table."""

    keys: tuple[tuple[str, ...], ...]
    values: tuple[str | None, ...]
    """Texts, None for NULL, in the order of the keys."""


class WholeTables:
    """The lookup tables of NEW that have been read whole."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._read: dict[Lookup, Entries | None] = {}

    async def entries(
        self, new: asyncpg.Connection, plan: TablePlan, lookup: Lookup, source: str, rows: int
    ) -> Entries | None:
        """Returns all that a lookup's table holds; None where it is not to be sent whole with so many rows.

        The caller knows that this run will add nothing to the table. ``source`` is its FROM item.
        """
        if not self._compares_by_text(plan, lookup):
            return None
        if lookup not in self._read:
            self._read[lookup] = await self._whole(new, lookup, source)
        found = self._read[lookup]
        return found if found is not None and len(found.keys) <= rows * _PER_ROW else None

    async def _whole(self, new: asyncpg.Connection, lookup: Lookup, source: str) -> Entries | None:
        rows = await new.fetch(everything(lookup, source, _MOST + 1))
        found = Entries(tuple(tuple(row)[:-1] for row in rows), tuple(row[-1] for row in rows))
        # A key of several values is refused where a row of OLD has it.
        twice = len(set(found.keys)) < len(found.keys)
        return None if len(rows) > _MOST or twice or not self._can_be_sent(found) else found

    def _can_be_sent(self, entries: Entries) -> bool:
        """Returns whether OLD's encoding certainly has every character, also of entries that no row needs."""
        texts = (*(part for key in entries.keys for part in key), *filter(None, entries.values))
        return self._job.old.encoding == "UTF8" or all(map(str.isascii, texts))

    def _compares_by_text(self, plan: TablePlan, lookup: Lookup) -> bool:
        """Returns whether a text of OLD finds exactly the entry whose key has this text in NEW."""
        table, before = self._job.new.table(lookup.table), self._job.before(plan)
        if table is None or lookup.key_sql or lookup.within or not _printed_alike(table, lookup.value):
            return False
        # What the role may not read is told by the question about single keys.
        if "SELECT" not in table.privileges:
            return False
        pairs = zip(map(before.column, lookup.columns), map(table.column, lookup.keys), strict=True)
        return all(_same_texts(given, key) for given, key in pairs)


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
