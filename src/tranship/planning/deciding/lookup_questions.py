"""Tables that may translate one column into another: which lookups are worth trying on the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog, Column, ForeignKey, Table
from tranship.model.change import Change, ChangeClass, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import LookupQuestion, RowsOfOld
from tranship.model.names import ColumnRef, Side, TableName
from tranship.model.references import references
from tranship.planning.comparing.landscape import NOTHING_OBSERVED
from tranship.planning.comparing.meaning import Observed
from tranship.planning.comparing.meaning.number_names import kinship
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems

_LABEL_WORDS = ("name", "title", "label", "code", "key", "slug", "symbol", "value", "description")
# Each lookup is a scan of both tables: the likeliest three are worth it.
_MOST_LABELS = 3
_MOST_PARENTS = 3
"""Tables whose keys an old column may hold that are tried as lookups."""


def lookup_questions(
    before: Table,
    after: Table,
    columns: tuple[str, str],
    sides: tuple[Catalog, Catalog],
    pairs: Sequence[TablePair],
    observed: Observed = NOTHING_OBSERVED,
) -> Iterator[LookupQuestion]:
    """Yields the tables that may translate one old column into one new column.

    A name becomes an id through NEW's foreign key, an id becomes a name through OLD's. ``pairs`` are all
    tables that are paired.
    """
    old, new = sides
    source, target = before.column(columns[0]), after.column(columns[1])
    if source is None or target is None or target.generated:
        return
    refs = ColumnRef(before.name, source.name), ColumnRef(after.name, target.name)
    into = _single_key(after, target.name)
    if into is not None:
        if family(source.type) in ("text", "enum"):
            yield from _ids_of_names(refs, into, new, pairs)
        elif family(source.type) == "integer" and _single_key(before, source.name) is None:
            yield from _ids_of_codes(refs, into, new, pairs)
    elif family(target.type) == "text":
        for parent in _parents(before, source.name, old, observed):
            if parent.declared or _speaks_of(refs, parent.table.name):
                yield from _names_of_ids(refs, parent)


_Refs = tuple[ColumnRef, ColumnRef]


def _ids_of_names(
    refs: _Refs, into: ForeignKey, new: Catalog, pairs: Sequence[TablePair]
) -> Iterator[LookupQuestion]:
    owner = new.table(into.target)
    key = into.target_columns[0]
    why = f"foreign key {into.name} of NEW leads to {into.target}"
    for label in labels_of(owner) if owner is not None else []:
        if label.name == key:
            continue
        there = LookupQuestion(*refs, Side.NEW, into.target, label.name, key, why)
        yield there
        brought = _brought(into.target, label.name, key, pairs)
        if brought is not None and into.target != refs[1].table:
            yield replace(there, filled_by=brought)


def _ids_of_codes(
    refs: _Refs, into: ForeignKey, new: Catalog, pairs: Sequence[TablePair]
) -> Iterator[LookupQuestion]:
    """Yields the unique numbers beside the key of a table that NEW alone has: OLD's codes may be these."""
    owner, key = new.table(into.target), into.target_columns[0]
    if owner is None or into.target == refs[1].table or any(pair.new == into.target for pair in pairs):
        return
    why = f"foreign key {into.name} of NEW leads to {into.target}"
    for name in dict.fromkeys(one.columns[0] for one in owner.keys if len(one.columns) == 1):
        column = owner.column(name)
        if name != key and column is not None and family(column.type) == "integer":
            yield LookupQuestion(*refs, Side.NEW, into.target, name, key, why)


def _brought(table: TableName, label: str, key: str, pairs: Sequence[TablePair]) -> RowsOfOld | None:
    """Returns the rows of OLD that alone will fill a table of NEW, where both columns are copied from one."""
    filling = [pair for pair in pairs if pair.new == table]
    if len(filling) != 1:
        return None
    named = {column.new: column.old for column in filling[0].columns}
    if label not in named or key not in named:
        return None
    return RowsOfOld(filling[0].old, named[label], named[key])


def _names_of_ids(refs: _Refs, parent: _Parent) -> Iterator[LookupQuestion]:
    table, (old, new) = parent.table.name, refs
    for label in labels_of(parent.table):
        related = old.column == new.column or _is_related(new.column, table, label.name)
        if label.name != parent.key and related:
            yield LookupQuestion(*refs, Side.OLD, table, parent.key, label.name, parent.why)


