"""Several old rows or tables that become one: tables of one kind of thing, attributes, child rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog, Column, Table
from tranship.model.evidence import ColumnFacts
from tranship.model.names import ColumnRef, TableName
from tranship.model.references import references
from tranship.model.types import TypeKind
from tranship.planning.deciding.lookup_questions import labels_of
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.suggest.constants import label_of
from tranship.planning.deciding.suggest.facts import Fact, quoting
from tranship.planning.deciding.suggest.guesses import text_literal
from tranship.planning.deciding.suggest.shapes.whole import (
    Entry,
    PairOfTables,
    Shape,
    Whole,
    computed,
    keys_to,
    needed,
    rows,
    single_key,
    suggested_sql,
    without_parent,
    written,
)
from tranship.planning.deciding.suggest.tenants import tenant_column, tenant_reason, tenant_value
from tranship.planning.matching.scope import default_schema, quoted
from tranship.planning.names.families import family
from tranship.planning.names.tokens import folded, stems
from tranship.planning.printed.allowed_values import allowed_values

_MOSTLY = 0.6
"""The part of an old table's columns that a new table must have before they are taken for one thing."""


_NAME_ALONE = 1
"""Columns beside the key that tables of different things share, too: a name."""


def united_tables(whole: Whole) -> Iterator[Shape]:
    """Yields old tables whose rows may go into a new table that another old one fills, too."""
    for one in whole.pairs:
        joining = list(_joining(whole, one))
        tables = [table for table, _ in joining]
        tenant = tenant_column(one.after, one.come, [*_sources(whole, one.after), *tables])
        offsets = _offsets(whole, one, tables)
        for (table, shared), offset in zip(joining, offsets, strict=True):
            yield _united(whole, (table, one), shared, offset, tenant)


def _sources(whole: Whole, after: Table) -> list[Table]:
    """Returns the old tables whose rows go into a new one already."""
    return [other.before for other in whole.pairs if other.after.name == after.name]


def _joining(whole: Whole, one: PairOfTables) -> Iterator[tuple[Table, list[str]]]:
    """Yields the old tables that may go into the new table of a pair, with the columns that both have."""
    for table in whole.only_old:
        shared = _shared(table, one)
        mostly = len(shared) >= _MOSTLY * len(table.columns) and _is_one_kind(whole, table, one, shared)
        if not one.pair.name and (mostly or _is_twin(table, one.before)):
            yield table, shared


def _is_twin(table: Table, other: Table) -> bool:
    """Returns whether an old table has just the columns of another one, as those of two tenants or years."""
    columns = [{(c.name, family(c.type)) for c in one.columns} for one in (table, other)]
    return columns[0] == columns[1] and len(columns[0]) > _NAME_ALONE + len(_key_of(table))


def _is_one_kind(whole: Whole, table: Table, one: PairOfTables, shared: Sequence[str]) -> bool:
    """Returns whether more speaks for it than an id, a name, and what tables of other things have, too.

    Neither is a table of one kind whose rows lack what every row of the other one has to hold.
    """
    labels = [allowed_values(one.after, column) for column in _discriminators(table, one)]
    if any(label_of(table.name.name, values) for values in labels):
        return True
    come = {column.name for column in one.come}
    lacking = [c for c in needed(one.after) if c.name not in come and c.name not in shared]
    own = set(shared) - set(_key_of(table))
    telling = [name for name in own if not whole.is_common(name, one.after.name)]
    return not lacking and len(own) > _NAME_ALONE and bool(telling)


def _key_of(table: Table) -> tuple[str, ...]:
    return table.primary_key.columns if table.primary_key is not None else ()


def _shared(table: Table, one: PairOfTables) -> list[str]:
    """Returns the columns of an old table that the new one has under their names and in their families."""
    twins = ((c, one.after.column(c.name)) for c in table.columns)
    return [c.name for c, twin in twins if twin is not None and family(c.type) == family(twin.type)]


