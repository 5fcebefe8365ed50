"""Which references follow rows that are merged into others (``repoint_children``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Catalog, ForeignKey, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import TablePair
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.model.resolution import Action, Answers, Resolution
from tranship.model.shape import Merge, MergedParents, Repointing

_EQUALS = "OPERATOR(pg_catalog.=)"


_Flow = tuple[TableName, str]
"""Old table and name of a flow."""
_Followed = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""The old columns that refer to merged rows, those that they refer to, and the columns of NEW that alone lead
to the survivors (``MergedParents.only_in``).
"""


class _Landscape(Struct, frozen=True):
    """What the references of one flow are judged by."""

    merged: tuple[tuple[TablePair, Resolution], ...]
    """The flows whose rows are merged, with the entries that have references follow them. They are few, and
    each of thousands of flows is compared with them.
    """
    alone: frozenset[TableName]
    """The tables of NEW that one flow alone fills, so that a key of NEW leads to its rows."""
    answers: Answers
    old: Catalog
    new: Catalog


def repointings(
    pairs: Sequence[TablePair], answers: Answers, old: Catalog, new: Catalog
) -> Mapping[tuple[TableName, str], Repointing]:
    """Returns, by old table and name of the flow, the references that lead to survivors.

    They are the foreign keys of OLD to a merged table, and those of NEW to the table that it alone fills.
    """
    merged = tuple((pair, entry) for pair in pairs for entry in _merging(pair, answers))
    fillers = Counter(pair.new for pair in pairs)
    alone = frozenset(table for table, flows in fillers.items() if flows == 1)
    landscape = _Landscape(merged, alone, answers, old, new)
    found = {(child.old, child.name): _of(child, landscape, ()) for child in pairs}
    return {flow: one for flow, one in found.items() if one is not None}


def _of(child: TablePair, landscape: _Landscape, below: tuple[_Flow, ...]) -> Repointing | None:
    """Returns the references of one flow; ``below`` are the flows on the way to it, whose own merging cannot
    depend on itself. Another flow of the same table is none of them.
    """
    before = landscape.old.table(child.old)
    if before is None or before.kind is RelationKind.QUERY:
        # The rows of a SELECT are identified by its output, which leading would change.
        return None
    parents = [
        one
        for parent, entry in landscape.merged
        if _flow(parent) not in below
        for one in _parents(child, parent, entry, landscape, (*below, _flow(child)))
    ]
    if not parents:
        return None
    return Repointing(tuple(column.name for column in before.columns), tuple(dict.fromkeys(parents)))


def _flow(pair: TablePair) -> _Flow:
    return pair.old, pair.name


def _merging(pair: TablePair, answers: Answers) -> Iterator[Resolution]:
    for decision in answers.of_flow(pair.old, pair.name):
        if decision.action is Action.MERGE and decision.resolution.repoint_children:
            yield decision.resolution


def _parents(
    child: TablePair,
    parent: TablePair,
    entry: Resolution,
    landscape: _Landscape,
    below: tuple[_Flow, ...],
) -> Iterator[MergedParents]:
    before, after = landscape.old.table(child.old), landscape.new.table(child.new)
    above = landscape.old.table(parent.old)
    if before is None or after is None or above is None:
        return
    by_old = dict.fromkeys(_by_old(before, parent.old, landscape.old, frozenset()))
    followed: list[_Followed] = [(columns, keys, ()) for columns, keys in by_old]
    if parent.new in landscape.alone:
        followed += _by_new(references(after), child, parent, landscape.answers)
    # A row of the same table is merged by its other references, as this one is.
    own = _of(parent, landscape, below)
    for columns, keys, only_in in followed:
        if _is_unique(above, keys):
            yield MergedParents(
                columns,
                parent.old,
                keys,
                tuple(_equality(above, key) for key in keys),
                tuple((name, _is_string(above, name)) for name in above.order_key),
                Merge(entry.key, entry.keep or "", repoint_children=True),
                above.kind == RelationKind.PARTITIONED_TABLE,
                _filter(parent, landscape.answers),
                own,
                only_in=only_in,
            )


