"""Which references follow rows that are merged into others (``repoint_children``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import TablePair
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers, Resolution
from tranship.model.shape import Merge, MergedParents, Repointing

_EQUALS = "OPERATOR(pg_catalog.=)"


def repointings(
    pairs: Sequence[TablePair], answers: Answers, old: Catalog, new: Catalog
) -> Mapping[tuple[TableName, str], Repointing]:
    """Returns, by old table and name of the flow, the references that lead to survivors.

    They are the foreign keys of OLD to a merged table, and those of NEW to the table that it alone fills.
    """
    merged = [(pair, entry) for pair in pairs for entry in _merging(pair, answers)]
    found = {}
    for child in pairs:
        before = old.table(child.old)
        if before is None:
            continue
        parents = [
            one
            for pair, entry in merged
            for one in _parents(child, pair, entry, answers, (old, new), alone=_fills_alone(pair, pairs))
        ]
        if parents:
            columns = tuple(column.name for column in before.columns)
            found[child.old, child.name] = Repointing(columns, tuple(dict.fromkeys(parents)))
    return found


def _merging(pair: TablePair, answers: Answers) -> Iterator[Resolution]:
    for decision in answers.of_flow(pair.old, pair.name):
        if decision.action is Action.MERGE and decision.resolution.repoint_children:
            yield decision.resolution


def _fills_alone(pair: TablePair, pairs: Sequence[TablePair]) -> bool:
    return sum(other.new == pair.new for other in pairs) == 1


def _parents(
    child: TablePair,
    parent: TablePair,
    entry: Resolution,
    answers: Answers,
    sides: tuple[Catalog, Catalog],
    *,
    alone: bool,
) -> Iterator[MergedParents]:
    before, after = sides[0].table(child.old), sides[1].table(child.new)
    above = sides[0].table(parent.old)
    if before is None or after is None or above is None:
        return
    references = list(_by_old(before.foreign_keys, parent.old))
    references += _by_new(after.foreign_keys, child, parent) if alone else []
    filters = (
        d.resolution.where for d in answers.of_flow(parent.old, parent.name) if d.action is Action.FILTER
    )
    where = next((text for text in filters if text), "")
    for columns, keys in references:
        if _is_unique(above, keys):
            yield MergedParents(
                columns,
                parent.old,
                keys,
                tuple(_equality(above, key) for key in keys),
                above.order_key,
                Merge(entry.key, entry.keep or "", repoint_children=True),
                above.kind == RelationKind.PARTITIONED_TABLE,
                where,
            )


def _by_old(
    keys: Sequence[ForeignKey], target: TableName
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    yield from ((key.columns, key.target_columns) for key in keys if key.target == target)


def _by_new(
    keys: Sequence[ForeignKey], child: TablePair, parent: TablePair
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yields the old columns behind foreign keys of NEW, and those behind the columns that they refer to."""
    own = {columns.new: columns.old for columns in child.columns}
    above = {columns.new: columns.old for columns in parent.columns}
    for key in keys:
        known = all(c in own for c in key.columns) and all(c in above for c in key.target_columns)
        if key.target == parent.new and known:
            yield tuple(own[c] for c in key.columns), tuple(above[c] for c in key.target_columns)


def _is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Returns whether a reference finds at most one row."""
    return any(set(key.columns) == set(columns) for key in table.keys)


def _equality(table: Table, name: str) -> str:
    column = table.column(name)
    return (column.type.leaf.equality if column is not None else None) or _EQUALS
