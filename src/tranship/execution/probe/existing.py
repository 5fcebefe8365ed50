"""Rows that NEW holds before the run, and the rows of OLD that collide with them.

The keys of few rows are looked for in OLD. Against many rows each row of OLD is checked by NEW's indexes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.execution.probe.reading import Reader
from tranship.execution.probe.reject_book import Book
from tranship.model.locator import Locator
from tranship.model.plan import HazardKind, TablePlan
from tranship.model.progress import Batch
from tranship.sql.canonical import computed_on_old, key_text
from tranship.sql.new.given_rows import held_rows
from tranship.sql.new.unique_indexes import UniqueIndex, held_keys
from tranship.sql.old.rows import holders
from tranship.sql.row_id import locate

_FEW = 20_000
"""Most rows of NEW whose keys are looked for in OLD."""


class Existing(Struct, frozen=True):
    """The indexes of NEW under which a row of NEW may have the key of a row of OLD."""

    by_row: tuple[UniqueIndex, ...] = ()
    few: tuple[UniqueIndex, ...] = ()
    """Those for which NEW holds few rows and OLD computes the key."""


async def find_existing(reader: Reader, book: Book, indexes: Mapping[str, UniqueIndex]) -> Existing:
    """Returns how the rows of a table are compared with those in NEW; nothing where NEW has none."""
    plan, after = reader.plan, reader.job.after(reader.plan)
    names = _blocking(plan, indexes)
    if not names:
        return Existing()
    if "SELECT" not in after.privileges and not reader.job.new.superuser:
        book.note(plan.flow, f"rows already in NEW: its role may not SELECT from {plan.new}")
        return Existing()
    held = await reader.new.fetchval(held_rows(after, _FEW + 1))
    wanted = [index for name, index in indexes.items() if name in names] if held else []
    few = tuple(index for index in wanted if held <= _FEW and _on_old(reader, index) is not None)
    return Existing(tuple(index for index in wanted if index not in few), few)


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
