"""What a flow does with its rows, from the decisions about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog
from tranship.model.names import TableName
from tranship.model.resolution import Action, Decision, Resolution
from tranship.model.shape import (
    PLAIN,
    Children,
    CutKind,
    Existing,
    ExistingRows,
    Filter,
    Items,
    Merge,
    Query,
    Shape,
)
from tranship.planning.matching.scope import find_tables


def shape_of(decisions: Sequence[Decision], old: Catalog) -> Shape:
    """Returns the shape of a flow; a flow without such decisions is plain."""
    made = PLAIN
    for decision in decisions:
        made = _with(made, decision.action, decision.resolution, old)
        if made.query is not None and decision.action is Action.QUERY:
            made = replace(made, query=replace(made.query, cut_kind=_cut_kind(decision, old)))
    return made


def _with(shape: Shape, action: Action, entry: Resolution, old: Catalog) -> Shape:
    """Returns the shape with what one entry says about the rows."""
    match action:
        case Action.QUERY:
            return replace(shape, query=Query(entry.query or "", entry.key, entry.cut_by or ""))
        case Action.FILTER:
            return replace(shape, filter=_filter(entry, old))
        case Action.ROWS:
            return replace(shape, items=_items(entry))
        case Action.MERGE:
            return replace(shape, merge=_merge(entry))
        case Action.EXISTING:
            return replace(shape, existing=_existing(entry))
        case Action.NEW_KEY if entry.new_values is not None:
            return replace(shape, new_keys=(*shape.new_keys, entry.new_values))
        case _:
            return shape


def _cut_kind(decision: Decision, old: Catalog) -> CutKind:
    """Returns how the column compares by whose ranges a query is cut."""
    table = old.table(decision.old_table)
    column = table.column(decision.resolution.cut_by or "") if table is not None else None
    if column is None:
        return CutKind.OTHER
    if column.type.leaf.family is Family.INTEGER:
        return CutKind.NUMBER
    return CutKind.STRING if column.type.leaf.typname in ("text", "varchar") else CutKind.OTHER


def _items(entry: Resolution) -> Items:
    return Items(entry.items or "", entry.where or "", entry.order_by or "")


def _merge(entry: Resolution) -> Merge:
    return Merge(entry.key, entry.keep or "", entry.repoint_children or False)


def _filter(entry: Resolution, old: Catalog) -> Filter:
    for_all = next((children for name, children in entry.children if not name), Children.REJECT)
    return Filter(entry.where or "", for_all, tuple(sorted(_of(entry, old))), entry.because)


def _of(entry: Resolution, old: Catalog) -> Iterator[tuple[TableName, Children]]:
    for name, children in entry.children:
        found = find_tables(old, name) if name else ()
        yield from ((table.name, children) for table in found[:1])


def _existing(entry: Resolution) -> Existing:
    rows = ExistingRows(entry.rows) if entry.rows is not None else ExistingRows.SAME
    return Existing(entry.key, rows, entry.repoint_children or False)
