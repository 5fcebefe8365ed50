"""Which facts about the data would speak for a change of shape. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import Struct

from tranship.model.catalog import Catalog, Table
from tranship.model.change import Comparison, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import LookupQuestion
from tranship.model.names import ColumnRef, TableName
from tranship.model.references import references
from tranship.model.shape_evidence import WrittenQuestion
from tranship.planning.deciding.lookup_questions import labels_of
from tranship.planning.deciding.named_parents import NamedParent, named_parents
from tranship.planning.deciding.one_way import one_ways
from tranship.planning.names.families import family


class ShapeQuestions(Struct, frozen=True):
    """The questions, each once."""

    names: tuple[ColumnRef, ...] = ()
    """Texts that may be the names of attributes, and the references beside them that may be NULL."""
    json: tuple[ColumnRef, ...] = ()
    written: tuple[WrittenQuestion, ...] = ()
    named: tuple[LookupQuestion, ...] = ()
    """Tables of NEW that may know the rows of an old one by name."""
    keys: tuple[ColumnRef, ...] = ()
    """Number keys behind which those of another table may be moved."""


def shape_questions(comparison: Comparison, old: Catalog, new: Catalog) -> ShapeQuestions:
    """Returns what to ask about every pair of tables, and about the tables that only OLD has."""
    growing = {change.table for change in comparison.changes if change.kind is ChangeKind.COLUMN_ADDED}
    left, unfilled = _tables(old, comparison.matching.only_old), _tables(new, comparison.matching.only_new)
    found = _Found({}, {}, {}, {}, {})
    found.keys |= dict.fromkeys(chain.from_iterable(map(_keys, left)))
    for pair in comparison.matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        if before is not None and after is not None:
            ways = one_ways(pair, before, after)
            found.written |= dict.fromkeys(way.question(before) for way in ways)
            found.keys |= dict.fromkeys(_keys(before) if left else ())
            found.named |= dict.fromkeys(_by_name(pair, named_parents(before, after, left, new)))
            if pair.flow in growing:
                found.names |= dict.fromkeys(_names(before, left, old))
            if pair.flow in growing or _refers_to(unfilled, pair.new):
                found.json |= dict.fromkeys(_json(before))
    return ShapeQuestions(
        tuple(found.names),
        tuple(found.json),
        tuple(found.written),
        tuple(found.named),
        tuple(found.keys),
    )


def _by_name(pair: TablePair, parents: Iterable[NamedParent]) -> Iterator[LookupQuestion]:
    """Yields what to ask about the references that no old column fills yet."""
    filled = {column.new for column in pair.columns}
    return (one.question for one in parents if one.key.columns[0] not in filled)


def _tables(side: Catalog, names: Iterable[TableName]) -> list[Table]:
    return [table for name in names if (table := side.table(name)) is not None]


class _Found(Struct):
    """The questions found so far, as keys: a dict keeps the order of insertion."""

    names: dict[ColumnRef, None]
    json: dict[ColumnRef, None]
    written: dict[WrittenQuestion, None]
    named: dict[LookupQuestion, None]
    keys: dict[ColumnRef, None]


def _names(before: Table, left: list[Table], old: Catalog) -> Iterator[ColumnRef]:
    for table in left:
        leading = [key.columns for key in references(table) if key.target == before.name]
        if not leading:
            continue
        # Rows that refer to no parent would go along with none.
        yield from (ColumnRef(table.name, names[0]) for names in leading if _may_be_null(table, names))
        owners = [table, *filter(None, (old.table(key.target) for key in references(table)))]
        for owner in owners:
            if owner.name != before.name:
                yield from (ColumnRef(owner.name, column.name) for column in labels_of(owner))


def _may_be_null(table: Table, names: tuple[str, ...]) -> bool:
    """Returns whether a reference of one column may be NULL."""
    column = table.column(names[0]) if len(names) == 1 else None
    return column is not None and not column.refuses_null


def _refers_to(unfilled: list[Table], name: TableName) -> bool:
    """Returns whether a table of NEW to which no rows go refers to another one: it may take parts of its
    rows.
    """
    return any(key.target == name for table in unfilled for key in references(table))


def _json(before: Table) -> Iterator[ColumnRef]:
    names = (column.name for column in before.columns if column.type.leaf.base in ("json", "jsonb"))
    return (ColumnRef(before.name, name) for name in names)


def _keys(before: Table) -> Iterator[ColumnRef]:
    primary = before.primary_key
    if primary is not None and len(primary.columns) == 1:
        column = before.column(primary.columns[0])
        if column is not None and family(column.type) == "integer":
            yield ColumnRef(before.name, column.name)
