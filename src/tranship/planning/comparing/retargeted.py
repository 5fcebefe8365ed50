"""Columns whose foreign key leads to the same table in both databases, but to the values of another column,
so that each value would find another row. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tranship.model.catalog import ForeignKey, Table
from tranship.model.change import Change, ChangeClass, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.resolution import Action, Decision

_SAYS = (Action.TRANSFORM, Action.DEFAULT)

_Above = Sequence[tuple[TablePair, Sequence[Decision]]]


def elsewhere(
    pair: TablePair, key: ForeignKey, before: Table, above: _Above, decisions: Sequence[Decision]
) -> Iterator[Change]:
    """Yields a question for each column of a key of NEW whose value OLD's key finds in one column of the
    parent, and NEW's key in what another one fills.

    ``above``: the flows whose rows are the parents, with what is decided about them.
    """
    if any(d.action is Action.ADOPT and d.resolution.constraint == key.name for d in decisions):
        return
    said = {d.resolution.new_column for d in decisions if d.action in _SAYS}
    filled = {columns.new: columns.old for columns in pair.columns if columns.new not in said}
    for name, leads_to in zip(key.columns, key.target_columns, strict=True):
        ways = [_way(before, filled[name], leads_to, *flow) for flow in above] if name in filled else []
        if ways and all(ways):
            yield _question(pair, key, (filled[name], name, leads_to), ways[0])


_Way = tuple[ForeignKey, str]
"""OLD's key, and the column of the parent that fills the one to which NEW's key leads."""


def _way(
    before: Table, source: str, leads_to: str, parent: TablePair, decisions: Sequence[Decision]
) -> _Way | None:
    """Returns where the column leads in OLD, and where in NEW; None where that is the same, or not known."""
    fills = _filler(parent, decisions, leads_to)
    held = [key for key in before.foreign_keys if key.target == parent.old and source in key.columns]
    if fills is None or not held or any(_partners(key)[source] == fills for key in held):
        return None
    return held[0], fills


def _partners(key: ForeignKey) -> Mapping[str, str]:
    return dict(zip(key.columns, key.target_columns, strict=True))


def _filler(parent: TablePair, decisions: Sequence[Decision], column: str) -> str | None:
    """Returns the old column that fills a new one; None where none does, or where it is computed."""
    entries = [d.resolution for d in decisions if d.resolution.new_column == column]
    if any(entry.transform_sql is not None or entry.lookup_table is not None for entry in entries):
        return None
    return next((columns.old for columns in parent.columns if columns.new == column), None)


def _question(pair: TablePair, key: ForeignKey, names: tuple[str, str, str], way: _Way | None) -> Change:
    assert way is not None
    source, name, leads_to = names
    held, fills = way
    keys = ", ".join(held.target_columns)
    return Change(
        cls=ChangeClass.BREAKING,
        kind=ChangeKind.MEANING_CHANGED,
        table=pair.flow,
        description=f"Column '{source}' would refer to other rows: OLD's key leads to another column",
        old_column=source,
        new_column=name,
        new_table=str(pair.new),
        evidence=(
            f"in OLD {held.name} leads to {held.target}.{_partners(held)[source]}",
            f"in NEW {key.name} leads to {key.target}.{leads_to}, which {held.target}.{fills} fills",
            f'a lookup_table in OLD\'s {held.target} ("database": "old") finds the same parent:'
            f" key {keys}, value {fills}",
            "if NEW's rows under the values as they are are meant: action 'transform' with the same columns"
            f" alone, or 'adopt' of constraint {key.name}",
        ),
        conversion="meaning",
    )
