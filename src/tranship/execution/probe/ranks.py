"""The numbers of keys that are numbered anew, for the keys of one batch.

A number is the rank of its key among all keys of OLD's table. Where those are whole numbers they are read
once, and a batch looks up its own, in place of sorting the whole table for each batch.

Memory: 8 bytes per key.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence

import asyncpg

from tranship.model.expression import Expression, Rekeyed
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.shape import Numbering
from tranship.sql.joins import LookupContent
from tranship.sql.new_keys import sorted_keys

_AT_ONCE = 50_000
"""Keys that are fetched together."""
_WHOLE = frozenset({"smallint", "integer", "bigint"})

_Numbered = tuple[TableName, str, Numbering]
"""An old table, its key column, and the rows that are counted."""


def ranked(expression: Expression) -> bool:
    """Returns whether an expression gives numbers that are told by the rank of a whole number."""
    match expression:
        case Rekeyed(equality="", numbering=Numbering(order=((name, False),))) as rekeyed:
            return name == rekeyed.key.column and rekeyed.key_type in _WHOLE
        case _:
            return False


class Ranks:
    """The sorted keys of a run's numbered tables, each read once in the run's snapshot."""

    def __init__(self) -> None:
        self._sorted: dict[_Numbered, array[int]] = {}
        self._reading = asyncio.Lock()

    async def bind(
        self, old: asyncpg.Connection, plan: TablePlan, keys_query: Callable[[Rekeyed], str]
    ) -> list[LookupContent]:
        """Returns the numbers that a plan's columns need; ``keys_query`` reads the distinct keys of a column
        as texts.
        """
        bound = []
        for position, mapping in enumerate(plan.columns):
            rekeyed = mapping.expression
            if isinstance(rekeyed, Rekeyed) and ranked(rekeyed):
                keys = [key for (key,) in await old.fetch(keys_query(rekeyed))]
                bound.append(await self._of(old, position, rekeyed, keys))
        return bound

    async def _of(
        self, old: asyncpg.Connection, position: int, rekeyed: Rekeyed, keys: Sequence[str]
    ) -> LookupContent:
        """Returns the ranks of some keys, counted from 1; a key that no row of OLD has is left out."""
        there = await self._keys(old, rekeyed)
        ranks = ((key, bisect_left(there, int(key))) for key in keys)
        known = [(key, rank) for key, rank in ranks if rank < len(there) and there[rank] == int(key)]
        return LookupContent(position, tuple((key,) for key, _ in known), tuple(str(r + 1) for _, r in known))

    async def _keys(self, old: asyncpg.Connection, rekeyed: Rekeyed) -> array[int]:
        if rekeyed.numbering is None:
            raise ValueError(f"{rekeyed.table}.{rekeyed.key.column} is not numbered")
        place = rekeyed.table, rekeyed.key.column, rekeyed.numbering
        # Streams of one run wait for the first of them, which reads the keys for all.
        async with self._reading:
            if place not in self._sorted:
                self._sorted[place] = await _read(old, sorted_keys(rekeyed))
            return self._sorted[place]


async def _read(old: asyncpg.Connection, query: str) -> array[int]:
    keys = array("q")
    cursor = await old.cursor(query)
    while records := await cursor.fetch(_AT_ONCE):
        keys.extend(key for (key,) in records)
    return keys
