"""The first numbers of keys that are numbered anew, which only a run knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from tranship.model.expression import Expression, Followed, Rekeyed
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Plan, TablePlan
from tranship.model.shape import NewKey, Numbering, Parent

KeyOf = tuple[TableName, str]
"""An old table and its key column."""


def numbered(plan: Plan) -> Iterator[tuple[TablePlan, str, Rekeyed]]:
    """Yields the columns of NEW that hold a numbered key itself, with what fills them."""
    for table in plan.tables:
        yield from ((table, column, made) for column, made in own_numbers(table))


def own_numbers(table: TablePlan) -> Iterator[tuple[str, Rekeyed]]:
    """Yields the columns of NEW that hold a numbered key of a flow itself, with what fills them."""
    for mapping in table.columns:
        match mapping.expression:
            case Rekeyed(numbering=Numbering()) as made if (table.old, made.column) == key_of(made):
                yield mapping.column, made
            case _:
                continue


def numbers_in(table: TablePlan) -> Iterator[KeyOf]:
    """Yields the numbered keys that a flow has or refers to."""
    for mapping in table.columns:
        match mapping.expression:
            case (Rekeyed(numbering=Numbering()) as made) | Followed(
                of=Rekeyed(numbering=Numbering()) as made
            ):
                yield key_of(made)
            case _:
                continue


def key_of(rekeyed: Rekeyed) -> KeyOf:
    """Returns the old key that gets new values."""
    return rekeyed.table, rekeyed.key.column


def with_starts(plan: Plan, starts: Mapping[KeyOf, int]) -> Plan:
    """Returns the plan with the first number of each key, in the key and in all references to it."""
    groups = tuple(
        replace(group, tables=tuple(_with_starts(table, starts) for table in group.tables))
        for group in plan.groups
    )
    return replace(plan, groups=groups)


def with_counted(
    table: TablePlan, left_with: Mapping[tuple[TableName, NewKey], tuple[Parent, ...]]
) -> TablePlan:
    """Returns a flow whose numbers count no row that is left out with its parent; ``left_with`` are these
    parents by old table and key.
    """
    columns = tuple(
        replace(one, expression=_changed(one.expression, lambda made: _counted(made, left_with)))
        for one in table.columns
    )
    return replace(table, columns=columns)


def _counted(made: Rekeyed, left_with: Mapping[tuple[TableName, NewKey], tuple[Parent, ...]]) -> Rekeyed:
    if made.numbering is None:
        return made
    parents = left_with.get((made.table, made.key), ())
    return replace(made, numbering=replace(made.numbering, left_with=parents))


def _with_starts(table: TablePlan, starts: Mapping[KeyOf, int]) -> TablePlan:
    return replace(table, columns=tuple(_with_start(mapping, starts) for mapping in table.columns))


def _with_start(mapping: ColumnMapping, starts: Mapping[KeyOf, int]) -> ColumnMapping:
    return replace(mapping, expression=_changed(mapping.expression, lambda made: _started(made, starts)))


def _changed(expression: Expression, change: Callable[[Rekeyed], Rekeyed]) -> Expression:
    """Returns an expression whose numbered key, if it has one, is changed."""
    match expression:
        case Rekeyed(numbering=Numbering()) as made:
            return change(made)
        case Followed(of=Rekeyed(numbering=Numbering()) as made) as followed:
            return replace(followed, of=change(made))
        case _:
            return expression


def _started(made: Rekeyed, starts: Mapping[KeyOf, int]) -> Rekeyed:
    return replace(made, start=starts.get(key_of(made), made.start))
