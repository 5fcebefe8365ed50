"""Which facts about the data would speak for a change of shape. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tranship.model.catalog import Catalog, Table
from tranship.model.change import Comparison
from tranship.model.change_kind import ChangeKind
from tranship.model.names import ColumnRef
from tranship.model.shape_evidence import WrittenQuestion
from tranship.planning.deciding.lookup_questions import labels_of
from tranship.planning.deciding.one_way import one_ways
from tranship.planning.names.families import family


class ShapeQuestions(Struct, frozen=True):
    """The questions, each once."""

    names: tuple[ColumnRef, ...] = ()
    """Texts that may be the names of attributes."""
    json: tuple[ColumnRef, ...] = ()
    written: tuple[WrittenQuestion, ...] = ()
    keys: tuple[ColumnRef, ...] = ()
    """Number keys behind which those of another table may be moved."""


def shape_questions(comparison: Comparison, old: Catalog, new: Catalog) -> ShapeQuestions:
    """Returns what to ask about every pair of tables, and about the tables that only OLD has."""
    growing = {change.table for change in comparison.changes if change.kind is ChangeKind.COLUMN_ADDED}
    left = [table for name in comparison.matching.only_old if (table := old.table(name)) is not None]
    found = _Found({}, {}, {}, {})
    for pair in comparison.matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        if before is not None and after is not None:
            ways = one_ways(pair, before, after)
            found.written |= dict.fromkeys(way.question(before) for way in ways)
            found.keys |= dict.fromkeys(_keys(before) if left else ())
            if pair.flow in growing:
                found.names |= dict.fromkeys(_names(before, left, old))
                found.json |= dict.fromkeys(_json(before))
    return ShapeQuestions(tuple(found.names), tuple(found.json), tuple(found.written), tuple(found.keys))


class _Found(Struct):
    """The questions found so far, as keys: a dict keeps the order of insertion."""

    names: dict[ColumnRef, None]
    json: dict[ColumnRef, None]
    written: dict[WrittenQuestion, None]
    keys: dict[ColumnRef, None]


def _names(before: Table, left: list[Table], old: Catalog) -> Iterator[ColumnRef]:
    for table in left:
        if not any(key.target == before.name for key in table.foreign_keys):
            continue
        owners = [table, *filter(None, (old.table(key.target) for key in table.foreign_keys))]
        for owner in owners:
            if owner.name != before.name:
                yield from (ColumnRef(owner.name, column.name) for column in labels_of(owner))


def _json(before: Table) -> Iterator[ColumnRef]:
    names = (column.name for column in before.columns if column.type.leaf.base in ("json", "jsonb"))
    return (ColumnRef(before.name, name) for name in names)


def _keys(before: Table) -> Iterator[ColumnRef]:
    primary = before.primary_key
    if primary is not None and len(primary.columns) == 1:
        column = before.column(primary.columns[0])
        if column is not None and family(column.type) == "integer":
            yield ColumnRef(before.name, column.name)
