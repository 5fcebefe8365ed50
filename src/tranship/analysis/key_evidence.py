"""Finds the old columns that hold keys of old tables. Many columns are compared with many keys in one
statement, because a round trip per pair would exceed any time limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tranship.analysis.asker import Asker, Rows
from tranship.model.catalog import Catalog, Table
from tranship.model.evidence import KeyQuestion, Reference
from tranship.model.names import ColumnRef, Side
from tranship.planning.names.families import family
from tranship.sql.key_evidence import Asked, keys_held

_COLUMNS_AT_ONCE = 16
"""Columns of one statement: a refused one is repeated column by column."""
_KEYS_AT_ONCE = 100
"""Tables of one statement: each costs the server a few of its shared locks (max_locks_per_transaction, 64
per connection).
"""
_MOST = 0.95
"""The part of the distinct values that has to be found among the keys."""
_LISTED = 20
"""Keys that are named per column, at most."""


class _Counted(Struct):
    """What is known about one column so far."""

    question: KeyQuestion
    distinct: int = 0
    whole: bool = True
    answered: bool = True
    keys: list[ColumnRef] = []


async def references(
    asker: Asker, old: Catalog, questions: Sequence[KeyQuestion], percents: dict[ColumnRef, float | None]
) -> tuple[Reference, ...]:
    """Returns the answers in the order of the questions. A column for which there is no answer is missing.

    ``percents`` are the parts of large tables that are read, by column.
    """
    found: list[Reference] = []
    for batch in _batches(old, questions):
        for counted in await _ask(asker, old, batch, percents):
            ref = counted.question.column
            if counted.answered:
                found.append(_reference(counted, sampled=percents.get(ref) is not None))
    return tuple(found)


def _reference(counted: _Counted, *, sampled: bool) -> Reference:
    keys = tuple(counted.keys[:_LISTED]) if counted.whole else ()
    table = keys[0].table if keys else None
    return Reference(counted.question.column, table, keys, counted.distinct, sampled)


def _batches(old: Catalog, questions: Sequence[KeyQuestion]) -> Iterator[list[KeyQuestion]]:
    """Yields neighbouring questions of one kind: UUIDs are compared with UUIDs, numbers with numbers."""
    batch: list[KeyQuestion] = []
    for question in questions:
        if batch and (len(batch) == _COLUMNS_AT_ONCE or _is_uuid(old, batch[0]) != _is_uuid(old, question)):
            yield batch
            batch = []
        batch.append(question)
    if batch:
        yield batch


def _is_uuid(old: Catalog, question: KeyQuestion) -> bool:
    table = old.table(question.column.table)
    column = table.column(question.column.column) if table is not None else None
    return column is not None and family(column.type) == "uuid"


async def _ask(
    asker: Asker, old: Catalog, batch: list[KeyQuestion], percents: dict[ColumnRef, float | None]
) -> list[_Counted]:
    """Returns the answers of one batch. Where the server refuses it as a whole, each column is compared
    alone.
    """
    counted = [_Counted(question, keys=[]) for question in batch]
    columns = _compared(old, batch, percents)
    uuid = _is_uuid(old, batch[0])
    for part in _parts(old, batch):
        rows = await asker.ask(Side.OLD, _what(batch), _text(columns, part, uuid=uuid))
        if rows is None and len(batch) == 1:
            return [_Counted(batch[0], answered=False)]
        if rows is None:
            return [one for question in batch for one in await _ask(asker, old, [question], percents)]
        _count(counted, part, rows)
    for one in counted:
        # A statement's rows come in any order; the question's own order counts.
        one.keys.sort(key=one.question.keys.index)
    return counted


def _compared(
    old: Catalog, batch: Sequence[KeyQuestion], percents: dict[ColumnRef, float | None]
) -> list[Asked]:
    tables = ((question, old.table(question.column.table)) for question in batch)
    return [
        Asked(table, question.column.column, percents.get(question.column))
        for question, table in tables
        if table is not None
    ]


def _parts(old: Catalog, batch: Sequence[KeyQuestion]) -> list[list[tuple[ColumnRef, Table]]]:
    """Returns the keys of all questions in parts for one statement each; one empty part without keys, so that
    the values are counted.
    """
    keys = [(ref, table) for ref in _all_keys(batch) if (table := old.table(ref.table)) is not None]
    return [keys[n : n + _KEYS_AT_ONCE] for n in range(0, len(keys), _KEYS_AT_ONCE)] or [[]]


def _text(columns: Sequence[Asked], part: Sequence[tuple[ColumnRef, Table]], *, uuid: bool) -> str:
    return keys_held(columns, [(table, ref.column) for ref, table in part], uuid=uuid)


def _all_keys(batch: Sequence[KeyQuestion]) -> tuple[ColumnRef, ...]:
    return tuple(dict.fromkeys(key for question in batch for key in question.keys))


def _what(batch: Sequence[KeyQuestion]) -> str:
    named = ", ".join(str(question.column) for question in batch)
    return f"whether the values of {named} are keys of another table"


def _count(counted: Sequence[_Counted], part: Sequence[tuple[ColumnRef, Table]], rows: Rows) -> None:
    for row in rows:
        one, found = counted[int(str(row["place"]))], int(str(row["found"]))
        if row["key"] == -1:
            one.distinct, one.whole = found, bool(row["whole"])
    for row in rows:
        number, one = int(str(row["key"])), counted[int(str(row["place"]))]
        if number < 0:
            continue
        key = part[number][0]
        if one.distinct and int(str(row["found"])) >= _MOST * one.distinct and key in one.question.keys:
            one.keys.append(key)
