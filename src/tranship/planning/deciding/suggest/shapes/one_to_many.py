"""One old row that becomes several: a second table for some columns, a list, a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.types import TypeKind
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.flows import separator_of
from tranship.planning.deciding.suggest.guesses import BLANKS_AROUND, reference, text_literal
from tranship.planning.deciding.suggest.joins import DULL
from tranship.planning.deciding.suggest.shapes.chief import about_chief, chief_of
from tranship.planning.deciding.suggest.shapes.kinds import kind_of
from tranship.planning.deciding.suggest.shapes.whole import (
    Entry,
    PairOfTables,
    Shape,
    Whole,
    computed,
    copied,
    keys_to,
    single_key,
    suggested_sql,
    written,
)
from tranship.planning.matching.scope import quoted
from tranship.planning.names.families import family
from tranship.planning.names.tokens import squashed, stems

_PLACE = frozenset(stems("position pos ordinal ord index idx sort sequence seq rank no number line"))
"""Words by which a column is called that counts the items of one row."""
_DISTANCE = frozenset(stems("depth distance dist level generation length hops"))
_READ_AS_TEXT = frozenset({"text", "integer"})
"""Families that a text may be read as."""
_HALF = 0.5
_UPPER = frozenset(stems("ancestor parent upper above super"))


def split_tables(whole: Whole) -> Iterator[Shape]:
    """Yields new tables that have the names of columns which vanished from one old table."""
    for one in whole.pairs:
        for table in whole.unfilled:
            taken = _of_their_names(one.gone, table)
            key = reference_to(table, one)
            chief = chief_of(one, table, taken)
            if chief is not None:
                taken = {**taken, chief[0].name: chief[1].name}
            if taken and _is_split(whole, one, table, (taken, key)):
                chosen, why = _rows_taken(one, taken, kind_of(whole, one, table))
                if chief is not None:
                    why = (*about_chief(whole, one, chief), *(why if chosen else ()))
                by_name = [old for old in taken if chief is None or old != chief[0].name]
                yield _split(one, table, (taken, key), (chosen, why), by_name)


def _is_split(
    whole: Whole, one: PairOfTables, table: Table, found: tuple[Mapping[str, str], ForeignKey | None]
) -> bool:
    """Returns whether the columns that a new table takes say that it was split off.

    A name says so that no third table has (``created_at`` came back in every new table), unless it only says
    which row of another table is meant; one such name alone may be chance. Where the table does not refer to
    the other one's key, what its rows need has to come from there, too.
    """
    taken, key = found
    telling = _telling(whole, one, table, taken)
    fed = _fed(one, table, found)
    if telling and (key is not None or _has_its_key(one.before, table)):
        return True
    return fed > _HALF if key is not None else bool(telling) and fed >= (_HALF if len(telling) > 1 else 1)


def _telling(whole: Whole, one: PairOfTables, table: Table, taken: Mapping[str, str]) -> list[str]:
    """Returns the old columns whose names no third table has, and that do not refer to another table."""
    referring = {column for foreign in table.foreign_keys for column in foreign.columns}
    own = {old for old, new in taken.items() if new not in referring} - DULL
    return [name for name in own if not whole.is_common(name, one.after.name)]


def _has_its_key(before: Table, table: Table) -> bool:
    """Returns whether a new table's key is one of an old table, under a name that says of what."""
    own = table.primary_key.columns if table.primary_key is not None else ()
    return not set(own) <= DULL and any(key.columns == own for key in before.keys)


def _fed(one: PairOfTables, table: Table, found: tuple[Mapping[str, str], ForeignKey | None]) -> float:
    """Returns the share of what the rows of a new table need, beside their key, that an old one has.

    A table that does not refer to the other one is fed by columns of its own names alone.
    """
    taken, key = found
    needs = _needs(table)
    held = {squashed(column.name) for column in one.before.columns}
    given = {*taken.values(), *key.columns} if key is not None else set[str]()
    fed = [column for column in needs if squashed(column.name) in held or column.name in given]
    return len(fed) / len(needs) if needs else 1.0


