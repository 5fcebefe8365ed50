"""New values of keys (``new_key``): which columns hold such a key, and which refer to it and follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.builtin_types import Family
from tranship.model.catalog import Catalog, Column, ForeignKey, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import TablePair
from tranship.model.expression import Rekeyed
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.model.resolution import Action, Answers
from tranship.model.shape import KeyKind, NewKey, Numbering

_ONE_TEXT = frozenset({Family.INTEGER, Family.UUID, Family.BOOLEAN, Family.DATE, Family.BYTES})
"""Families whose equal values have one text, so that a reference gives the same new value as the key."""
_STRINGS = frozenset({"text", "varchar", "bpchar", "name"})

_EQUALS = "OPERATOR(pg_catalog.=)"

Place = tuple[TableName, str, str]
"""Old table, name of the flow and new column."""


def rekeyed_columns(
    pairs: Sequence[TablePair], answers: Answers, old: Catalog, new: Catalog
) -> Mapping[Place, Rekeyed]:
    """Returns what fills the columns of new keys, and of the foreign keys that lead to them, whether OLD or
    NEW declares these.

    Where NEW alone declares one, and several flows fill the table that it leads to, nobody can tell whose key
    is meant: such a column is none of them.
    """
    found: dict[Place, Rekeyed] = {}
    parents = [(pair, key) for pair in pairs for key in _new_keys(pair, answers)]
    for pair, key in parents:
        declared = _column(old, pair.old, key.column)
        if declared is not None:
            numbering = _numbering(pair, key, answers, old)
            own = Rekeyed(key.column, key, pair.old, declared.type.text, numbering=numbering)
            found |= {(pair.old, pair.name, column): own for column in _holding(pair, key.column, new)}
    roots = [_Root(pair, key, _numbering(pair, key, answers, old)) for pair, key in parents]
    reached = [(pair, root.key.column, root) for (pair, _), root in zip(parents, roots, strict=True)]
    # A reference that is part of a key is referred to in its turn: an order's id by its lines, and theirs.
    while reached:
        parent, column, root = reached.pop(0)
        for child in pairs:
            for name, one in _references(child, (parent, column), root, pairs, (old, new)):
                if (child.old, child.name, name) not in found:
                    found[child.old, child.name, name] = one
                    reached.append((child, one.column, root))
    return found


class _Root(Struct, frozen=True):
    """A key that gets new values, and the flow that gives them."""

    pair: TablePair
    key: NewKey
    numbering: Numbering | None


def _new_keys(pair: TablePair, answers: Answers) -> Iterator[NewKey]:
    for decision in answers.of_flow(pair.old, pair.name):
        if decision.action is Action.NEW_KEY and decision.resolution.new_values is not None:
            yield decision.resolution.new_values


def _numbering(pair: TablePair, key: NewKey, answers: Answers, old: Catalog) -> Numbering | None:
    """Returns which rows are numbered for a key; None where its values are not numbers."""
    table = old.table(pair.old)
    if key.kind is not KeyKind.NUMBER or table is None:
        return None
    filters = (d.resolution for d in answers.of_flow(pair.old, pair.name) if d.action is Action.FILTER)
    strings = {column.name for column in table.columns if column.type.leaf.category == "S"}
    return Numbering(
        tuple((name, name in strings) for name in table.order_key),
        table.kind == RelationKind.PARTITIONED_TABLE,
        next((entry.where for entry in filters if entry.where), ""),
    )


def _filled(pair: TablePair, source: str) -> set[str]:
    """Returns the new columns that an old one fills."""
    return {columns.new for columns in pair.columns if columns.old == source}


def _holding(pair: TablePair, source: str, new: Catalog) -> set[str]:
    """Returns the columns of NEW that get the new values of an old one: of several that it fills, those that
    identify the row or refer to one. Another one keeps the old value beside them.
    """
    filled, table = _filled(pair, source), new.table(pair.new)
    if len(filled) < 2 or table is None:
        return filled
    primary = table.primary_key.columns if table.primary_key is not None else ()
    keys = {*primary, *(column for key in references(table) for column in key.columns)}
    return filled & keys or filled & _referred_to(table, new) or filled & {source} or filled


def _referred_to(table: Table, new: Catalog) -> set[str]:
    """Returns the columns of a table to which foreign keys of NEW lead."""
    keys = (key for other in new.tables for key in references(other) if key.target == table.name)
    return {column for key in keys for column in key.target_columns}


def _references(
    child: TablePair,
    parent: tuple[TablePair, str],
    root: _Root,
    pairs: Sequence[TablePair],
    sides: tuple[Catalog, Catalog],
) -> Iterator[tuple[str, Rekeyed]]:
    """Yields the columns of a child's new table that refer to a new key, with what fills them.

    ``parent`` is the flow whose old column they refer to: that of the key, or one that follows it.
    """
    (pair, column), (old, new) = parent, sides
    before, after = old.table(child.old), new.table(child.new)
    declared = _column(old, root.pair.old, root.key.column)
    if before is None or after is None or declared is None:
        return
    by_old = _referring(references(before), pair.old, {column})
    holding = _holding(pair, column, new)
    alone = sum(other.new == pair.new for other in pairs) == 1
    by_new = _referring(references(after), pair.new, holding) if alone else set[str]()
    apart = _apart(after, pair, holding, pairs)
    for columns in child.columns:
        follows = columns.old in by_old and columns.new in _holding(child, columns.old, new) - apart
        if follows or columns.new in by_new:
            one = _reference(columns.old, root.key, root.pair.old, declared, before)
            yield columns.new, replace(one, numbering=root.numbering)


def _apart(after: Table, pair: TablePair, holding: set[str], pairs: Sequence[TablePair]) -> set[str]:
    """Returns the columns of a child whose foreign key in NEW leads to another column of the parents, which
    keeps the old values, or to other rows of their old table.
    """
    others = {one.new for one in pairs if one.old == pair.old} - {pair.new}
    return {
        column
        for key in references(after)
        for column, referred in zip(key.columns, key.target_columns, strict=True)
        if key.target in others or (key.target == pair.new and referred not in holding)
    }


def _referring(keys: Sequence[ForeignKey], target: TableName, columns: set[str]) -> set[str]:
    """Returns the columns of foreign keys that refer to one of some columns of a table."""
    return {
        column
        for key in keys
        if key.target == target
        for column, referred in zip(key.columns, key.target_columns, strict=True)
        if referred in columns
    }


def _reference(source: str, key: NewKey, table: TableName, declared: Column, before: Table) -> Rekeyed:
    own = before.column(source)
    alike = own is not None and own.type.text == declared.type.text and own.collation == declared.collation
    leaf = declared.type.leaf
    exact = leaf.family in _ONE_TEXT or (alike and leaf.typname in _STRINGS)
    return Rekeyed(source, key, table, declared.type.text, "" if exact else leaf.equality or _EQUALS)


def _column(catalog: Catalog, table: TableName, name: str) -> Column | None:
    found = catalog.table(table)
    return found.column(name) if found is not None else None
