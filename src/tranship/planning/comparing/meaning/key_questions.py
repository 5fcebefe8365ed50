"""Which old columns have to be compared with the keys of OLD's tables before their conversion is automatic.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import Comparison, TablePair
from tranship.model.evidence import KeyQuestion
from tranship.model.names import ColumnRef, TableName
from tranship.model.references import references
from tranship.planning.comparing.meaning.context import Landscape
from tranship.planning.comparing.meaning.number_names import (
    kinship,
    resembles_a_table,
    says_code,
    says_label,
    says_number,
    says_own_row,
)
from tranship.planning.matching.scope import HOLDS_ROWS
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems

_KEY_FAMILIES = ("integer", "decimal", "uuid")
_ID_WORDS = ("id",)
_FLOATING = ("real", "double precision", "money")


def may_be_keys(column: Column) -> bool:
    """Returns whether the values of a column can be surrogate keys: whole numbers and UUIDs."""
    leaf = column.type.leaf
    if family(column.type) not in _KEY_FAMILIES or leaf.base in _FLOATING:
        return False
    return not (leaf.base == "numeric" and len(leaf.modifiers) > 1 and leaf.modifiers[1] > 0)


def declared_targets(table: Table, column: str) -> set[TableName]:
    """Returns the tables that foreign keys over a column refer to."""
    return {key.target for key in references(table) if column in key.columns}


def becomes_text(old: Column, new: Column) -> bool:
    """Returns whether something other than text is stored as text in NEW."""
    return family(old.type) != "text" and family(new.type) == "text"


def is_the_primary_key(table: Table, column: str) -> bool:
    """Returns whether a column alone is its table's primary key: it holds the table's own identifiers."""
    primary = table.primary_key
    return primary is not None and primary.columns == (column,)


def needs_keys(before: Table, after: Table, old: Column, new: Column, landscape: Landscape) -> bool:
    """Returns whether the data have to say whether an old column holds keys, since neither a foreign key nor
    its name does.
    """
    known = is_the_primary_key(before, old.name) or bool(declared_targets(before, old.name))
    if known or not may_be_keys(old) or new.generated:
        return False
    targets = declared_targets(after, new.name)
    if targets:
        alone = (one.sources for one in meant_by(after, new.name, landscape) if len(one.key.columns) == 1)
        meant = next(alone, frozenset())
        named = (_named_like(old.name, before.name, target, landscape) for target in targets)
        return not any(named) or may_be_another_key(before, old, meant, landscape)
    return _text_needs_keys(before, after, old, new, landscape)


def _text_needs_keys(before: Table, after: Table, old: Column, new: Column, landscape: Landscape) -> bool:
    if not becomes_text(old, new) or number_by_name(before, after, old, new, landscape):
        return False
    return _speaks(old.name) or _speaks(new.name) or any(True for _ in _keys_of(before.name, old, landscape))


class Meant(Struct, frozen=True):
    """A foreign key of NEW, one of its columns, and what it would take the values of that column for."""

    key: ForeignKey
    place: int
    """Of the column among those of the key."""
    sources: frozenset[ColumnRef]
    """The columns of one old table that fill the column to which it leads."""

    @property
    def above(self) -> TableName:
        """The old table of the parents."""
        return next(iter(self.sources)).table


def meant_by(after: Table, column: str, landscape: Landscape) -> Iterator[Meant]:
    """Yields the foreign keys of NEW over a column, those over it alone first; none that columns of several
    old tables fill, or under which a person adopts NEW's rows.
    """
    for key in sorted(references(after), key=lambda one: len(one.columns)):
        if column not in key.columns or not key.enforced or (after.name, key.name) in landscape.adopting:
            continue
        place = key.columns.index(column)
        sources = landscape.fillers.get(ColumnRef(key.target, key.target_columns[place]), frozenset())
        if len({source.table for source in sources}) == 1:
            yield Meant(key, place, sources)


def keys_by_name(
    before: Table, column: Column, meant: frozenset[ColumnRef], landscape: Landscape
) -> set[ColumnRef]:
    """Returns the keys of its parents that a column is by its name: the primary key of ``customers`` for
    ``customer_id``, their unique ``number``, or what NEW means, for ``customer_number``.
    """
    above = landscape.old.table(next(iter(meant)).table)
    if above is None:
        return set()
    if above.name in named_after(before, column, landscape) and above.primary_key is not None:
        return {ColumnRef(above.name, name) for name in above.primary_key.columns}
    if not kinship(column.name, before.name, above.name):
        return set()
    keys = {key.columns[0] for key in above.keys if len(key.columns) == 1} | {key.column for key in meant}
    return {ColumnRef(above.name, name) for name in keys if stems(name)[-1:] == stems(column.name)[-1:]}


def may_be_another_key(
    before: Table, column: Column, meant: frozenset[ColumnRef], landscape: Landscape
) -> bool:
    """Returns whether the data have to say which key of its parents a column holds: NEW means another one
    than their primary key, or than the column's name says.
    """
    above = landscape.old.table(next(iter(meant)).table) if meant else None
    primary = above.primary_key if above is not None else None
    if above is None or primary is None or len(primary.columns) != 1:
        return False
    named = keys_by_name(before, column, meant, landscape)
    return ColumnRef(above.name, primary.columns[0]) not in meant or bool(named and not named & meant)


def named_after(before: Table, column: Column, landscape: Landscape) -> set[TableName]:
    """Returns the table of OLD whose key a column is by its name (``artist_id`` and ``artists``); never that
    of a primary key itself.
    """
    words = stems(column.name)
    if is_the_primary_key(before, column.name) or len(words) < 2 or words[-1] not in _ID_WORDS:
        return set()
    owners = [
        t
        for t in landscape.old.tables
        if stems(t.name.name) == words[:-1] and _keyed_by(t, family(column.type))
    ]
    here = [t for t in owners if t.name.schema == before.name.schema] or owners
    return {here[0].name} if len(here) == 1 else set()


def _keyed_by(table: Table, key_family: str) -> bool:
    primary = table.primary_key
    if primary is None or len(primary.columns) != 1:
        return False
    column = table.column(primary.columns[0])
    return column is not None and family(column.type) == key_family != "text"


def _speaks(name: str) -> bool:
    return says_label(name) or says_code(name)


def number_by_name(before: Table, after: Table, old: Column, new: Column, landscape: Landscape) -> bool:
    """Returns whether both names say that a number is a number, and no table of either side is called like
    it.
    """
    if family(old.type) == "uuid" or says_label(old.name) or says_label(new.name):
        return False
    if not (says_number(old.name) and says_number(new.name)):
        return False
    catalogs = landscape.old, landscape.new
    return not (
        resembles_a_table(old.name, before.name, catalogs)
        or resembles_a_table(new.name, after.name, catalogs)
    )


def _named_like(column: str, owner: TableName, target: TableName, landscape: Landscape) -> bool:
    """The column is called after the table that NEW's foreign key leads to, and OLD has that table."""
    known = {new: old for old, new in landscape.counterparts.items()}
    return target in known and kinship(column, owner, target) > 0