def _is_string(table: Table, name: str) -> bool:
    column = table.column(name)
    return column is not None and column.type.leaf.category == "S"


def _filter(pair: TablePair, answers: Answers) -> str:
    """Returns the condition by which a flow takes its rows; empty without one."""
    entries = (d.resolution for d in answers.of_flow(pair.old, pair.name) if d.action is Action.FILTER)
    return next((entry.where for entry in entries if entry.where), "")


def _by_old(
    table: Table, target: TableName, old: Catalog, passed: frozenset[TableName]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yields the columns by which rows of a table refer to rows of the target, and those of the target: by a
    key to it, or by one to a table whose own reference to it is part of the key (``passed`` are the tables on
    the way).
    """
    for key in references(table):
        if key.target == target:
            yield key.columns, key.target_columns
        between = old.table(key.target)
        if between is None or key.target in (target, *passed, table.name) or not key.enforced:
            continue
        partners = dict(zip(key.target_columns, key.columns, strict=True))
        for columns, keys in _by_old(between, target, old, passed | {table.name}):
            if partners.keys() >= set(columns):
                yield tuple(partners[column] for column in columns), keys


def _by_new(
    keys: Sequence[ForeignKey], child: TablePair, parent: TablePair, answers: Answers
) -> Iterator[_Followed]:
    """Yields the old columns behind foreign keys of NEW, and those behind the columns that they refer to,
    where they hold the same values. In a further flow of the merged table they are its own key, and stay what
    they are beside the foreign key.
    """
    own, above = _sources(child, answers), _sources(parent, answers)
    for key in keys:
        ends = _ends(key, own, above) if key.target == parent.new else None
        if ends is not None:
            columns, targets = tuple(c.column for c, _ in ends), tuple(k.column for _, k in ends)
            own_key = child.old == parent.old and _is_own_key(ends)
            yield columns, targets, key.columns if own_key else ()


def _ends(
    key: ForeignKey, own: Mapping[str, _Source], above: Mapping[str, _Source]
) -> list[tuple[_Source, _Source]] | None:
    """Returns what both ends of a key of NEW are made of; None where they do not hold the same values."""
    ends = [(own.get(c), above.get(k)) for c, k in zip(key.columns, key.target_columns, strict=True)]
    known = [(c, k) for c, k in ends if c is not None and k is not None and c.computed == k.computed]
    return known if len(known) == len(ends) else None


def _is_own_key(ends: Sequence[tuple[_Source, _Source]]) -> bool:
    """Returns whether a reference takes the columns to which it leads as they are. An expression reads them
    where they lead to the survivor.
    """
    return all(one.column == other.column and not one.computed for one, other in ends)


class _Source(Struct, frozen=True):
    """The old column that a new one is made of."""

    column: str
    computed: bool
    """Whether the new value is another one than the old value."""


def _sources(flow: TablePair, answers: Answers) -> Mapping[str, _Source]:
    """Returns what the new columns of a flow are made of. A value that is looked up is made of a row that it
    finds, and not of an old column.
    """
    entries = {d.resolution.new_column: d.resolution for d in answers.of_flow(flow.old, flow.name)}
    found: dict[str, _Source] = {}
    for columns in flow.columns:
        entry = entries.get(columns.new)
        if entry is None or entry.lookup_table is None:
            computed = entry is not None and bool(entry.transform_sql or entry.value_mapping)
            found[columns.new] = _Source(columns.old, computed)
    return found


def _is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Returns whether a reference finds at most one row."""
    return any(set(key.columns) == set(columns) for key in table.keys)


def _equality(table: Table, name: str) -> str:
    column = table.column(name)
    return (column.type.leaf.equality if column is not None else None) or _EQUALS
