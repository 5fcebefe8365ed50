"""Rows that NEW holds before the run: a few of them are sought among OLD's rows, many are met row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tranship.execution.probe.reading import Reader
from tranship.execution.probe.reject_book import Book
from tranship.model.locator import Locator
from tranship.model.plan import HazardKind
from tranship.model.progress import Batch
from tranship.sql.canonical import computed_on_old, key_text
from tranship.sql.ctid import locate
from tranship.sql.new.given_rows import held_rows
from tranship.sql.new.unique_indexes import UniqueIndex, held_keys
from tranship.sql.old.rows import holders

_FEW = 20_000
"""Rows of NEW whose keys are looked for in OLD; more, and OLD's rows are held against NEW's index instead."""


class Existing(Struct, frozen=True):
    """Indexes of NEW under which rows of OLD may find their place taken."""

    by_row: tuple[UniqueIndex, ...] = ()
    few: tuple[UniqueIndex, ...] = ()
    """NEW holds few rows, and OLD computes the key itself."""


async def find_existing(reader: Reader, book: Book, indexes: Mapping[str, UniqueIndex]) -> Existing:
    """How to hold a table's rows against those that NEW has; nothing where it has none."""
    plan, job = reader.plan, reader.job
    names = {h.constraint for h in plan.hazards if h.kind is HazardKind.EXISTING} | {
        name for name, index in indexes.items() if index.leaf
    }
    after = job.after(plan)
    if not names:
        return Existing()
    if "SELECT" not in after.privileges and not job.new.superuser:
        book.note(plan.flow, f"rows already in NEW: its role may not SELECT from {plan.new}")
        return Existing()
    held = await reader.new.fetchval(held_rows(after, _FEW + 1))
    wanted = [index for name, index in indexes.items() if name in names] if held else []
    few = tuple(index for index in wanted if held <= _FEW and _on_old(reader, index) is not None)
    return Existing(tuple(index for index in wanted if index not in few), few)


async def existing_candidates(reader: Reader, index: UniqueIndex, batches: Sequence[Batch]) -> list[Locator]:
    """Rows of the batches whose key is one that NEW holds."""
    key = _on_old(reader, index)
    if key is None:
        return []
    held = [record[0] for record in await reader.new.fetch(held_keys(reader.job.after(reader.plan), index))]
    records = await reader.old.fetch(holders(reader.plan, key), held)
    rows = {locate(source, ctid) for _, source, ctid in records}
    return sorted(row for row in rows if any(row in batch for batch in batches))


def _on_old(reader: Reader, index: UniqueIndex) -> str | None:
    """The index's canonical key as OLD computes it."""
    before = reader.job.before(reader.plan)
    if not index.faithful or None in index.columns:
        return None
    texts = [computed_on_old(reader.plan, column, before) for column in index.columns if column is not None]
    known = [text for text in texts if text is not None]
    return key_text(known) if len(known) == len(texts) else None
