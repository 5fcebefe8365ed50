"""Keys of items: the key of an old row cannot be the key of the several rows that are made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Catalog, Table
from tranship.model.names import TableName
from tranship.model.resolution import Action, Decision


def keys_left_to_new(
    decisions: Sequence[Decision], old: Catalog, new: Catalog
) -> Iterator[tuple[TableName, str]]:
    """Yields the columns of NEW, each with the old table, that number items by themselves although OLD's key
    has the same name, where nothing is decided about them. The decisions are those of flows of one name; the
    flows without a name may be of many tables.

    With OLD's value, NEW would refuse every item of a row but the first.
    """
    said = {(decision.old_table, decision.resolution.new_column) for decision in decisions}
    for decision in decisions:
        before, after = old.table(decision.old_table), _target(decision, new)
        if decision.action is Action.ROWS and before is not None and after is not None:
            both = _own_keys(before) & _own_keys(after)
            numbered = {column.name for column in after.columns if column.sequence is not None}
            places = [(decision.old_table, name) for name in sorted(both & numbered)]
            yield from (place for place in places if place not in said)


def _target(decision: Decision, new: Catalog) -> Table | None:
    return new.table(decision.new_table) if decision.new_table is not None else None


def _own_keys(table: Table) -> set[str]:
    """Returns the columns that are a key alone."""
    return {key.columns[0] for key in table.keys if len(key.columns) == 1}
