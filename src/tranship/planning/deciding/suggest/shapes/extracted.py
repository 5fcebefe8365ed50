"""Columns that become a row of another table to which the rows refer: the address of a customer becomes a row
of ``addresses``, and the customer gets its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.guesses import reference
from tranship.planning.deciding.suggest.shapes.whole import (
    KEY_WORDS,
    Entry,
    PairOfTables,
    Shape,
    Whole,
    computed,
    copied,
    keys_to,
    needed,
    single_key,
)
from tranship.planning.matching.scope import quoted
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems

_FEW = 2
"""One column that becomes a row of another table is a name that is looked up there, not a part of it."""


class _Part(Struct, frozen=True):
    """The old columns that one reference of a new table stands for."""

    one: PairOfTables
    key: ForeignKey
    taken: Mapping[str, Column]
    """By column of the other new table the old column that fills it."""

    @property
    def is_there(self) -> str | None:
        """The condition that an old row has the part; None: every row has it."""
        columns = list(self.taken.values())
        if any(column.refuses_null for column in columns):
            return None
        return " OR ".join(f"{reference(column)} IS NOT NULL" for column in columns)


def extracted(whole: Whole) -> Iterator[Shape]:
    """Yields new tables to which rows refer that had their columns. Equal parts are one row where the table
    has a unique key for that, and a row each where it has none.
    """
    for table in whole.unfilled:
        parts = [part for one in whole.pairs for part in _parts(one, table)]
        unique = _unique(table, parts)
        if unique and len(parts) == 1:
            yield _merged(parts[0], table, unique)
        elif not unique and _numbered_alike(table, parts):
            for one in whole.pairs:
                own = [(n, part) for n, part in enumerate(parts) if part.one is one]
                if own:
                    yield _apart(own, table, len(parts))


def _parts(one: PairOfTables, table: Table) -> list[_Part]:
    """Returns what the references of a new table stand for, each with columns that vanished."""
    come, key = {column.name for column in one.come}, single_key(table)
    keys = [
        found
        for found in keys_to(one.after, table.name)
        if found.columns[0] in come and found.target_columns == (key,)
    ]
    parts = (_Part(one, found, _taken(one, table, found, keys)) for found in keys)
    return [part for part in parts if len(part.taken) >= _FEW and _is_fed(table, part)]


def _taken(
    one: PairOfTables, table: Table, key: ForeignKey, keys: Sequence[ForeignKey]
) -> Mapping[str, Column]:
    """Returns by column of the table the old column of its name, which may say to which reference it belongs
    (``shipping_street`` beside ``shipping_address_id``), and has to where there are several.
    """
    others = {word for other in keys if other is not key for word in stems(other.columns[0])}
    own = frozenset(stems(key.columns[0])) - KEY_WORDS
    # Of one reference every column of the name is meant, of several those that say of which.
    gone = [c for c in one.gone if len(keys) == 1 or (own - others) & set(stems(c.name))]
    spoken = own | set(stems(table.name.name))
    found = {
        column.name: _called(column, gone, spoken)
        for column in table.columns
        if column.name not in key.target_columns
    }
    return {name: columns[0] for name, columns in found.items() if len(columns) == 1}


def _called(column: Column, gone: Sequence[Column], spoken: AbstractSet[str]) -> list[Column]:
    """Returns the old columns of a new column's name and kind, whatever words of the table stand beside."""
    words = frozenset(stems(column.name)) - spoken
    alike = [c for c in gone if words and frozenset(stems(c.name)) - spoken == words]
    return [c for c in alike if family(c.type) == family(column.type)]


def _is_fed(table: Table, part: _Part) -> bool:
    """Returns whether a row of the table needs nothing beside its key and what the old columns give."""
    return {column.name for column in needed(table)} <= {*part.taken, *part.key.target_columns}


def _unique(table: Table, parts: Sequence[_Part]) -> tuple[str, ...]:
    """Returns a unique key of the table that old columns fill; empty: there is none."""
    own = [key.columns for key in table.keys if key is not table.primary_key]
    given = set[str]().union(*(part.taken for part in parts))
    return next((columns for columns in own if given.issuperset(columns)), ())


def _numbered_alike(table: Table, parts: Sequence[_Part]) -> bool:
    """Returns whether the keys of old rows tell the new rows apart."""
    key = table.column(single_key(table) or "")
    primary = [part.one.before.column(single_key(part.one.before) or "") for part in parts]
    families = {family(column.type) for column in primary if column is not None}
    if key is None or None in primary or families != {family(key.type)}:
        return False
    return len(parts) == 1 or families == {"integer"}