def composite_lookups(
    before: Table, after: Table, changes: list[Change], old: Catalog
) -> Iterator[LookupQuestion]:
    """Yields the tables of OLD that name what several removed columns refer to as one key."""
    gone = [change for change in changes if change.kind is ChangeKind.COLUMN_REMOVED]
    removed = {change.old_column for change in gone if change.cls is ChangeClass.BREAKING}
    texts = _added_texts(after, changes)
    keys = [key for key in references(before) if len(key.columns) > 1 and set(key.columns) <= removed]
    for key in keys:
        for label, right in product(_labels_beside(key, old), texts):
            if _is_related(right, key.target, label):
                yield _composite_question(before, after, key, label, right)


def _added_texts(after: Table, changes: list[Change]) -> list[str]:
    added = [change.new_column for change in changes if change.kind is ChangeKind.COLUMN_ADDED]
    return [name for name in added if name is not None and _takes_text(after, name)]


def _labels_beside(key: ForeignKey, old: Catalog) -> list[str]:
    """Returns the labels of the table that a foreign key refers to, without the referenced columns."""
    owner = old.table(key.target)
    labels = labels_of(owner) if owner is not None else []
    return [label.name for label in labels if label.name not in key.target_columns]


def _takes_text(table: Table, name: str) -> bool:
    column = table.column(name)
    return column is not None and not column.generated and family(column.type) == "text"


def _speaks_of(refs: _Refs, table: TableName) -> bool:
    """Returns whether names say that a column refers to a table: any small number is a key of some table."""
    old, new = refs
    shared = set(stems(old.column)) & set(stems(new.column)) - {"id"}
    return bool(shared) or kinship(old.column, old.table, table) > 0


def _composite_question(
    before: Table, after: Table, key: ForeignKey, label: str, right: str
) -> LookupQuestion:
    return LookupQuestion(
        ColumnRef(before.name, key.columns[0]),
        ColumnRef(after.name, right),
        Side.OLD,
        key.target,
        key.target_columns[0],
        label,
        f"foreign key {key.name} of OLD leads to {key.target}",
        key.columns,
        key.target_columns,
    )


class _Parent(Struct, frozen=True):
    """The old table whose keys an old column holds."""

    table: Table
    key: str
    why: str
    declared: bool = False


def _parents(before: Table, column: str, old: Catalog, observed: Observed) -> Iterator[_Parent]:
    """Yields the likely tables: by a foreign key, by the data, or by the name."""
    declared = _single_key(before, column)
    if declared is not None:
        owner = old.table(declared.target)
        if owner is not None:
            why = f"foreign key {declared.name} of OLD leads to {owner.name}"
            yield _Parent(owner, declared.target_columns[0], why, declared=True)
        return
    reference = observed.references.get(ColumnRef(before.name, column))
    keys = reference.keys if reference is not None else ()
    others = "and of no other table" if len(keys) == 1 else "and of others"
    for key in keys[:_MOST_PARENTS]:
        owner = old.table(key.table)
        if owner is not None:
            values = f"nearly all values are its keys, {others}"
            yield _Parent(owner, key.column, f"{column} of OLD looks like a key of {owner.name}: {values}")
    if not keys:
        yield from _called_parent(before, column, old)


def _called_parent(before: Table, column: str, old: Catalog) -> Iterator[_Parent]:
    """Yields the one table that an ``_id`` is called after."""
    words = stems(column)
    if len(words) < 2 or words[-1] != "id":
        return
    called = [table for table in old.tables if stems(table.name.name) == words[:-1]]
    owner = called[0] if len(called) == 1 else None
    primary = owner.primary_key if owner is not None else None
    if owner is None or primary is None or len(primary.columns) != 1 or owner.name == before.name:
        return
    why = f"{column} of OLD looks like a key of {owner.name}: the name says so"
    yield _Parent(owner, primary.columns[0], why)


def labels_of(table: Table) -> list[Column]:
    """Returns text columns that name a row: the unique ones, then those that are called like it; the
    likeliest first.
    """
    unique = {key.columns[0] for key in table.keys if len(key.columns) == 1}
    text = [c for c in table.columns if family(c.type) == "text" and not c.generated]
    named = [c for c in text if c.name in unique or set(stems(c.name)) & set(_LABEL_WORDS)]
    return sorted(named, key=lambda c: (c.name not in unique, _label_rank(c.name), c.attnum))[:_MOST_LABELS]


def _label_rank(name: str) -> int:
    found = [place for place, word in enumerate(_LABEL_WORDS) if word in stems(name)]
    return min(found, default=len(_LABEL_WORDS))


def _is_related(column: str, table: TableName, label: str) -> bool:
    return bool(set(stems(column)) & (set(stems(table.name)) | set(stems(label))))


def _single_key(table: Table, column: str) -> ForeignKey | None:
    return next((key for key in references(table) if key.columns == (column,)), None)