def _united(
    whole: Whole,
    sides: tuple[Table, PairOfTables],
    shared: Sequence[str],
    offset: int,
    tenant: Column | None,
) -> Shape:
    table, one = sides
    new = one.pair.new
    entries: list[Entry] = [_renamed(whole, table, new)]
    evidence = [
        f"NEW's {new}, which {one.pair.old} fills, has {len(shared)} of its {len(table.columns)} columns"
    ]
    if _is_twin(table, one.before):
        evidence.append(f"its columns are those of {one.pair.old}")
    apart = _told_apart(table, one, tenant)
    entries += apart.joining
    evidence += apart.evidence
    others = {**dict(_led_children(whole, table, one)), **(one.own(apart.first) if apart.first else {})}
    key = single_key(table)
    in_key = tenant is not None and tenant.name in _key_of(one.after)
    if key is not None and one.fed_by(key) == key and not in_key:
        entries.append({"action": "new_key", "column": key, "as": {"offset": offset}})
        evidence.append(
            f"both have keys '{key}' of their own: the offset moves these behind those of {one.pair.old}"
        )
    named = table_key(table.name, whole.old)
    question = f"Do the rows of '{named}' go into '{table_key(new, whole.new)}', too?"
    return Shape(question, tuple(evidence), {named: tuple(entries), **others}, table.name, into=new)


class _Apart(Struct, frozen=True):
    """The constants that tell the rows of two old tables apart in a new one."""

    joining: list[Entry] = []
    first: list[Entry] = []
    """For the old table that fills the new one already."""
    evidence: list[str] = []

    def also(self, joining: Entry | None, first: Entry | None, why: str) -> _Apart:
        """Returns them with those of one more column."""
        more = [[one] if one is not None else [] for one in (joining, first)]
        evidence = [*self.evidence, why] if why else self.evidence
        return _Apart([*self.joining, *more[0]], [*self.first, *more[1]], evidence)


def _told_apart(table: Table, one: PairOfTables, tenant: Column | None) -> _Apart:
    """Returns the constants of the columns that say of which kind a row is, or of which tenant."""
    found = _Apart()
    if tenant is not None:
        joining, first = (tenant_value(one.after, tenant, source) for source in (table, one.before))
        found = found.also(
            _constant(tenant.name, joining), _constant(tenant.name, first), tenant_reason(tenant)
        )
    for column in _discriminators(table, one):
        labels = allowed_values(one.after, column) if column != tenant else ()
        own, other = label_of(table.name.name, labels), label_of(one.pair.old.name, labels)
        found = found.also(
            _constant(column.name, own) if own is not None else None,
            _constant(column.name, other) if other is not None and own != other else None,
            f"'{column.name}' allows {own!r}, which is its name" if own is not None else "",
        )
    return found


def _renamed(whole: Whole, table: Table, new: TableName) -> Entry:
    entry = {"action": "rename_table", "new_table": new.name}
    plain = new.schema == dict(whole.schema_pairs).get(table.name.schema, default_schema(whole.new))
    return entry if plain else {**entry, "new_schema": new.schema}


def _led_children(whole: Whole, table: Table, one: PairOfTables) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """Yields the columns of children that would refer to the new table, where each has one alone to do so."""
    for child in whole.pairs:
        fed = {columns.new for columns in child.pair.columns}
        old = [key.columns[0] for key in keys_to(child.before, table.name)]
        new = [key.columns[0] for key in keys_to(child.after, one.pair.new) if key.columns[0] not in fed]
        if len(old) == len(new) == 1 and child.fed_by(old[0]) is None:
            yield child.key, ({"action": "rename", "old_column": old[0], "new_column": new[0]},)


def _constant(column: str, value: str) -> Entry:
    return {"action": "default", "new_column": column, "default_value": value}


def _discriminators(table: Table, one: PairOfTables) -> list[Column]:
    """Returns the new columns that say of which kind a row is: a list of values, and nothing in OLD."""
    return [c for c in one.come if table.column(c.name) is None and allowed_values(one.after, c)]