def _needs(table: Table) -> list[Column]:
    """Returns the columns beside the key that a row of a new table needs; all of them where it needs none. A
    key of several columns needs each of them: it says what the row joins.
    """
    keys = (single_key(table),)
    free = [column for column in table.columns if column.name not in keys and not column.filled_by_server]
    return [column for column in free if column.refuses_null] or free


def _of_their_names(gone: Sequence[Column], table: Table) -> Mapping[str, str]:
    """Returns the old columns of which a table has the name, each with the column that is called so: but for
    case and separators where none is called exactly so, and else but for the words of the table's own name
    (``address_street``, ``addresses.street``).
    """
    alike = {squashed(column.name): column.name for column in gone}
    exact = {column.name: column.name for column in gone}
    within = _but_for(table.name.name, gone)
    named = (
        (c.name, exact.get(c.name) or alike.get(squashed(c.name)) or within.get(stems(c.name)))
        for c in table.columns
    )
    return {old: new for new, old in named if old is not None}


def _but_for(table: str, gone: Sequence[Column]) -> Mapping[tuple[str, ...], str]:
    """Returns the old columns whose names hold words of a table's name, by the rest of their words."""
    own = set(stems(table))
    rests = [(tuple(w for w in stems(c.name) if w not in own), c.name) for c in gone]
    shorter = [(rest, name) for rest, name in rests if rest and len(rest) < len(stems(name))]
    counted = Counter(rest for rest, _ in shorter)
    return {rest: name for rest, name in shorter if counted[rest] == 1}


def reference_to(table: Table, one: PairOfTables) -> ForeignKey | None:
    """Returns the one foreign key that leads from a new table to the key of the other one.

    Where none is declared, a column that is called after the other table is one (``user_id``, ``users``).
    """
    primary = single_key(one.after)
    if primary is None:
        return None
    keys = [key for key in keys_to(table, one.pair.new) if key.target_columns == (primary,)]
    keys = keys or _called_after(table, one.after, primary)
    return keys[0] if len(keys) == 1 else None


def _called_after(table: Table, target: Table, primary: str) -> list[ForeignKey]:
    """Returns undeclared references to a table's key: its name and that of the key, and no key of another."""
    key, declared = target.column(primary), {name for one in table.foreign_keys for name in one.columns}
    called = {frozenset(stems(f"{target.name.name} {primary}")), frozenset(stems(f"{target.name.name} id"))}
    return [
        ForeignKey("", (column.name,), target.name, (primary,))
        for column in table.columns
        if key is not None and family(column.type) == family(key.type)
        if frozenset(stems(column.name)) in called and column.name not in declared
    ]


def _split(
    one: PairOfTables,
    table: Table,
    found: tuple[Mapping[str, str], ForeignKey | None],
    rows: tuple[Sequence[Entry], Sequence[Fact]],
    by_name: Sequence[str],
) -> Shape:
    """Returns the suggestion, with the entry that takes some ``rows`` and what is said of them; ``by_name``
    are the old columns of which the table has the name.
    """
    (taken, key), (chosen, why) = found, rows
    # Columns of the same name need no entry.
    entries: list[Entry] = [copied(old, new) for old, new in taken.items() if old != new]
    primary = single_key(one.before)
    if key is not None and primary is not None and not _is_filled(one, key.columns[0], taken):
        entries.append(copied(primary, key.columns[0]))
    # Without any entry there would be nothing that a person can accept.
    entries = entries or [copied(old, new) for old, new in taken.items()]
    names = ", ".join(map(repr, by_name))
    evidence: list[Fact] = [f"NEW's {table.name}, which nothing fills, has columns of their names: {names}"]
    if key is not None:
        refers = "refers to" if key.name else "is called after"
        evidence.append(f"its '{key.columns[0]}' {refers} NEW's {one.pair.new}")
    evidence += _own_number(one, table, entries)
    question = f"Do columns of '{one.pair.old.name}' fill '{table.name.name}'?"
    entries = [*chosen, *entries]
    return Shape(question, (*evidence, *why), one.into(table, entries), one.pair.old, tuple(taken))


