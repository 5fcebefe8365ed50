"""Hazards of NEW's indexes: keys and exclusions that rows may collide on, and expressions that may raise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tranship.model.builtin_types import Family
from tranship.model.catalog import Index, Key, Table
from tranship.model.expression import NewDefault, Rekeyed, Sql
from tranship.model.plan import Hazard, HazardKind, TablePlan
from tranship.model.shape import ITEM_NUMBERS
from tranship.planning.plan.unchanged import (
    all_unchanged,
    collation_of,
    equal_origin,
    led_columns,
    mapping_of,
    same_equality,
)
from tranship.planning.printed.may_raise import may_raise

# A call qualified with a schema other than pg_catalog: its body may differ between the two servers.
USER_FUNCTION = re.compile(r'[\w"]\.("[^"]+"|\w+)\(')


def index_hazards(plan: TablePlan, before: Table, after: Table, *, alone: bool) -> Iterator[Hazard]:
    """Yields the hazards of the new table's indexes in their order.

    ``alone`` says that no other flow fills the new table: only then a key of OLD says something about all
    rows. An invalid index refuses no row.
    """
    for index in after.indexes:
        if not index.valid:
            continue
        if index.unique or index.exclusion_operators:
            yield from _collisions(index, plan, before, after, alone)
        elif _is_new_and_may_raise(index, plan, before):
            yield Hazard(HazardKind.INDEX, constraint=index.name)


def _collisions(index: Index, plan: TablePlan, before: Table, after: Table, alone: bool) -> Iterator[Hazard]:
    plain = tuple(column for column in index.columns if column is not None)
    # NEW numbers one of the columns itself, so the rows of this run cannot collide.
    if any(_is_numbered(after, column, plan) for column in plain):
        return
    # An expression may read any column.
    columns = plain if None not in index.columns else tuple(mapping.column for mapping in plan.columns)
    name = index.constraint or index.name
    # Rows that NEW already holds are in no key of OLD: they are always asked about.
    yield Hazard(HazardKind.EXISTING, columns, name)
    held = _holds_exclusion if index.exclusion_operators else _holds_key
    if not alone or not held(index, plan, before, after):
        kind = HazardKind.EXCLUDE if index.exclusion_operators else HazardKind.UNIQUE
        yield Hazard(kind, columns, name)


def _is_new_and_may_raise(index: Index, plan: TablePlan, before: Table) -> bool:
    """Returns whether an expression of the index may raise for a row that did not pass through it in OLD.

    OLD's rows passed through the same expressions where it has the same index over columns that arrive
    unchanged, and where no function of a user, whose body may differ, takes part.
    """
    texts = _expressions(index)
    if not any(map(may_raise, texts)):
        return False
    definition = index.keys, index.predicate
    held = any(other.valid and (other.keys, other.predicate) == definition for other in before.indexes)
    foreign = any(USER_FUNCTION.search(text) for text in texts)
    # Found as a part of the text: a column too many costs one question, one too few would miss rows.
    read = [mapping.column for mapping in plan.columns if any(mapping.column in text for text in texts)]
    return not held or foreign or not all_unchanged(plan, read)


def _expressions(index: Index) -> list[str]:
    """Returns what NEW evaluates for each row: keys that are no plain columns, and the predicate."""
    texts = [key for key, column in zip(index.keys, index.columns, strict=False) if column is None]
    return texts if index.predicate is None else [*texts, index.predicate]


def _is_numbered(after: Table, column: str, plan: TablePlan) -> bool:
    mapping, declared = mapping_of(plan, column), after.column(column)
    by_sequence = declared is not None and declared.sequence is not None
    return by_sequence and mapping is not None and isinstance(mapping.expression, NewDefault)


def _holds_exclusion(index: Index, plan: TablePlan, before: Table, _after: Table) -> bool:
    """Returns whether OLD has the same exclusion over columns that arrive unchanged."""
    definition = index.exclusion_operators, index.keys, index.predicate
    held = any(
        (other.exclusion_operators, other.keys, other.predicate) == definition for other in before.indexes
    )
    # An exclusion of OLD says nothing about several rows that are made of one.
    return held and plan.shape.items is None and all_unchanged(plan, index.columns)


def _holds_key(index: Index, plan: TablePlan, before: Table, after: Table) -> bool:
    """Returns whether some key of OLD makes the rows distinct under NEW's index."""
    # A key of OLD says nothing about several rows that are made of one, but their numbers differ.
    numbered = any(_numbers_items(plan, column) for column in index.columns if column is not None)
    if plan.shape.items is not None and not numbered:
        return False
    return any(_implies(key, index, plan, before, after) for key in before.keys)


def _implies(key: Key, index: Index, plan: TablePlan, before: Table, after: Table) -> bool:
    """Returns whether OLD's key makes the rows distinct under NEW's index.

    That holds when all its columns arrive, equal as before, among those of the index.
    """
    if key.deferrable and not key.constraint:
        return False
    plain = [column for column in index.columns if column is not None]
    origins = {equal_origin(plan, before, after, column) for column in plain}
    origins |= {_rekeyed(plan, column) for column in plain}
    if not set(key.columns) <= origins or not _compares_as_columns(index, after):
        return False
    # OLD's key lets several NULLs stand, and NEW's index refuses the second: then no column may hold one.
    without_null = all(_refuses_null(before, name) for name in key.columns)
    return not index.nulls_not_distinct or key.nulls_not_distinct or without_null


def _numbers_items(plan: TablePlan, column: str) -> bool:
    """Returns whether a whole number column is filled with the number of the item within its old row."""
    mapping = mapping_of(plan, column)
    if mapping is None or mapping.type.leaf.family is not Family.INTEGER:
        return False
    return isinstance(mapping.expression, Sql) and mapping.expression.text.strip() in ITEM_NUMBERS


def _rekeyed(plan: TablePlan, column: str) -> str | None:
    """Returns the own old key whose new values, which differ where the old ones do, fill a column. A key that
    leads to a survivor is that of several rows.
    """
    mapping = mapping_of(plan, column)
    match mapping.expression if mapping is not None else None:
        case Rekeyed(column=name, key=key, table=plan.old) if name == key.column:
            return name if name not in led_columns(plan) else None
        case _:
            return None


def _refuses_null(table: Table, name: str) -> bool:
    column = table.column(name)
    return column is not None and column.refuses_null


def _compares_as_columns(index: Index, after: Table) -> bool:
    """Returns whether the index compares its columns under collations of the same equality as the columns
    have.
    """
    for name, collation in zip(index.columns, index.collations, strict=False):
        column = after.column(name) if name is not None else None
        if collation and (column is None or not same_equality(collation_of(column), collation)):
            return False
    return True
