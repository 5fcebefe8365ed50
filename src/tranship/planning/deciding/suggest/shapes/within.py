"""One old row that stays one: written in one way, merged with its duplicates, cut out of JSON, left out, or
led to another row by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tranship.model.catalog import Column
from tranship.model.count import count_of
from tranship.model.evidence import Breaks, LookupFacts
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.model.shape_evidence import JsonKey, JsonKeys
from tranship.model.types import TypeKind
from tranship.planning.deciding.named_parents import NamedParent, named_parents
from tranship.planning.deciding.resolve.words import SPECIFY_CONDITION
from tranship.planning.deciding.suggest.facts import Fact, quoting
from tranship.planning.deciding.suggest.flows import marks_deleted, soft_deletion
from tranship.planning.deciding.suggest.guesses import reference, text_literal
from tranship.planning.deciding.suggest.shapes.spelled import in_one_way
from tranship.planning.deciding.suggest.shapes.whole import (
    Entry,
    PairOfTables,
    Shape,
    Whole,
    computed,
    keys_to,
    rows,
    single_key,
    suggested_sql,
    written,
)
from tranship.planning.matching.scope import quoted
from tranship.planning.names.families import family
from tranship.planning.names.tokens import folded


def held_rows(whole: Whole) -> Iterator[Shape]:
    """Yields tables of which NEW holds rows under OLD's keys with other values: they would be rejected."""
    in_new = {held.table: held for held in whole.evidence.in_new}
    for one in whole.pairs:
        held = in_new.get(one.pair.new)
        differing = (held.keys or 0) - held.equal if held is not None else 0
        # Names under other ids are a question of their own.
        if held is None or differing <= 0 or held.renumbered or held.renamed or one.pair.name:
            continue
        evidence = (
            f"NEW's {one.pair.new} holds {held.keys} of OLD's keys, {differing} of them with other values:"
            " these rows would be rejected",
            "'update' takes OLD's values, and a rollback restores NEW's; 'keep' leaves NEW's rows alone",
        )
        question = f"Which values win where NEW's '{one.pair.new.name}' holds rows of OLD already?"
        entry = {"action": "existing", "rows": "update"}
        yield Shape(question, evidence, one.own([entry]), one.pair.old)


def duplicates(whole: Whole) -> Iterator[Shape]:
    """Yields texts that NEW wants written in one way, and rows that a key of NEW allows once."""
    for one in whole.pairs:
        part = _lost_part(whole, one)
        # Rows that only the lost column tells apart are no duplicates.
        named = set(part.demanded) if part is not None else set[str]()
        spelled = list(in_one_way(whole, one))
        named |= {column for shape in spelled for column in shape.columns}
        yield from spelled
        for found in whole.evidence.breaks:
            columns = [old for old, _ in found.demand.columns]
            if _is_repeated(found, one) and not named & set(columns):
                yield _merged(one, found, columns)


def tenants(whole: Whole) -> Iterator[Shape]:
    """Yields the filter for one value of a column that a key loses, at the topmost tables that lose it."""
    parts = ((one, _lost_part(whole, one)) for one in whole.pairs)
    lost = [(one, part) for one, part in parts if part is not None]
    losing = {one.pair.old for one, _ in lost}
    yield from (_one_part(whole, one, part) for one, part in lost if not _above(one, part.column) & losing)


class _LostPart(Struct, frozen=True):
    """A column of an old key that NEW lacks, such as a tenant, and what is left of the key there."""

    column: str
    demanded: tuple[str, ...]
    repeated: int
    """Rows that the rest of the key does not tell from others."""


def _lost_part(whole: Whole, one: PairOfTables) -> _LostPart | None:
    """Returns what a key of OLD loses, where rows would be rejected for that; None without it."""
    gone = {column.name for column in one.gone}
    for found in whole.evidence.breaks:
        columns = tuple(old for old, _ in found.demand.columns)
        for key in one.before.keys if _is_repeated(found, one) else ():
            lost = set(key.columns) - set(columns)
            if set(columns) < set(key.columns) and len(lost) == 1 and lost <= gone:
                return _LostPart(lost.pop(), columns, found.rows)
    return None


def _above(one: PairOfTables, column: str) -> set[TableName]:
    """Returns the other tables to which a table refers by keys that contain a column."""
    keys = (key for key in references(one.before) if column in key.columns)
    return {key.target for key in keys} - {one.pair.old}


def _one_part(whole: Whole, one: PairOfTables, part: _LostPart) -> Shape:
    """Returns the filter for the rows of one value of the column, which a person has to give."""
    facts = whole.evidence.of(one.before.name, part.column)
    held = [count_of(facts.distinct, "distinct value")] if facts is not None else []
    evidence = (
        f"'{part.column}' is part of a key of OLD, and NEW lacks it: {rows(part.repeated)} would be rejected"
        f" as {'a duplicate' if part.repeated == 1 else 'duplicates'} of another '{part.column}'",
        *held,
        f'"where" says which rows move, such as old.{quoted(part.column)} = 1; what refers to them follows'
        " by OLD's keys",
    )
    entries: tuple[Entry, ...] = (
        {"action": "filter", "where": SPECIFY_CONDITION, "children": "leave_out"},
        {"action": "ignore", "old_column": part.column},
    )
    question = f"Do only the rows of one '{part.column}' of '{one.pair.old.name}' move?"
    return Shape(question, evidence, one.own(entries), one.pair.old, (part.column,))


