"""Tables with at most one row for each row of another table, whose columns NEW has in that other table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.shapes.whole import (
    Entry,
    PairOfTables,
    Shape,
    Whole,
    computed,
    keys_to,
    single_key,
    suggested_sql,
    without_parent,
    written,
)
from tranship.planning.matching.scope import quoted
from tranship.planning.names.families import family

_PLAIN_DEFAULT: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?|true|false")


def folded_tables(whole: Whole) -> Iterator[Shape]:
    """Yields old tables whose columns may become columns of the table to whose rows they belong."""
    for table in whole.only_old:
        for one in whole.pairs:
            keys = [key for key in keys_to(table, one.pair.old) if _is_one_each(table, key, one)]
            shared = _shared(table, one, keys[0]) if len(keys) == 1 and not one.pair.name else []
            if any(not whole.is_common(column.name, one.after.name) for column in shared):
                yield _folded(whole, table, one, keys[0], shared)


def _is_one_each(table: Table, key: ForeignKey, one: PairOfTables) -> bool:
    """Returns whether a foreign key leads to the primary key and holds each value once."""
    unique = any(own.columns == key.columns for own in table.keys)
    return unique and key.target_columns == (single_key(one.before),)


def _shared(table: Table, one: PairOfTables, key: ForeignKey) -> list[Column]:
    """Returns the new columns that nothing fills and that the old table has, in the same family."""
    own = {c.name: family(c.type) for c in table.columns if c.name not in key.columns}
    return [column for column in one.come if own.get(column.name) == family(column.type)]


def _folded(
    whole: Whole, table: Table, one: PairOfTables, key: ForeignKey, shared: Sequence[Column]
) -> Shape:
    where = f"c.{quoted(key.columns[0])} = old.{quoted(key.target_columns[0])}"
    entries = [_entry(table, column, where) for column in shared]
    names = ", ".join(repr(column.name) for column in shared)
    taken = {column.name for column in shared} | set(key.columns)
    rest = [column.name for column in table.columns if column.name not in taken]
    left = (f"its other columns go nowhere: {', '.join(map(repr, rest))}",) if rest else ()
    evidence = (
        *without_parent(whole, table, key.columns[0]),
        f"OLD's {table.name} has one row at most for each of {one.pair.old}: '{key.columns[0]}' is unique",
        f"NEW's {one.pair.new} has columns of its names, which nothing fills: {names}",
        *left,
    )
    question = f"Do columns of '{table_key(table.name, whole.old)}' become columns of '{one.pair.new.name}'?"
    return Shape(question, evidence, one.own(entries), table.name)


def _entry(table: Table, column: Column, where: str) -> Entry:
    """Returns the expression for one column; NEW's default stands where OLD has no row."""
    value = suggested_sql("row_beside", value=quoted(column.name), table=written(table.name), where=where)
    default = column.default or ""
    if column.refuses_null and _PLAIN_DEFAULT.fullmatch(default):
        value = f"coalesce({value}, {default})"
    return computed(column.name, value)
