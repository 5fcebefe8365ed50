"""Which sequences of NEW a rollback sets back, and which it leaves where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import asyncpg
from msgspec import Struct

from tranship.execution.rollback.written import Written
from tranship.model.catalog import Catalog, Table
from tranship.model.database_objects import Sequence as NewSequence
from tranship.model.names import ColumnRef, TableName
from tranship.server.journal import SequenceMove
from tranship.sql.new import sequences as sql_sequences
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.queries import query


class SequencesNow(Struct, frozen=True):
    """What becomes of the sequences that a run moved. One that was dropped is in none of the three."""

    back: tuple[SequenceMove, ...] = ()
    """They stand where the run left them, and are set back."""
    moved_on: tuple[TableName, ...] = ()
    """Others have used them since."""
    needed: tuple[TableName, ...] = ()
    """Set back they would give numbers again that rows have which stay."""


async def find_sequences(
    new: asyncpg.Connection, catalog: Catalog, moves: Sequence[SequenceMove], tables: Sequence[Written]
) -> SequencesNow:
    """Returns what becomes of these sequences; ``tables`` is what the run wrote."""
    still = await where_they_were_left(new, moves)
    known = {sequence.name: sequence for sequence in catalog.sequences}
    needed = []
    for move in still.back:
        sequence = known.get(move.name)
        if sequence is not None and await _needed(new, catalog, sequence, move, tables):
            needed.append(move.name)
    back = tuple(move for move in still.back if move.name not in needed)
    return SequencesNow(back, still.moved_on, tuple(needed))


async def where_they_were_left(new: asyncpg.Connection, moves: Sequence[SequenceMove]) -> SequencesNow:
    """Tells the sequences that stand where the run left them from those that others have used since."""
    mine: list[SequenceMove] = []
    left: list[TableName] = []
    for moved in moves:
        if (moved.before, moved.before_called) == (moved.after, moved.after_called):
            # No row drew from it, or the run did not come to its end, and who moved it since is not known.
            continue
        if await new.fetchval(query("off_holder"), moved.name.schema, moved.name.name) is None:
            continue
        row = await new.fetchrow(sql_sequences.sequence_state(moved.name))
        if (int(row["last"]), row["called"]) == (moved.after, moved.after_called):
            mine.append(moved)
        else:
            left.append(moved.name)
    return SequencesNow(tuple(mine), tuple(left))


async def _needed(
    new: asyncpg.Connection,
    catalog: Catalog,
    sequence: NewSequence,
    move: SequenceMove,
    tables: Sequence[Written],
) -> bool:
    """Returns whether a row that somebody else wrote or changed since the run began has a number that the
    sequence would give after it was set back.
    """
    oldest = min((written.oldest for written in tables if written.oldest), default=0)
    for column in _numbered(sequence) if oldest else ():
        table = catalog.table(column.table)
        if table is not None:
            asked = _furthest(table, column, sequence, tables, oldest)
            furthest = await new.fetchval(asked)
            if _is_given_again(furthest, sequence, move):
                return True
    return False


def _furthest(
    table: Table, column: ColumnRef, sequence: NewSequence, tables: Sequence[Written], oldest: int
) -> str:
    """Returns a query for the furthest number of a table's rows that are not the run's."""
    # A row that the run changed and others did not is as it was before the run once it is restored.
    xids = [xid for one in tables if one.task.flow.new == table.name for xid in one.every_xid]
    rows, descending = relation_to_read(table), sequence.increment < 0
    return sql_sequences.extreme_since(rows, column.column, xids, oldest, descending=descending)


def _is_given_again(furthest: str | None, sequence: NewSequence, move: SequenceMove) -> bool:
    """Returns whether a sequence would give this number after it was set back; what is no number it never
    gives.
    """
    if furthest is None or not furthest.lstrip("-").isdigit():
        return False
    beyond = (int(furthest) - move.before) * (1 if sequence.increment > 0 else -1)
    return beyond > 0 or (beyond == 0 and not move.before_called)


def _numbered(sequence: NewSequence) -> Iterator[ColumnRef]:
    """Yields the columns that hold numbers of a sequence."""
    owner = (sequence.owned_by,) if sequence.owned_by is not None else ()
    yield from dict.fromkeys((*owner, *sequence.used_by))