def _is_repeated(found: Breaks, one: PairOfTables) -> bool:
    return found.demand.table == one.before.name and found.demand.kind == "unique" and found.rows > 0


def _merged(one: PairOfTables, found: Breaks, columns: Sequence[str]) -> Shape:
    named = [column for name in columns if (column := one.before.column(name)) is not None]
    # A row whose key is NULL is merged with no other: the empty text is seldom the name of one thing.
    alone = len(named) == 1 and family(named[0].type) == "text"
    keys = [reference(column) for column in named]
    entry: Entry = {
        "action": "merge",
        "key": [suggested_sql("without_empty", value=keys[0])] if alone else keys,
        "repoint_children": True,
    }
    key = ", ".join(new for _, new in found.demand.columns)
    empty = "rows with the empty text stay apart, and NEW takes one of them: what they mean is asked of you"
    evidence = (
        f"NEW allows ({key}) once, and {rows(found.rows)} of OLD would be rejected for that",
        *([empty] if alone else []),
        'the first by the old key stays; \'keep\' names another one: "keep": "old.… DESC"',
    )
    question = f"Do rows of '{one.pair.old.name}' with the same ({key}) become one?"
    return Shape(question, evidence, one.own([entry]), one.pair.old, tuple(columns))


def json_columns(whole: Whole) -> Iterator[Shape]:
    """Yields JSON columns whose keys are the names of new columns."""
    for one in whole.pairs:
        for facts in whole.evidence.shapes.json_keys:
            column = one.before.column(facts.column.column)
            if facts.column.table == one.before.name and column is not None and not facts.items:
                named = keys_called(one.come, facts)
                if named:
                    yield _cut_out(one, column, facts, named)


def keys_called(columns: Sequence[Column], facts: JsonKeys) -> list[tuple[Column, tuple[JsonKey, ...]]]:
    """Returns the columns that are called as a key, each with every spelling of it: its own first, then by
    how many objects have it.
    """
    spelt: dict[str, list[JsonKey]] = {}
    for key in facts.keys:
        spelt.setdefault(folded(key.name), []).append(key)
    return [
        (c, tuple(sorted(spelt[folded(c.name)], key=lambda key: (key.name != c.name, -key.rows, key.name))))
        for c in columns
        if folded(c.name) in spelt
    ]


def _cut_out(
    one: PairOfTables, column: Column, facts: JsonKeys, named: Sequence[tuple[Column, tuple[JsonKey, ...]]]
) -> Shape:
    value = json_value(column)
    entries = [computed(target.name, value_of_keys(value, target, keys)) for target, keys in named]
    of = f"{rows(facts.rows)}{' (a sample)' if facts.sampled else ''}"
    told = ", ".join(key_words(key) for _, keys in named for key in keys)
    evidence: list[Fact] = [f"{of} of '{column.name}' hold an object; keys that NEW has as columns: {told}"]
    if column in one.gone:
        left, why = _rest_of(one, column, facts, named)
        entries += left
        evidence += why
    question = f"Do keys of '{column.name}' fill columns of '{one.pair.new.name}'?"
    return Shape(question, tuple(evidence), one.own(entries), one.pair.old, (column.name,))


def key_words(key: JsonKey) -> str:
    """Returns a key, how many objects have it, and what it holds."""
    return f"'{key.name}' in {key.rows} ({' or '.join(key.kinds) or 'null'})"


def _rest_of(
    one: PairOfTables, column: Column, facts: JsonKeys, named: Sequence[tuple[Column, tuple[JsonKey, ...]]]
) -> tuple[list[Entry], list[Fact]]:
    """Returns what becomes of the keys that have no column, and the words for it."""
    targets, taken = [target for target, _ in named], [key.name for _, keys in named for key in keys]
    taking = [c for c in one.come if family(c.type) == "json" and c not in targets]
    others = sorted(key.name for key in facts.keys if key.name not in taken)
    if not taking:
        return [], [quoting("keys that would be left behind", others, shown=20)] if others else []
    cut = ", ".join(map(text_literal, taken))
    rest = f"coalesce(CAST({reference(column)} AS jsonb) - ARRAY[{cut}], '{{}}')"
    return [computed(taking[0].name, rest)], [f"'{taking[0].name}' takes every key that has no column"]


def json_value(column: Column) -> str:
    """Returns an old column as jsonb."""
    return f"CAST({reference(column)} AS jsonb)"


