"""The one column of a table that was split off whose name is no old one: the street of an address that OLD
calls ``address``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from tranship.model.catalog import Column, Table
from tranship.planning.deciding.suggest.concepts import ADDRESS
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.guesses import reference
from tranship.planning.deciding.suggest.shapes.whole import PairOfTables, Whole, needed, rows
from tranship.planning.names.families import family
from tranship.planning.names.tokens import squashed, stems

_SEVERAL = 2
"""Columns of equal names that have to go to the table beside it."""
_STREETS = ADDRESS.whole | ADDRESS.parts["street"]


def chief_of(one: PairOfTables, table: Table, taken: Mapping[str, str]) -> tuple[Column, Column] | None:
    """Returns the old column that the only new one may take which needs a value and gets none by its name.

    It has the type, and is called like the table, or both are what a street is called. ``taken`` are the
    columns that go to the table by their names.
    """
    referring = {column for key in table.foreign_keys for column in key.columns}
    new = _lacking(one, table, {*taken.values(), *referring})
    if new is None or len(set(taken.values()) - referring) < _SEVERAL:
        return None
    free = [column for column in one.gone if column.name not in taken and _fits(column, new, table)]
    return (free[0], new) if len(free) == 1 else None


def _lacking(one: PairOfTables, table: Table, given: AbstractSet[str]) -> Column | None:
    """Returns the only column beside the key that needs a value and gets none by its name."""
    keys = table.primary_key.columns if table.primary_key is not None else ()
    held = {squashed(column.name) for column in one.before.columns}
    open_ = [c for c in needed(table) if c.name not in {*given, *keys} and squashed(c.name) not in held]
    return open_[0] if len(open_) == 1 else None


def _fits(old: Column, new: Column, table: Table) -> bool:
    words = stems(old.name)
    like_table = bool(words) and set(words) <= set(stems(table.name.name))
    streets = {squashed(old.name), squashed(new.name)} <= _STREETS
    return family(old.type) == family(new.type) and (like_table or streets)


def about_chief(whole: Whole, one: PairOfTables, chief: tuple[Column, Column]) -> Iterator[Fact]:
    """Yields that the two names differ, and what becomes of rows without a value."""
    old, new = chief
    yield f"'{new.name}' needs a value, and only '{old.name}' may be it: check that the two are the same"
    facts = whole.evidence.of(one.before.name, old.name)
    if old.refuses_null or (facts is not None and not facts.nulls and not facts.sampled):
        return
    of = " (a sample)" if facts is not None and facts.sampled else ""
    without = f"{rows(facts.nulls)}{of}" if facts is not None else "rows"
    yield f"{without} without it would be rejected: a filter takes the others: {reference(old)} IS NOT NULL"
