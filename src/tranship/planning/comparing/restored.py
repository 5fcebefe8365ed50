"""NEW's catalog as it will be once everything is restored that a run has switched off.

While a run is interrupted, triggers are disabled and foreign keys and indexes are gone that the run's next
process brings back. Whoever reads the catalog meanwhile has to see them, or would judge another schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, assert_never

from msgspec.structs import replace

from tranship.model.catalog import Catalog, Check, ForeignKey, Index, Rule, Table, Trigger
from tranship.model.catalog_codes import TriggerState
from tranship.model.names import TableName
from tranship.model.undo import (
    CheckDropped,
    CommentDropped,
    IndexDropped,
    KeyDropped,
    KeyUnvalidated,
    RuleDisabled,
    SwitchedOff,
    TriggerDisabled,
    Unreadable,
)
from tranship.planning.comparing.fingerprint import fingerprinted

Acting = TypeVar("Acting", Trigger, Rule)
Named = TypeVar("Named", bound=ForeignKey | Index | Check)
_EQUALS = "OPERATOR(pg_catalog.=)"
_DEFAULT_COLLATION = 'pg_catalog."default"'


def as_restored(catalog: Catalog, off: Sequence[SwitchedOff]) -> Catalog:
    """Returns the catalog with what is switched off, which is given latest first, as it was before."""
    if not off:
        return catalog
    tables = {table.name: table for table in catalog.tables}
    for one in off:
        place = _place(one)
        if place is not None and place in tables:
            tables[place] = _restored(tables[place], one, catalog)
    return fingerprinted(replace(catalog, tables=tuple(tables.values())))


def _place(off: SwitchedOff) -> TableName | None:
    match off:
        case TriggerDisabled(relation=name) | RuleDisabled(relation=name):
            return name
        case KeyDropped(table=name) | KeyUnvalidated(table=name) | CommentDropped(table=name):
            return name
        case IndexDropped(table=name) | CheckDropped(table=name):
            return name
        case Unreadable():
            return None
        case _:
            assert_never(off)


def _restored(table: Table, off: SwitchedOff, catalog: Catalog) -> Table:
    match off:
        case TriggerDisabled():
            return replace(table, triggers=tuple(_enabled(t, off.trigger, off.state) for t in table.triggers))
        case RuleDisabled():
            return replace(table, rules=tuple(_enabled(r, off.rule, off.state) for r in table.rules))
        case KeyDropped(key=key):
            back = _comparing(key, table, catalog.table(key.target))
            return replace(table, foreign_keys=_with(table.foreign_keys, back))
        case KeyUnvalidated(key=name):
            return replace(table, foreign_keys=_validated(table.foreign_keys, name))
        case CheckDropped():
            return replace(table, checks=_with(table.checks, off.check))
        case IndexDropped(index=index):
            return replace(table, indexes=_with(table.indexes, index))
        case CommentDropped() | Unreadable():
            return table
        case _:
            assert_never(off)


def _validated(keys: tuple[ForeignKey, ...], name: str) -> tuple[ForeignKey, ...]:
    return tuple(replace(key, validated=True) if key.name == name else key for key in keys)


def _enabled(one: Acting, name: str, state: str) -> Acting:
    return replace(one, enabled=TriggerState(state)) if one.name == name else one


def _with(there: tuple[Named, ...], back: Named) -> tuple[Named, ...]:
    others = [one for one in there if one.name != back.name]
    return tuple(sorted([*others, back], key=lambda one: one.name))


def _comparing(key: ForeignKey, child: Table, parent: Table | None) -> ForeignKey:
    """Returns a key with the operators and collations that the server will give it: those of the parent's
    columns.
    """
    ends = [
        (child.column(name), parent.column(target) if parent is not None else None)
        for name, target in zip(key.columns, key.target_columns, strict=True)
    ]
    operators = tuple((above.type.leaf.equality if above else None) or _EQUALS for _, above in ends)
    collations = tuple(
        (above.collation or _DEFAULT_COLLATION)
        if above and below and above.collation != below.collation
        else None
        for below, above in ends
    )
    return replace(key, operators=operators, collations=collations)