def value_of_keys(value: str, target: Column, keys: Sequence[JsonKey]) -> str:
    """Returns the value of the first of these keys that a jsonb object has."""
    values = [_value_of_key(value, target, key) for key in keys]
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _value_of_key(value: str, target: Column, key: JsonKey) -> str:
    """Returns the value that a jsonb object ``value`` has under one key as the new column takes it; a text is
    read by NEW's own type.
    """
    name = text_literal(key.name)
    if family(target.type) == "json":
        return f"{value} -> {name}"
    if target.type.leaf.kind is not TypeKind.ARRAY:
        return f"{value} ->> {name}"
    is_array = f"jsonb_typeof({value} -> {name}) = 'array'"
    return suggested_sql("items_of_array", is_array=is_array, value=f"{value} -> {name}")


def marked_rows(whole: Whole) -> Iterator[Shape]:
    """Yields the filter that leaves behind what the old application marked as deleted."""
    for one in whole.pairs:
        for column in one.gone:
            facts = whole.evidence.of(one.before.name, column.name)
            if not marks_deleted(column) or (facts is not None and not facts.filled):
                continue
            fields, why = soft_deletion(column, facts)
            said: list[Fact] = [
                *why[:-1],
                'rows that refer to a row that is left out: "children" says what becomes of them',
            ]
            entries: tuple[Entry, ...] = (
                {**fields, "children": "leave_out"},
                {"action": "ignore", "old_column": column.name},
            )
            question = f"Do only rows move that '{column.name}' of '{one.pair.old.name}' does not mark?"
            yield Shape(question, tuple(said), one.own(entries), one.pair.old, (column.name,))


def names_in_other_tables(whole: Whole) -> Iterator[Shape]:
    """Yields old references to a table that goes nowhere, and a new reference to a table that holds most of
    the names of its rows.
    """
    asked = {facts.question: facts for facts in whole.evidence.named}
    for one in whole.pairs:
        come = {column.name for column in one.come}
        for found in named_parents(one.before, one.after, whole.only_old, whole.new):
            if found.column in one.gone and found.key.columns[0] in come:
                facts = asked.get(found.question)
                # Under half of the names are chance.
                if facts is None or (facts.distinct and facts.found * 2 >= facts.distinct):
                    yield _by_name(one, found, facts)


def _by_name(one: PairOfTables, found: NamedParent, facts: LookupFacts | None) -> Shape:
    old_key = found.declared.target_columns[0]
    where = f"p.{quoted(old_key)} = {reference(found.column)}"
    owner = written(found.owner.name)
    sql = suggested_sql("name_of_parent", label=quoted(found.label), table=owner, where=where)
    lookup = {
        "table": found.target.name.name,
        "schema": found.target.name.schema,
        "key_column": found.target_label,
        "value_column": found.key.target_columns[0],
    }
    entry: Entry = {
        "action": "transform",
        "new_column": found.key.columns[0],
        "key_sql": sql,
        "lookup_table": lookup,
    }
    unique = f"where '{found.target_label}' is unique"
    evidence = (
        f"OLD's '{found.column.name}' refers to {found.owner.name}, whose rows are called by '{found.label}'",
        f"NEW's '{found.key.columns[0]}' refers to {found.target.name}, {unique}",
        *_known_names(found, facts),
        'old id → old name → new id; "add_missing": true in the lookup_table adds names that it lacks',
    )
    question = (
        f"Does '{found.column.name}' of '{one.pair.old.name}' lead to '{found.target.name.name}' by name?"
    )
    return Shape(question, evidence, one.own([entry]), one.pair.old, (found.column.name,))


def _known_names(found: NamedParent, facts: LookupFacts | None) -> Iterator[str]:
    """Yields how many of the old names the new table holds, as far as it is known."""
    if facts is not None:
        names = f"{facts.found} of {count_of(facts.distinct, 'name')} in {found.owner.name}"
        yield f"{names} {'is' if facts.found == 1 else 'are'} in {found.target.name} of NEW"


def parents_above(whole: Whole) -> Iterator[Shape]:
    """Yields the way from a row to its root, where NEW has a path or a depth in place of the parent."""
    for one in whole.pairs:
        primary = single_key(one.before)
        above = [key.columns[0] for key in keys_to(one.before, one.pair.old)]
        taking = [c for c in one.come if _is_path(c) or _is_depth(c)]
        if primary is not None and len(above) == 1 and taking:
            yield _way_up(one, (primary, above[0]), taking)


def _is_path(column: Column) -> bool:
    return column.name == "path" or column.type.leaf.base.endswith("ltree")


def _is_depth(column: Column) -> bool:
    return column.name in ("depth", "level") and family(column.type) == "integer"


def _way_up(one: PairOfTables, columns: tuple[str, str], taking: Sequence[Column]) -> Shape:
    primary, above = map(quoted, columns)
    path, depth = (
        suggested_sql(name, primary=primary, above=above, table=written(one.pair.old))
        for name in ("path", "depth")
    )
    entries = [computed(column.name, path if _is_path(column) else depth) for column in taking]
    names = ", ".join(repr(column.name) for column in taking)
    evidence = (
        f"OLD's '{columns[1]}' refers to its own table, and NEW has {names}",
        "a root is at depth 1, and a path is made of keys between dots; a circle in OLD would not end",
    )
    question = f"Does the tree of '{one.pair.old.name}' become a path?"
    return Shape(question, evidence, one.own(entries), one.pair.old, (columns[1],))
