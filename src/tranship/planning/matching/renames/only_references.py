"""References to one table of which each side has one without a counterpart: a question, whatever their names.

``reports_to`` and ``manager_id`` have no word in common. That both lead to the table's own rows, and nothing
else there does, is little evidence, and more than any other column has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tranship.model.catalog import Column, Table
from tranship.model.change import Proposal
from tranship.model.names import TableName
from tranship.planning.matching.renames.context import RenameContext
from tranship.planning.matching.renames.vetoes import vetoes

_CHANCE = 0.4
"""Below even: such a pair is never filled in."""


def only_references(
    sides: tuple[Table, Table], free: tuple[Iterable[Column], Iterable[Column]], context: RenameContext
) -> Iterator[Proposal]:
    """Yields a pair for each table to which one ``free`` column of either side refers, by a declared key of
    that column alone; none that a veto stands against.
    """
    old, new = sides
    pairs = {**context.table_pairs, old.name: new.name}
    left = _by_target(old, free[0], pairs)
    right = _by_target(new, free[1], {})
    for target, lost in left.items():
        fresh = right.get(target, [])
        if len(lost) == len(fresh) == 1 and not any(
            True for _ in vetoes(old, new, lost[0], fresh[0], context)
        ):
            what = "its own table" if target == new.name else str(target)
            evidence = f"of the columns without a counterpart each side has one that refers to {what}"
            yield Proposal(lost[0].name, fresh[0].name, _CHANCE, (evidence,))


def _by_target(
    table: Table, free: Iterable[Column], pairs: Mapping[TableName, TableName]
) -> dict[TableName, list[Column]]:
    """Returns the columns that refer to a table by a key of one column, by NEW's name of that table."""
    found: dict[TableName, list[Column]] = {}
    for column in free:
        targets = {key.target for key in table.foreign_keys if key.columns == (column.name,)}
        for target in targets:
            found.setdefault(pairs.get(target, target), []).append(column)
    return found