def _apart(own: Sequence[tuple[int, _Part]], table: Table, slots: int) -> Shape:
    """Returns the suggestion that each part of an old row is a row of its own."""
    one, key = own[0][1].one, single_key(table) or ""
    number = f"old.{quoted(single_key(one.before) or '')}"
    numbers = [number if slots == 1 else f"{number} * {slots}" + (f" + {n}" if n else "") for n, _ in own]
    entries = (
        _flow_of_one(own[0][1], key, numbers[0]) if len(own) == 1 else _flow_of_several(own, key, numbers)
    )
    led = [
        computed(part.key.columns[0], _where_there(part, given))
        for (_, part), given in zip(own, numbers, strict=True)
    ]
    told: list[Fact] = [
        f"each row makes one of its own, whose key is {', '.join(numbers)}: equal ones stay apart"
    ]
    return _shape([part for _, part in own], table, (entries, led), told)


def _where_there(part: _Part, value: str) -> str:
    return f"CASE WHEN {part.is_there} THEN {value} END" if part.is_there is not None else value


def _flow_of_one(part: _Part, key: str, number: str) -> list[Entry]:
    filtered = [{"action": "filter", "where": part.is_there}] if part.is_there is not None else []
    return [*filtered, computed(key, number), *_copied(part)]


def _copied(part: _Part) -> list[Entry]:
    return [copied(old.name, new) for new, old in part.taken.items()]


def _flow_of_several(own: Sequence[tuple[int, _Part]], key: str, numbers: Sequence[str]) -> list[Entry]:
    """Returns the entries of a flow whose items are the parts of a row."""
    columns = list(dict.fromkeys(name for _, part in own for name in part.taken))
    rows = [
        ", ".join([given, *(reference(part.taken[c]) if c in part.taken else "NULL" for c in columns)])
        for (_, part), given in zip(own, numbers, strict=True)
    ]
    named = ", ".join(map(quoted, ("key", *(f"part_{c}" for c in columns))))
    given = f"(VALUES {', '.join(f'({row})' for row in rows)}) AS item({named})"
    where = " OR ".join(f"item.{quoted(f'part_{c}')} IS NOT NULL" for c in columns)
    return [
        {"action": "rows", "from": given, "where": where},
        computed(key, "item.key"),
        *(computed(column, f"item.{quoted(f'part_{column}')}") for column in columns),
    ]


def _merged(part: _Part, table: Table, unique: Sequence[str]) -> Shape:
    """Returns the suggestion that rows with equal names have one row of the table, found by that name."""
    key = table.column(single_key(table) or "")
    names = [reference(part.taken[column]) for column in unique]
    entries: list[Entry] = [
        {"action": "filter", "where": " AND ".join(f"{name} IS NOT NULL" for name in names)},
        {"action": "merge", "key": names},
    ]
    if key is not None:
        entries.append({"action": "new_key", "column": key.name, "as": _new_key(key)})
    entries += _copied(part)
    by = {"key_column": unique[0]} if len(unique) == 1 else {"key_columns": list(unique)}
    lookup = {"table": str(table.name), **by, "value_column": part.key.target_columns[0]}
    sought = names[0] if len(names) == 1 else names
    led: Entry = {
        "action": "transform",
        "new_column": part.key.columns[0],
        "key_sql": sought,
        "lookup_table": lookup,
    }
    told: list[Fact] = [
        f"'{', '.join(unique)}' is unique there: rows that have it in common have one row, found by it",
        "which of them gives the other columns, 'keep' decides: without it the first by OLD's key",
    ]
    return _shape([part], table, (entries, [led]), told)


def _new_key(key: Column) -> str:
    return "number" if family(key.type) == "integer" else "uuid"


def _shape(
    parts: Sequence[_Part], table: Table, given: tuple[Sequence[Entry], Sequence[Entry]], told: Sequence[Fact]
) -> Shape:
    one, names = parts[0].one, [column.name for part in parts for column in part.taken.values()]
    keys = " and ".join(repr(part.key.columns[0]) for part in parts)
    entries, led = given
    evidence = (
        f"NEW's {one.pair.new} refers to {table.name}, which nothing fills, by {keys}",
        f"columns of its names vanish: {', '.join(map(repr, names))}",
        *told,
    )
    question = f"Do columns of '{one.pair.old.name}' become rows of '{table.name.name}' to which it refers?"
    return Shape(question, evidence, {**one.into(table, entries), **one.own(led)}, one.pair.old, tuple(names))