def _offsets(whole: Whole, one: PairOfTables, tables: Sequence[Table]) -> list[int]:
    """Returns for each table that goes into another one's new table how far its keys are moved, so that those
    of no two meet: multiples of a power of ten behind the largest key of all; 1000000 where nobody asked.
    """
    refs = [ColumnRef(t.name, key) for t in (one.before, *tables) if (key := single_key(t)) is not None]
    known = [facts.highest for facts in whole.evidence.shapes.highest if facts.column in refs]
    step = 10 ** (len(str(max(*known, 0))) + 2) if known else 1_000_000
    return [step * number for number in range(1, len(tables) + 1)]


def attributes(whole: Whole) -> Iterator[Shape]:
    """Yields tables of attributes (thing, name, value) whose names are new columns of the thing."""
    for table in whole.only_old:
        for one in whole.pairs:
            keys = keys_to(table, one.pair.old)
            if len(keys) == 1 and keys[0].target_columns == _key_of(one.before):
                yield from _attributes_of(whole, table, one, keys[0].columns[0])


def _attributes_of(whole: Whole, table: Table, one: PairOfTables, thing: str) -> Iterator[Shape]:
    for name, joined, named_by in names_of_attributes(whole.old, table, thing):
        facts = whole.evidence.of(named_by.name, name)
        if facts is None:
            continue
        named = _named(one.come, facts)
        values = [c for c in table.columns if c.name not in {name, thing, *_key_of(table)} and _is_value(c)]
        if named and len(values) == 1:
            shape = _attribute_columns(table, one, (thing, values[0].name), (name, joined, facts), named)
            yield replace(
                shape,
                reads=() if named_by.name == table.name else (named_by.name,),
                evidence=(*shape.evidence, *without_parent(whole, table, thing)),
            )


def _named(come: Sequence[Column], facts: ColumnFacts) -> list[tuple[Column, tuple[str, ...]]]:
    """Returns the new columns that are called as attributes, each with every spelling of its name."""
    spelt: dict[str, tuple[str, ...]] = {}
    for counted in facts.values:
        spelt[folded(counted.value)] = (*spelt.get(folded(counted.value), ()), counted.value)
    return [(column, spelt[folded(column.name)]) for column in come if folded(column.name) in spelt]


def _is_value(column: Column) -> bool:
    return family(column.type) == "text" and not set(stems(column.name)) & set(stems("unit note comment"))


def names_of_attributes(old: Catalog, table: Table, thing: str) -> Iterator[tuple[str, str, Table]]:
    """Yields where the names of attributes may stand: a text of the table, or of a table it refers to.

    Each is the column, the join that reaches it (empty for the table's own), and its table.
    """
    for column in labels_of(table):
        yield column.name, "", table
    for key in references(table):
        owner = old.table(key.target)
        if owner is None or len(key.columns) != 1 or key.columns[0] == thing:
            continue
        on = f"n.{quoted(key.target_columns[0])} = a.{quoted(key.columns[0])}"
        for label in labels_of(owner):
            yield label.name, f" JOIN {written(owner.name)} AS n ON {on}", owner


