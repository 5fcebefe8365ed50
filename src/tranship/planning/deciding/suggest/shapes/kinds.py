"""Words in an old column that say of which table a row is, or to which table it refers: ``type`` beside the
columns of all kinds of vehicles, ``subject_type`` beside ``subject_id``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.change import TablePair
from tranship.model.names import TableName
from tranship.model.shape import KeyKind, NewKey
from tranship.model.types import TypeKind
from tranship.planning.deciding.suggest.facts import Fact, quoting
from tranship.planning.deciding.suggest.guesses import reference, text_literal
from tranship.planning.deciding.suggest.shapes.whole import (
    Entry,
    PairOfTables,
    Shape,
    Whole,
    computed,
    rows,
)
from tranship.planning.matching.scope import quoted
from tranship.planning.names.any_table import kind_beside
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems

_BEFORE_THE_NAME: Final = re.compile(r".*[\\./:]")
"""What a class may be called by before its own name: ``App\\Models\\Post``, ``Blog::Post``, ``blog.post``."""


def references_of_any_table(whole: Whole) -> Iterator[Shape]:
    """Yields references beside a kind, for each kind of which NEW has a column that refers to its table."""
    for one in whole.pairs:
        for column in one.gone:
            kind = one.before.column(kind_beside(one.before, column.name) or "")
            values = _listed(whole, one.before, kind) if kind is not None else []
            if kind is not None and values:
                yield from _of_any_table(whole, one, (column, kind), values)


def _of_any_table(
    whole: Whole, one: PairOfTables, columns: tuple[Column, Column], values: Sequence[str]
) -> Iterator[Shape]:
    column, kind = columns
    come = {found.name for found in one.come}
    entries: list[Entry] = []
    told, taken = list[str](), set[str]()
    for key in one.after.foreign_keys:
        named = _called(values, _names_of(whole, key.target))
        ids, unknown = _ids_of_kinds(whole, key, column, named)
        if len(key.columns) == 1 and key.columns[0] in come and ids and not taken.intersection(named):
            taken.update(named)
            entries.append(computed(key.columns[0], _by_kind(kind, ids)))
            told += _told_of(key, ids, unknown)
    if entries:
        others = [value for value in values if value not in taken]
        lost: list[Fact] = [quoting("kinds that would be left behind", others, shown=20)] if others else []
        evidence = (f"'{kind.name}' says to which table '{column.name}' leads", *told, *lost)
        led = f"lead to the table that '{kind.name}' names"
        question = f"Does '{column.name}' of '{one.pair.old.name}' {led}?"
        yield Shape(question, evidence, one.own(entries), one.pair.old, (column.name, kind.name))


def _by_kind(kind: Column, ids: Mapping[str, Sequence[str]]) -> str:
    cases = (f"WHEN {_is_one_of(kind, kinds)} THEN {sql}" for sql, kinds in ids.items())
    return f"CASE {' '.join(cases)} END"


def _told_of(key: ForeignKey, ids: Mapping[str, Sequence[str]], unknown: Sequence[str]) -> Iterator[str]:
    """Yields which kinds a reference takes, and which it leaves out."""
    led = ", ".join(repr(value) for kinds in ids.values() for value in kinds)
    yield f"{led} leads to {key.target} ({key.columns[0]})"
    yield from (f"{value!r} is left out: its rows get ids that no expression knows" for value in unknown)


def _ids_of_kinds(
    whole: Whole, key: ForeignKey, column: Column, named: Sequence[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """Returns by the expression for the ids of a new table the kinds whose rows have these, and the kinds
    whose rows get ids that no expression gives.
    """
    by_id: dict[str, list[str]] = {}
    unknown: list[str] = []
    for value in named:
        made = [_new_key(whole, pair, key) for pair in _pairs_called(whole, key.target, value)]
        ids = {_new_id(column, one) for one in made or [None]}
        if len(ids) == 1 and (sql := ids.pop()) is not None:
            by_id.setdefault(sql, []).append(value)
        else:
            unknown.append(value)
    return by_id, unknown


def _pairs_called(whole: Whole, target: TableName, value: str) -> list[TablePair]:
    """Returns the flows into a new table that a kind means: of the old tables of its name, and else all of
    them.
    """
    above = [one.pair for one in whole.pairs if one.pair.new == target]
    return [pair for pair in above if _called([value], [pair.old.name])] or above


def _new_key(whole: Whole, pair: TablePair, key: ForeignKey) -> NewKey | None:
    """Returns how a flow makes the ids to which a foreign key of NEW leads; None: they are OLD's."""
    feeding = {columns.old for columns in pair.columns if columns.new == key.target_columns[0]}
    made = [one for one in whole.new_keys.get(pair.old, ()) if not feeding or one.column in feeding]
    return made[0] if made else None


def _new_id(column: Column, made: NewKey | None) -> str | None:
    """Returns the expression for the new id of a row whose old id a column holds; None: there is none."""
    value = reference(column)
    if made is None:
        return value
    if made.kind is not KeyKind.OFFSET:
        return None
    number = f"CAST({value} AS bigint)" if family(column.type) == "text" else value
    return f"{number} + {made.offset}"


def rows_of_one_kind(whole: Whole) -> Iterator[Shape]:
    """Yields the filter that takes the rows of one kind, for a table that is called like it alone."""
    for one in whole.pairs:
        found = kind_of(whole, one, one.after) if one.pair.old.name != one.pair.new.name else None
        if found is not None:
            where, why = found
            entries: tuple[Entry, ...] = ({"action": "filter", "where": where},)
            question = f"Do only rows of that kind of '{one.pair.old.name}' go into '{one.pair.new.name}'?"
            evidence = (why, "a row that refers to one that is left out is rejected")
            yield Shape(question, evidence, one.own(entries), one.pair.old)


def kind_of(whole: Whole, one: PairOfTables, table: Table) -> tuple[str, Fact] | None:
    """Returns which old rows are those of a new table, as a condition and why; None where no column says so.

    One that NEW keeps says nothing: the rows of all kinds lie together there, too.
    """
    for column in one.gone:
        facts = whole.evidence.of(one.before.name, column.name)
        values = _listed(whole, one.before, column)
        named = _called(values, [table.name.name])
        if facts is not None and len(values) > len(named) > 0:
            own = sum(counted.rows for counted in facts.values if counted.value in named)
            why = f"'{column.name}' calls {rows(own)} of {facts.rows} {', '.join(map(repr, named))}"
            return _is_one_of(column, named), why
    return None


def _listed(whole: Whole, table: Table, column: Column) -> list[str]:
    """Returns the values of a column of words, where all of them are known."""
    facts = whole.evidence.of(table.name, column.name)
    words = family(column.type) == "text" or column.type.leaf.kind is TypeKind.ENUM
    return [counted.value for counted in facts.values] if facts is not None and words else []


def _names_of(whole: Whole, target: TableName) -> list[str]:
    """Returns what the rows of a new table may be called by: its name, and those of the old tables in it."""
    return [target.name, *(one.pair.old.name for one in whole.pairs if one.pair.new == target)]


def _called(values: Sequence[str], names: Sequence[str]) -> list[str]:
    """Returns the values that are one of these names of tables, in the singular or plural."""
    called = {stems(name) for name in names} - {()}
    return [value for value in values if stems(_BEFORE_THE_NAME.sub("", value)) in called]


def _is_one_of(kind: Column, named: Sequence[str]) -> str:
    first, *others = map(text_literal, named)
    given = f"IN ({', '.join([first, *others])})" if others else f"= {first}"
    return f"old.{quoted(kind.name)} {given}"
