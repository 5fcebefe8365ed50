"""Values that are too long for a B-tree of NEW.

How far an index compresses a value only NEW can tell. Rows that do not fit however far it does are rejected;
others are counted and noted.
"""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg
from msgspec import Struct

from tranship.execution.context import Job
from tranship.execution.probe import reasons
from tranship.execution.probe.reading import Reader
from tranship.execution.probe.reject_book import Book
from tranship.execution.probe.remaining import count_remaining, remaining
from tranship.model.catalog import Column, Index, Table
from tranship.model.count import count_of
from tranship.model.expression import Lookup, NewDefault
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.expression import compile_text
from tranship.sql.old.rows import rows_where
from tranship.sql.old.safe_values import too_wide, too_wide_however
from tranship.sql.row_id import locate

_BOUNDLESS = frozenset({"text", "character varying", "bytea", "jsonb", "numeric"})
_AS_LONG_AS_ITS_TEXT = frozenset({"text", "character varying"})
_PAGE = "8192"
"""The block size of nearly every server; the limit of a key is a third of a page."""
_BLOCK_SIZE = "SELECT pg_catalog.current_setting('block_size')"


class _Key(Struct, frozen=True):
    """An unbounded key of an index: the SQL of its text on OLD, and the column of NEW."""

    text: str
    column: Column


async def find_too_wide(reader: Reader, book: Book) -> None:
    """Enters the rows that certainly do not fit an index of NEW into the book."""
    job, plan = reader.job, reader.plan
    before, after = job.before(plan), job.after(plan)
    wide = [
        (index, certain)
        for index in after.indexes
        if index.predicate is None and (certain := _certain(list(_keys(index, plan, before, after)), job))
    ]
    if not wide or await reader.new.fetchval(_BLOCK_SIZE) != _PAGE:
        return
    for index, certain in wide:
        rows = set[Locator]()
        for parts in remaining(plan, book.not_written(plan.flow)):
            found = await reader.old.fetch(rows_where(plan, certain, parts))
            rows.update(locate(source, id_) for source, id_ in found)
        book.add_all(plan.flow, (reasons.too_wide(row, index.name) for row in sorted(rows)))


def may_be_too_wide(job: Job, plan: TablePlan) -> bool:
    """Returns whether an index of NEW has a key without bound, so that all rows are asked for its length."""
    before, after = job.before(plan), job.after(plan)
    return any(True for index in after.indexes for _ in _keys(index, plan, before, after))


async def note_wide_keys(job: Job, plan: TablePlan, old: asyncpg.Connection, book: Book) -> None:
    """Notes each index of NEW for which some of the remaining rows may be too wide."""
    before, after = job.before(plan), job.after(plan)
    wide = [
        (index.name, too_wide([key.text for key in keys]))
        for index in after.indexes
        if (keys := list(_keys(index, plan, before, after)))
    ]
    if not wide:
        return
    counts = await count_remaining(old, plan, [predicate for _, predicate in wide], book)
    for (name, _), count in zip(wide, counts, strict=True):
        if count:
            rows = f"{count_of(count, 'row')} {'holds' if count == 1 else 'hold'}"
            refused = "NEW refuses what does not fit its page (54000)"
            book.note(plan.flow, f"index {name}: {rows} long values for it; {refused}")


def _certain(keys: list[_Key], job: Job) -> str:
    """Returns a predicate of rows that do not fit, however far their values are compressed; empty: none."""
    if job.old.encoding != job.new.encoding:
        return ""
    known = [key for key in keys if key.column.type.leaf.base in _AS_LONG_AS_ITS_TEXT]
    loose = [key.text for key in known if _is_compressed(key.column)]
    whole = [key.text for key in known if not _is_compressed(key.column)]
    return too_wide_however(whole, loose) if known else ""


def _is_compressed(column: Column) -> bool:
    return not any(word in column.storage for word in ("PLAIN", "EXTERNAL"))


def _keys(index: Index, plan: TablePlan, before: Table, after: Table) -> Iterator[_Key]:
    """Yields the unbounded keys of an index; none when no value is too long, or OLD has the index."""
    if index.method != "btree" or not index.valid or _is_held(index, before):
        return
    position = {mapping.column: n for n, mapping in enumerate(plan.columns)}
    for name in index.columns:
        column = after.column(name) if name is not None else None
        if column is None or column.type.leaf.base not in _BOUNDLESS or column.name not in position:
            continue
        n = position[column.name]
        if not isinstance(plan.columns[n].expression, NewDefault | Lookup):
            yield _Key(compile_text(plan, n, before), column)


def _is_held(index: Index, before: Table) -> bool:
    return any((i.method, i.keys) == (index.method, index.keys) and i.valid for i in before.indexes)