def _attribute_columns(
    table: Table,
    one: PairOfTables,
    columns: tuple[str, str],
    names: tuple[str, str, ColumnFacts],
    named: Sequence[tuple[Column, tuple[str, ...]]],
) -> Shape:
    (thing, value), (name, join, facts) = columns, names
    of = f"{'n' if join else 'a'}.{quoted(name)}"
    source = (
        f"{written(table.name)} AS a{join} WHERE a.{quoted(thing)} = old.{quoted(_key_of(one.before)[0])}"
    )
    entries = [
        computed(
            column.name,
            suggested_sql("attribute", value=quoted(value), source=source, of=of, called=_called(spelt)),
        )
        for column, spelt in named
    ]
    # One column may take everything that has none of its own.
    rest = [c for c in one.come if family(c.type) == "json" and c not in [column for column, _ in named]]
    labels = [label for _, spelt in named for label in spelt]
    taken = ", ".join(map(text_literal, labels))
    for column in rest[:1]:
        left = suggested_sql("attributes_left", of=of, value=quoted(value), source=source, taken=taken)
        entries.append(computed(column.name, left))
    named_as = f"its names are columns of NEW's {one.pair.new}: {', '.join(map(repr, labels))}"
    evidence: tuple[Fact, ...] = (
        f"OLD's {table.name} refers to {one.pair.old}, and {named_as}",
        "a row that holds one name twice is rejected; the foreign key of OLD wants an index",
        *_lost_names(facts, labels, rest[:1]),
    )
    question = f"Do the rows of '{table.name.name}' fill columns of '{one.pair.new.name}'?"
    return Shape(question, evidence, one.own(entries), table.name)


def _called(spelt: Sequence[str]) -> str:
    first, *others = map(text_literal, spelt)
    return f"IN ({', '.join([first, *others])})" if others else f"= {first}"


def _lost_names(facts: ColumnFacts, labels: Sequence[str], rest: Sequence[Column]) -> list[Fact]:
    """Returns what is said of attributes that have no column, and of those without a name."""
    others = [counted.value for counted in facts.values if counted.value not in labels]
    unlisted = facts.distinct - len(facts.values)
    said: list[Fact] = []
    if rest:
        every = "takes every name that has no column, and all values of one that a row has twice"
        said.append(f"'{rest[0].name}' {every}")
    elif others:
        said.append(quoting("names that would be left behind", others, shown=20))
    if unlisted > 0 and not rest:
        said.append(f"further names that would be left behind: {unlisted}")
    if facts.nulls:
        said.append(f"{rows(facts.nulls)} without a name would be left behind")
    return said


def child_rows(whole: Whole) -> Iterator[Shape]:
    """Yields child tables of which a new JSON or array column has the name."""
    for table in whole.only_old:
        for one in whole.pairs:
            keys = keys_to(table, one.pair.old)
            takers = [c for c in one.come if set(stems(c.name)) & set(stems(table.name.name)) and _is_many(c)]
            if len(keys) == 1 and len(takers) == 1 and keys[0].target_columns == _key_of(one.before):
                thing = keys[0].columns[0]
                shape, lost = _children(table, one, thing, takers[0]), without_parent(whole, table, thing)
                yield replace(shape, evidence=(*shape.evidence, *lost))


def _is_many(column: Column) -> bool:
    return column.type.leaf.kind is TypeKind.ARRAY or family(column.type) == "json"


def _children(table: Table, one: PairOfTables, thing: str, taker: Column) -> Shape:
    own = [c.name for c in table.columns if c.name not in {thing, *_key_of(table)}]
    order = ", ".join(f"c.{quoted(name)}" for name in _key_of(table) or own)
    if len(own) == 1:
        value = f"c.{quoted(own[0])}"
    else:
        pairs = ", ".join(f"{text_literal(name)}, c.{quoted(name)}" for name in own)
        value = f"jsonb_build_object({pairs})"
    is_array = taker.type.leaf.kind is TypeKind.ARRAY
    gather, empty = ("array_agg", "{}") if is_array else ("jsonb_agg", "[]")
    where = f"c.{quoted(thing)} = old.{quoted(_key_of(one.before)[0])}"
    parts = {"gather": gather, "value": value, "order": order, "where": where, "empty": empty}
    sql = suggested_sql("child_rows", table=written(table.name), **parts)
    unfilled = f"nothing fills '{taker.name}' of NEW's {one.pair.new}"
    evidence = (f"OLD's {table.name} refers to {one.pair.old}, and {unfilled}",)
    question = f"Do the rows of '{table.name.name}' become '{taker.name}' of '{one.pair.new.name}'?"
    entry = computed(taker.name, sql)
    return Shape(question, evidence, one.own([entry]), table.name)