def _is_filled(one: PairOfTables, column: str, taken: Mapping[str, str]) -> bool:
    """Returns whether an old column of its name fills a new one without a further entry."""
    return column in taken.values() or one.before.column(column) is not None


def _own_number(one: PairOfTables, table: Table, entries: Sequence[Entry]) -> Iterator[Fact]:
    """Yields that a new key which NEW could number gets the old number, because the names are equal."""
    key, filled = table.column(single_key(table) or ""), [entry.get("new_column") for entry in entries]
    if key is None or not key.filled_by_server or key.name in filled:
        return
    if one.before.column(key.name) is not None:
        by_new = '{"action": "default", "default_value": "USE_SCHEMA_DEFAULT"}'
        yield f"its own '{key.name}' gets OLD's '{key.name}', too: NEW numbers the rows with {by_new} for it"


def _rows_taken(
    one: PairOfTables, taken: Mapping[str, str], kind: tuple[str, Fact] | None
) -> tuple[list[Entry], tuple[Fact, ...]]:
    """Returns the filter where a column says which rows are meant, and the words about it."""
    if kind is not None:
        return [{"action": "filter", "where": kind[0]}], (kind[1],)
    columns = [column for column in one.before.columns if column.name in taken and not column.refuses_null]
    some = " OR ".join(f"{reference(column)} IS NOT NULL" for column in columns)
    return [], (f"every old row makes one{f'; a filter takes some: {some}' if some else ''}",)


def lists(whole: Whole) -> Iterator[Shape]:
    """Yields lists and arrays whose items a new child table takes."""
    for one in whole.pairs:
        for column in one.gone:
            for table in whole.unfilled:
                key = reference_to(table, one)
                shape = _list(whole, one, column, table, key) if key is not None else None
                if shape is not None:
                    yield shape


class _Items(Struct, frozen=True):
    """How the items of an old value are read."""

    given: str
    """What stands in FROM, without its alias."""
    how: str
    where: str
    families: frozenset[str]
    """The families of new columns that take an item."""


def _list(whole: Whole, one: PairOfTables, column: Column, table: Table, key: ForeignKey) -> Shape | None:
    places, taking = own_columns(table, key)
    primary, items = single_key(one.before), _items_of(whole, one, column)
    if len(taking) != 1 or items is None or primary is None or family(taking[0].type) not in items.families:
        return None
    ordered = " WITH ORDINALITY AS item(value, n)" if places else " AS item(value)"
    entries: list[Entry] = [
        {"action": "rows", "from": f"{items.given}{ordered}", "where": items.where},
        copied(primary, key.columns[0]),
    ]
    entries += [computed(place.name, "item_number") for place in places[:1]]
    entries.append(computed(taking[0].name, "item.value"))
    each = f"refers to {one.pair.new} and takes one '{taking[0].name}' for each"
    evidence = (items.how, f"NEW's {table.name}, which nothing fills, {each}")
    question = f"Does '{column.name}' of '{one.pair.old.name}' become rows of '{table.name.name}'?"
    return Shape(question, evidence, one.into(table, entries), one.pair.old, (column.name,))


def own_columns(table: Table, key: ForeignKey) -> tuple[list[Column], list[Column]]:
    """Returns the columns that count the items of one row, and the others that need a value."""
    own = [c for c in table.columns if c.name not in key.columns and not c.filled_by_server]
    places = [c for c in own if family(c.type) == "integer" and set(stems(c.name)) <= _PLACE]
    return places, [c for c in own if c not in places]


