"""Rows that NEW holds before the run, and the rows of OLD that collide with them.

The keys of few rows are looked for in OLD. Against many rows each row of OLD is checked by NEW's indexes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.reject_book import Book
from tranship.model.catalog import Table
from tranship.model.locator import Locator
from tranship.model.plan import HazardKind, TablePlan
from tranship.model.progress import Batch
from tranship.planning.printed.names import mentioned
from tranship.sql.canonical import computed_on_old, key_text
from tranship.sql.new.given_rows import any_held, held_rows
from tranship.sql.new.unique_indexes import UniqueIndex, held_keys
from tranship.sql.old.rows import holders
from tranship.sql.row_id import locate

_FEW = 20_000
"""Most rows of NEW whose keys are looked for in OLD."""


_AT_ONCE = 100
"""Tables that one statement looks into: it locks each of them with its indexes."""


class EmptyTables:
    """The tables of NEW that hold no row, as one transaction sees them. The first table that is asked for
    brings those of all others along: most of thousands are empty.
    """

    def __init__(self, new: asyncpg.Connection, tables: Iterable[Table]) -> None:
        self._new = new
        self._wanted = {table.oid: table for table in tables}
        self._holding: set[int] | None = None

    async def has(self, table: Table) -> bool:
        """Returns whether a table is known to hold no row."""
        if table.oid not in self._wanted:
            return False
        if self._holding is None:
            self._holding = await self._read()
        return table.oid not in self._holding

    async def _read(self) -> set[int]:
        oids, holding = list(self._wanted), set[int]()
        for first in range(0, len(oids), _AT_ONCE):
            some = {oid: self._wanted[oid] for oid in oids[first : first + _AT_ONCE]}
            holding |= {row["n"] for row in await self._new.fetch(any_held(some))}
        return holding


def may_hold_others(job: Job, plan: TablePlan) -> bool:
    """Returns whether it matters which rows NEW's table of a flow holds, and this role may look."""
    after = job.after(plan)
    blocking = any(hazard.kind is HazardKind.EXISTING for hazard in plan.hazards)
    own = any(leaf.keys for leaf in after.partitions)
    return (blocking or own) and ("SELECT" in after.privileges or job.new.superuser)


class Existing(Struct, frozen=True):
    """The indexes of NEW under which a row of NEW may have the key of a row of OLD."""

    by_row: tuple[UniqueIndex, ...] = ()
    few: tuple[UniqueIndex, ...] = ()
    """Those for which NEW holds few rows and OLD computes the key."""


async def find_existing(
    reader: Reader, book: Book, indexes: Mapping[str, UniqueIndex], empty: EmptyTables
) -> Existing:
    """Returns how the rows of a table are compared with those in NEW; nothing where NEW has none."""
    plan, after = reader.plan, reader.job.after(reader.plan)
    names = _blocking(plan, indexes)
    if not names or await empty.has(after):
        return Existing()
    if "SELECT" not in after.privileges and not reader.job.new.superuser:
        book.note(plan.flow, f"rows already in NEW: its role may not SELECT from {plan.new}")
        return Existing()
    held = await reader.new.fetchval(held_rows(after, _FEW + 1))
    return _divided(reader, [index for name, index in indexes.items() if name in names], held)


def _divided(reader: Reader, indexes: Sequence[UniqueIndex], held: int) -> Existing:
    """Returns how rows are compared under each index with the ``held`` rows of NEW."""
    if not held:
        return Existing()
    few = tuple(index for index in indexes if held <= _FEW and _on_old(reader, index) is not None)
    return Existing(tuple(index for index in indexes if index not in few), few)


def _blocking(plan: TablePlan, indexes: Mapping[str, UniqueIndex]) -> set[str | None]:
    """Returns the names of indexes by which a row of NEW may block one of OLD.

    They are those of hazards, and those that single partitions have.
    """
    of_hazards = {hazard.constraint for hazard in plan.hazards if hazard.kind is HazardKind.EXISTING}
    return of_hazards | {name for name, index in indexes.items() if index.leaf}


async def existing_candidates(reader: Reader, index: UniqueIndex, batches: Sequence[Batch]) -> list[Locator]:
    """Returns the rows of the batches whose key is in NEW already."""
    key = _on_old(reader, index)
    if key is None:
        return []
    held = [record[0] for record in await reader.new.fetch(held_keys(reader.job.after(reader.plan), index))]
    records = await reader.old.fetch(holders(reader.plan, key), held)
    rows = {locate(source, id_) for _, source, id_ in records}
    return sorted(row for row in rows if any(row in batch for batch in batches))


def _on_old(reader: Reader, index: UniqueIndex) -> str | None:
    """Returns the index's canonical key as OLD computes it. None: it cannot."""
    before = reader.job.before(reader.plan)
    if not index.faithful or None in index.columns:
        return None
    texts = [computed_on_old(reader.plan, column, before) for column in index.columns if column is not None]
    known = [text for text in texts if text is not None]
    return key_text(known) if len(known) == len(texts) else None


def changing(indexes: Sequence[UniqueIndex], after: Table, set_: Collection[str]) -> list[UniqueIndex]:
    """Returns the indexes under which an update of these columns may give a row another key; under the others
    it meets no row that it did not meet before.
    """
    computed = {column.name for column in after.columns if column.generation is not None}
    return [
        index
        for index in indexes
        if not mentioned(" ".join([*index.expressions, index.predicate or ""]), after).isdisjoint(
            {*set_, *computed}
        )
    ]
