"""JSON that becomes rows of another table: an object one row, an array of objects a row for each item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.count import count_of
from tranship.model.shape_evidence import JsonKey, JsonKeys
from tranship.planning.deciding.suggest.facts import Fact, quoting
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
from tranship.planning.deciding.suggest.shapes.within import json_value, key_words, keys_called, value_of_keys


def json_tables(whole: Whole) -> Iterator[Shape]:
    """Yields JSON columns without a place whose keys are the columns of a new child table."""
    for one in whole.pairs:
        for facts in whole.evidence.shapes.json_keys:
            column = next((c for c in one.gone if c.name == facts.column.column), None)
            if facts.column.table != one.before.name or column is None:
                continue
            for table in whole.unfilled:
                key = reference_to(table, one)
                shape = _rows_of(one, (column, facts), table, key) if key is not None else None
                if shape is not None:
                    yield shape


def _rows_of(
    one: PairOfTables, source: tuple[Column, JsonKeys], table: Table, key: ForeignKey
) -> Shape | None:
    column, facts = source
    places, own = own_columns(table, key)
    named, primary = keys_called(own, facts), single_key(one.before)
    lacking = {c.name for c in own if c.refuses_null} - {c.name for c, _ in named}
    if not named or lacking or primary is None:
        return None
    entries = [*_made_of(column, facts, ordered=bool(places)), copied(primary, key.columns[0])]
    if facts.items:
        entries += [computed(place.name, "item_number") for place in places[:1]]
    value = "item.value" if facts.items else json_value(column)
    entries += [computed(target.name, value_of_keys(value, target, keys)) for target, keys in named]
    evidence = _said(one, facts, table, named)
    what = "each item of" if facts.items else "the object in"
    question = f"Does {what} '{column.name}' of '{one.pair.old.name}' become a row of '{table.name.name}'?"
    return Shape(question, evidence, one.into(table, entries), one.pair.old, (column.name,))


def _made_of(column: Column, facts: JsonKeys, *, ordered: bool) -> list[Entry]:
    """Returns which rows an old row makes: one for each item that is an object, or one for its object."""
    value = json_value(column)
    if not facts.items:
        return [{"action": "filter", "where": f"jsonb_typeof({value}) = 'object'"}]
    name = "item(value, n)" if ordered else "item(value)"
    given = f"jsonb_array_elements({value}){' WITH ORDINALITY' if ordered else ''} AS {name}"
    return [{"action": "rows", "from": given, "where": "jsonb_typeof(item.value) = 'object'"}]


def _said(
    one: PairOfTables, facts: JsonKeys, table: Table, named: Sequence[tuple[Column, tuple[JsonKey, ...]]]
) -> tuple[Fact, ...]:
    of = count_of(facts.rows, "item") if facts.items else count_of(facts.rows, "row")
    hold = "is an object" if facts.rows == 1 else "are objects"
    held = f"{of} {hold}" if facts.items else f"{of} with an object"
    sample = " (a sample)" if facts.sampled else ""
    told = ", ".join(key_words(key) for _, keys in named for key in keys)
    taken = {key.name for _, keys in named for key in keys}
    others = sorted(key.name for key in facts.keys if key.name not in taken)
    evidence: list[Fact] = [
        f"{held}{sample}; keys that NEW's {table.name} has as columns: {told}",
        f"nothing fills that table, and it refers to {one.pair.new}",
    ]
    return (*evidence, *([quoting("keys that would be left behind", others, shown=20)] if others else []))
