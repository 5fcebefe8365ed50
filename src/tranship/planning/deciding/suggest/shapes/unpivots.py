"""Old columns that become rows of a new child table: a value of each, and a word for where it stood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.planning.deciding.suggest.guesses import reference, text_literal
from tranship.planning.deciding.suggest.shapes.one_to_many import own_columns, reference_to
from tranship.planning.deciding.suggest.shapes.whole import (
    Entry,
    PairOfTables,
    Shape,
    Whole,
    computed,
    copied,
    single_key,
)
from tranship.planning.names.families import family
from tranship.planning.names.tokens import numbers, squashed, stems, words
from tranship.planning.printed.allowed_values import allowed_values

_KIND = frozenset(stems("kind type label name category sort period month quarter year slot"))
"""Words by which a column is called that says which of several values it is."""
_FEW = 2
"""Columns of like names that are the same thing twice."""
_MANY = 3
"""Columns of one family, whatever they are called, where a table takes nothing but a word and a value."""


def unpivots(whole: Whole) -> Iterator[Shape]:
    """Yields new child tables that take one value, and may say which, for several columns that vanished."""
    for one in whole.pairs:
        for table in whole.unfilled:
            key = reference_to(table, one)
            primary = single_key(one.before)
            if key is None or primary is None:
                continue
            kind, value = _kind_and_value(table, key)
            columns = _alike(whole, one, table, (kind, value)) if value is not None else []
            if value is not None and columns:
                yield _unpivot(one, (table, key), (kind, value), columns)


def _kind_and_value(table: Table, key: ForeignKey) -> tuple[Column | None, Column | None]:
    """Returns the column that says which value it is, and the one that takes the value; None where the table
    has further ones that need something else.
    """
    places, others = own_columns(table, key)
    others = [*places, *others]
    if len(others) == 1:
        return None, others[0]
    called = [column for column in others if set(stems(column.name)) & _KIND or column in places]
    if len(others) != 2 or len(called) != 1 or family(called[0].type) not in ("text", "enum", "integer"):
        return None, None
    return called[0], next(column for column in others if column is not called[0])


def _alike(
    whole: Whole, one: PairOfTables, table: Table, takes: tuple[Column | None, Column]
) -> list[Column]:
    """Returns the old columns whose values the table may take: of one family, and called like it. One that
    has a column of its own name there is not one of several, and what names a row is none.
    """
    kind, value = takes
    own = {squashed(column.name) for column in table.columns if column is not value}
    naming = _naming_rows(whole, one.before, table, value)
    found = [
        column
        for column in one.gone
        if family(column.type) == family(value.type)
        and squashed(column.name) not in own
        and column.name not in naming
    ]
    spoken = set(stems(table.name.name)) | set(stems(value.name))
    called = [column for column in found if set(stems(column.name)) & spoken]
    if len(called) >= _FEW:
        return called
    return found if kind is not None and len(found) >= _MANY else []


def _naming_rows(whole: Whole, before: Table, table: Table, value: Column) -> set[str]:
    """Returns the old columns that name a row: the key, and references unless the table refers to these rows
    as well.
    """
    primary = before.primary_key.columns if before.primary_key is not None else ()
    targets = {key.target for key in references(table) if value.name in key.columns}
    others = [key for key in references(before) if _becomes(whole, key.target) not in targets]
    return {*primary, *(name for key in others for name in key.columns)}


def _becomes(whole: Whole, old: TableName) -> TableName | None:
    partner = whole.partner(old)
    return partner.pair.new if partner is not None else None


def _unpivot(
    one: PairOfTables,
    child: tuple[Table, ForeignKey],
    takes: tuple[Column | None, Column],
    columns: Sequence[Column],
) -> Shape:
    (table, key), (kind, value) = child, takes
    labels = _labels(table, kind, columns, set(stems(table.name.name)) | set(stems(value.name)))
    rows = [", ".join(filter(None, (label, reference(c)))) for label, c in zip(labels, columns, strict=True)]
    named = "item(kind, value)" if kind is not None else "item(value)"
    given = f"(VALUES {', '.join(f'({row})' for row in rows)}) AS {named}"
    entries: list[Entry] = [
        {"action": "rows", "from": given, "where": "item.value IS NOT NULL"},
        copied(single_key(one.before) or "", key.columns[0]),
    ]
    entries += [computed(kind.name, "item.kind")] if kind is not None else []
    entries.append(computed(value.name, "item.value"))
    names = tuple(column.name for column in columns)
    which = f"NEW's {table.name}, which nothing fills, refers to {one.pair.new} and takes one '{value.name}'"
    word = [f"'{kind.name}' says which column it was: check what it says"] if kind is not None else []
    question = f"Do columns of '{one.pair.old.name}' become rows of '{table.name.name}'?"
    evidence = (f"{which} for each", f"columns of its kind vanish: {', '.join(map(repr, names))}", *word)
    return Shape(question, evidence, one.into(table, entries), one.pair.old, names)


def _labels(table: Table, kind: Column | None, columns: Sequence[Column], spoken: set[str]) -> list[str]:
    """Returns SQL for what the column of the kind says of each old column; empty where there is none."""
    if kind is None:
        return [""] * len(columns)
    if family(kind.type) == "integer":
        given = [numbers(column.name) for column in columns]
        counted = [found[0] if len(found) == 1 else "" for found in given]
        return counted if all(counted) else [str(n) for n in range(1, len(columns) + 1)]
    allowed = {tuple(stems(label)): label for label in allowed_values(table, kind)}
    return [text_literal(_label(column.name, allowed, spoken)) for column in columns]


def _label(name: str, allowed: dict[tuple[str, ...], str], spoken: set[str]) -> str:
    rest = [word for word in words(name) if not set(stems(word)) & spoken] or list(words(name))
    return allowed.get(tuple(stems(" ".join(rest))), "_".join(rest))