def _items_of(whole: Whole, one: PairOfTables, column: Column) -> _Items | None:
    value, leaf = reference(column), column.type.leaf
    if leaf.kind is TypeKind.ARRAY and leaf.element is not None:
        of = frozenset({family(leaf.element)})
        return _Items(f"unnest({value})", "its values are arrays", "item.value IS NOT NULL", of)
    facts = whole.evidence.of(one.before.name, column.name)
    values = [counted.value for counted in facts.values] if facts is not None else []
    if leaf.base in ("json", "jsonb"):
        return _json_items(leaf.base, value, values)
    return _cut_items(value, values, separator_of(facts)) if family(column.type) == "text" else None


def _json_items(base: str, value: str, values: Sequence[str]) -> _Items | None:
    given = f"{base}_array_elements_text({value})"
    found = _Items(given, "its values are JSON arrays", "item.value IS NOT NULL", _READ_AS_TEXT)
    return found if values and all(text.startswith("[") for text in values) else None


def _cut_items(value: str, values: Sequence[str], separator: str | None) -> _Items | None:
    if separator is None:
        return None
    pattern = text_literal(rf"\s*[{separator}]\s*")
    trimmed = f"regexp_replace({value}, {text_literal(BLANKS_AROUND)}, '', 'g')"
    given = f"regexp_split_to_table({trimmed}, {pattern})"
    parts = [part.strip() for text in values for part in text.split(separator)]
    numbers = all(part.isdigit() for part in parts if part)
    families = _READ_AS_TEXT if numbers else frozenset({"text"})
    how = f"its values are lists between {separator!r}; each item is trimmed, and blank ones are left out"
    return _Items(given, how, "item.value <> ''", families)


def trees(whole: Whole) -> Iterator[Shape]:
    """Yields closure tables, which hold every ancestor of every row."""
    for one in whole.pairs:
        primary = single_key(one.before)
        above = [key.columns[0] for key in keys_to(one.before, one.pair.old)]
        if primary is None or len(above) != 1:
            continue
        for table in whole.unfilled:
            ends = _ends(table, keys_to(table, one.pair.new))
            if ends is not None:
                yield _closure(one, (primary, above[0]), table, ends)


def _ends(table: Table, keys: Sequence[ForeignKey]) -> tuple[str, str, list[Column]] | None:
    """Returns which columns of a new table hold the ancestor, the descendant and their distance; None where
    it has others that need a value.
    """
    names = [column for key in keys for column in key.columns]
    upper = [name for name in names if set(stems(name)) & _UPPER]
    lower = [name for name in names if name not in upper]
    if (len(upper), len(lower)) != (1, 1):
        return None
    distances = _distances(table, names)
    return (upper[0], lower[0], distances) if distances is not None else None


def _distances(table: Table, ends: Sequence[str]) -> list[Column] | None:
    """Returns the columns of a closure table that hold a distance; None where others need a value, too."""
    rest = [c for c in table.columns if c.name not in ends]
    distances = [c for c in rest if set(stems(c.name)) & _DISTANCE]
    return distances if all(c in distances or _needs_nothing(c) for c in rest) else None


def _needs_nothing(column: Column) -> bool:
    return column.filled_by_server or not column.refuses_null


def _closure(
    one: PairOfTables, columns: tuple[str, str], table: Table, ends: tuple[str, str, list[Column]]
) -> Shape:
    primary, above = map(quoted, columns)
    upper, lower, distances = ends
    given = suggested_sql("ancestors", primary=primary, above=above, table=written(one.pair.old))
    entries: list[Entry] = [
        {"action": "rows", "from": given},
        copied(columns[0], lower),
        computed(upper, "item.id"),
        *(computed(column.name, "item.distance") for column in distances[:1]),
    ]
    evidence = (
        f"OLD's '{columns[1]}' refers to its own table",
        f"NEW's {table.name}, which nothing fills, refers to {one.pair.new} twice",
        "every row is its own ancestor at distance 0; a circle in OLD would not end",
    )
    question = f"Does the tree of '{one.pair.old.name}' fill '{table.name.name}'?"
    return Shape(question, evidence, one.into(table, entries), one.pair.old, (columns[1],))
