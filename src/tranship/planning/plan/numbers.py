"""The first numbers of keys that are numbered anew, which only a run knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from tranship.model.expression import Followed, Rekeyed
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Plan, TablePlan
from tranship.model.shape import Numbering

KeyOf = tuple[TableName, str]
"""An old table and its key column."""


def numbered(plan: Plan) -> Iterator[tuple[TablePlan, str, Rekeyed]]:
    """Yields the columns of NEW that hold a numbered key itself, with what fills them."""
    for table in plan.tables:
        for mapping in table.columns:
            match mapping.expression:
                case Rekeyed(numbering=Numbering()) as made if (table.old, made.column) == key_of(made):
                    yield table, mapping.column, made
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


def _with_starts(table: TablePlan, starts: Mapping[KeyOf, int]) -> TablePlan:
    return replace(table, columns=tuple(_with_start(mapping, starts) for mapping in table.columns))


def _with_start(mapping: ColumnMapping, starts: Mapping[KeyOf, int]) -> ColumnMapping:
    match mapping.expression:
        case Rekeyed(numbering=Numbering()) as made:
            return replace(mapping, expression=_started(made, starts))
        case Followed(of=Rekeyed(numbering=Numbering()) as made) as followed:
            return replace(mapping, expression=replace(followed, of=_started(made, starts)))
        case _:
            return mapping


def _started(made: Rekeyed, starts: Mapping[KeyOf, int]) -> Rekeyed:
    return replace(made, start=starts.get(key_of(made), made.start))