def key_questions(comparison: Comparison, landscape: Landscape) -> tuple[KeyQuestion, ...]:
    """Returns the columns to compare with keys, the most dangerous first, with the likeliest keys first."""
    found: list[tuple[int, KeyQuestion]] = []
    for pair in comparison.matching.pairs:
        before, after = landscape.old.table(pair.old), landscape.new.table(pair.new)
        if before is None or after is None or before.kind is RelationKind.QUERY:
            continue
        for old, new in (*_paired(pair, before, after, landscape), *_parted(pair, before, after)):
            ordered = _ordered(before.name, old, landscape)
            danger = _danger(before.name, old, new, ordered)
            becomes = ColumnRef(after.name, new.name) if new is not None and becomes_text(old, new) else None
            found.append((danger, KeyQuestion(ColumnRef(before.name, old.name), ordered, becomes)))
    return tuple(question for _, question in sorted(found, key=lambda one: one[0]))


def _paired(
    pair: TablePair, before: Table, after: Table, landscape: Landscape
) -> Iterator[tuple[Column, Column | None]]:
    """The class of these conversions turns on the answer."""
    for columns in pair.columns:
        old, new = before.column(columns.old), after.column(columns.new)
        if old is not None and new is not None and needs_keys(before, after, old, new, landscape):
            yield old, new


def _parted(pair: TablePair, before: Table, after: Table) -> Iterator[tuple[Column, Column | None]]:
    """Columns that only OLD has beside a text that only NEW has: the answer makes a suggestion."""
    paired_old, paired_new = {c.old for c in pair.columns}, {c.new for c in pair.columns}
    if not any(c.name not in paired_new and family(c.type) == "text" for c in after.columns):
        return
    for column in before.columns:
        known = column.name in paired_old or is_the_primary_key(before, column.name)
        if not known and may_be_keys(column) and not declared_targets(before, column.name):
            yield column, None


def _danger(owner: TableName, old: Column, new: Column | None, keys: tuple[ColumnRef, ...]) -> int:
    """0 is worst. Where time runs out, what is last stays unanswered."""
    if new is None:
        return 4
    if says_label(old.name) or says_label(new.name):
        return 0
    if keys and kinship(old.name, owner, keys[0].table):
        return 1
    return 2 if says_code(old.name) else 3


def _keys_of(owner: TableName, column: Column, landscape: Landscape) -> Iterator[ColumnRef]:
    """Keys of one column in OLD that may be read and that the values may be; those of its own table where
    the name speaks of another row of it.
    """
    for table in landscape.old.tables:
        if table.kind not in HOLDS_ROWS or "SELECT" not in table.privileges:
            continue
        if table.name == owner and not says_own_row(column.name, owner):
            continue
        for name in dict.fromkeys(key.columns[0] for key in table.keys if len(key.columns) == 1):
            key = table.column(name)
            if key is not None and may_be_keys(key) and _kind(key) == _kind(column):
                yield ColumnRef(table.name, name)


def _kind(column: Column) -> str:
    """``uuid`` or ``number``: only values of one kind can be compared."""
    return "uuid" if family(column.type) == "uuid" else "number"


def _ordered(owner: TableName, column: Column, landscape: Landscape) -> tuple[ColumnRef, ...]:
    """The likeliest first: tables that share a word with the column and that NEW lacks, then those that
    share one, then those that NEW lacks.
    """

    def likely(key: ColumnRef) -> tuple[bool, int, bool, ColumnRef]:
        shared, kept = kinship(column.name, owner, key.table), key.table in landscape.counterparts
        return not shared or kept, -shared, kept, key

    return tuple(sorted(_keys_of(owner, column, landscape), key=likely))
