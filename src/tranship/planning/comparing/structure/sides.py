"""A pair of tables seen together, and OLD's names told in NEW's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog, Column, Index, Table
from tranship.model.change import Change, ChangeClass, Matching, TablePair
from tranship.model.evidence import Demand
from tranship.model.names import ColumnRef, TableName
from tranship.planning.printed.one_spelling import one_spelling
from tranship.planning.printed.tokens import (
    KEYWORDS,
    as_identifier,
    canonical,
    canonical_token,
    tokens,
    unquoted,
)

MAY_DIFFER = "compared as text: the two servers may only print it differently"
REJECTS = "Rows that break it are rejected"
STAYS = "Nothing to do: NEW stays as it is"

Item = TypeVar("Item")


class Translation(Struct, frozen=True, dict=True):
    """OLD's names → NEW's."""

    tables: dict[TableName, TableName]
    schemas: dict[str, str]
    columns: dict[TableName, dict[str, str]]
    """Per old table: old column → new column, first come where it feeds several."""
    sequences: dict[TableName, TableName] = {}
    """Sequences that belong to columns which correspond."""
    loose: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    """Collations of OLD and of NEW under which different texts are equal."""

    @cached_property
    def fillers(self) -> Counter[TableName]:
        """How many old tables fill each new one."""
        return Counter(self.tables.values())

    def table(self, name: TableName) -> TableName:
        """The counterpart, or where it would be by name."""
        found = self.tables.get(name) or self.sequences.get(name)
        return found or TableName(self.schemas.get(name.schema, name.schema), name.name)

    def column(self, ref: ColumnRef) -> ColumnRef:
        """The counterpart of a column, or where it would be by name."""
        return ColumnRef(self.table(ref.table), self.columns.get(ref.table, {}).get(ref.column, ref.column))

    def expression(self, text: str | None, of: TableName | None = None) -> str | None:
        """A printed expression in NEW's names: relations and schemas, and the columns of table *of*."""
        if text is None:
            return None
        names = self.columns.get(of, {}) if of is not None else {}
        found = tokens(one_spelling(text))
        told: list[str] = []
        place = 0
        while place < len(found):
            used, words = self._name(found, place, names)
            told.append(words)
            place += used
        return "".join(told).strip()

    def _name(self, found: tuple[str, ...], place: int, columns: dict[str, str]) -> tuple[int, str]:
        """How many tokens from *place* on are one name, and what NEW calls it."""
        token = found[place]
        after = found[place + 1 : place + 3]
        if token.startswith("'"):
            return 1, self._string(token, found[place + 1 : place + 3])
        name = unquoted(token)
        if name is None:
            return 1, token
        if after[:1] == (".",) and len(after) == 2 and (member := unquoted(after[1])) is not None:
            target = (
                self.table(TableName(name, member))
                if name in self.schemas or TableName(name, member) in self.tables
                else None
            )
            return (
                (3, f"{as_identifier(target.schema)}.{as_identifier(target.name)}")
                if target is not None
                else (1, canonical_token(token))
            )
        before = found[place - 1] if place else ""
        is_column = (
            name in columns and token not in KEYWORDS and after[:1] != ("(",) and before not in ("::", ".")
        )
        return 1, as_identifier(columns[name]) if is_column else canonical_token(token)

    def _string(self, token: str, after: Sequence[str]) -> str:
        """A string is data, except the name inside ``'…'::regclass``."""
        if tuple(after) != ("::", "regclass"):
            return token
        return "'" + (self.expression(token[1:-1]) or "") + "'"


def translation_of(old: Catalog, new: Catalog, matching: Matching) -> Translation:
    """All names that *matching* pairs."""
    columns: dict[TableName, dict[str, str]] = {}
    tables: dict[TableName, TableName] = {}
    for pair in matching.pairs:
        tables[pair.old] = pair.new
        own = columns.setdefault(pair.old, {})
        for column in pair.columns:
            own.setdefault(column.old, column.new)
    schemas = {schema: schema for schema in old.schemas if schema in new.schemas} | dict(
        matching.schema_pairs
    )
    loose = frozenset(old.loose_collations), frozenset(new.loose_collations)
    translation = Translation(tables, schemas, columns, loose=loose)
    owned = {sequence.owned_by: sequence.name for sequence in new.sequences if sequence.owned_by is not None}
    met = {s.name: owned.get(translation.column(s.owned_by)) for s in old.sequences if s.owned_by is not None}
    return replace(
        translation, sequences={before: after for before, after in met.items() if after is not None}
    )


Spellings = Mapping[tuple[TableName, str], str]
"""New table and expression in NEW's names → the same expression as a server spells it (``analysis/spellings.py``)."""

NO_SPELLINGS: Spellings = {}


class TableSides(Struct, frozen=True, dict=True):
    """An old and a new table that correspond."""

    old: Table
    new: Table
    pair: TablePair
    translation: Translation
    spellings: Spellings = NO_SPELLINGS

    @cached_property
    def columns(self) -> dict[str, str]:
        """Old column → new column."""
        return self.translation.columns.get(self.pair.old, {})

    @cached_property
    def column_pairs(self) -> tuple[tuple[Column, Column], ...]:
        """Columns that correspond, in NEW's order."""
        found = ((self.old.column(pair.old), self.new.column(pair.new)) for pair in self.pair.columns)
        return tuple((before, after) for before, after in found if before is not None and after is not None)

    @cached_property
    def fed(self) -> frozenset[str]:
        """New columns that an old one fills."""
        return frozenset(pair.new for pair in self.pair.columns)

    def renamed(self, columns: Iterable[str]) -> tuple[str, ...] | None:
        """Old columns by their new names; None when one has no counterpart."""
        found = [self.columns.get(column) for column in columns]
        return None if None in found else tuple(column for column in found if column is not None)

    def expression(self, text: str | None) -> str | None:
        """An expression of the old table in NEW's names, spelled as a server does where one was asked."""
        return self._spelled(self.translation.expression(text, self.pair.old))

    def told(self, text: str | None) -> str | None:
        """An expression of the new table, spelled likewise."""
        return self._spelled(canonical(text))

    def defaults(self, before: Column, after: Column) -> tuple[str | None, str | None]:
        """Both defaults in NEW's names as values of NEW's column: ``0`` and ``0.00`` are one in a numeric(5,2); spelled likewise."""
        return self._stored(self.translation.expression(before.default, self.pair.old), after), self._stored(
            canonical(after.default), after
        )

    def _stored(self, text: str | None, column: Column) -> str | None:
        return None if text is None else self._spelled(f"CAST({text} AS {column.type.text})")

    def _spelled(self, text: str | None) -> str | None:
        return text if text is None else self.spellings.get((self.new.name, text), text)

    def doubt(self, *texts: str | None) -> tuple[str, ...]:
        """The evidence that a difference may be one of spelling: none where a server spelled all of them."""
        asked = all(text is None or text in self.spelled for text in texts)
        return () if asked else (MAY_DIFFER,)

    @cached_property
    def spelled(self) -> frozenset[str]:
        """What a server answered for this table."""
        return frozenset(answer for (table, _), answer in self.spellings.items() if table == self.new.name)

    def note(
        self,
        kind: str,
        description: str,
        action: str,
        *,
        old_column: str | None = None,
        new_column: str | None = None,
        evidence: tuple[str, ...] = (),
        demand: Demand | None = None,
    ) -> Change:
        """A note about this pair."""
        return Change(
            cls=ChangeClass.SAFE,
            kind=kind,
            table=str(self.old.name),
            new_table=str(self.new.name),
            description=description,
            auto_action=action,
            old_column=old_column,
            new_column=new_column,
            evidence=evidence,
            demand=demand,
        )


def table_sides(
    old: Catalog,
    new: Catalog,
    matching: Matching,
    translation: Translation,
    spellings: Spellings = NO_SPELLINGS,
) -> Iterator[TableSides]:
    """Each pair of tables, in order."""
    for pair in matching.pairs:
        before, after = old.table(pair.old), new.table(pair.new)
        if before is not None and after is not None:
            yield TableSides(before, after, pair, translation, spellings)


def body(index: Index) -> str:
    """The index's definition from the access method on."""
    found = tokens(index.definition)
    return "".join(found[found.index("USING") + 2 :]) if "USING" in found else index.definition


def plain_note(
    kind: str, table: str, description: str, action: str, evidence: tuple[str, ...] = ()
) -> Change:
    """A note about an object that is no pair of tables; *table* is empty for database-wide ones."""
    return Change(
        cls=ChangeClass.SAFE,
        kind=kind,
        table=table,
        description=description,
        auto_action=action,
        evidence=evidence,
    )


def leftovers(
    old: Sequence[Item],
    new: Sequence[Item],
    old_meaning: Callable[[Item], object],
    new_meaning: Callable[[Item], object],
) -> tuple[list[Item], list[Item]]:
    """Those of each side without a counterpart of the same meaning, in order; a meaning of None has none."""
    return _without(old, old_meaning, Counter(map(new_meaning, new))), _without(
        new, new_meaning, Counter(map(old_meaning, old))
    )


def _without(items: Sequence[Item], meaning: Callable[[Item], object], other: Counter[object]) -> list[Item]:
    """Items beyond the number of the same meaning on the other side."""
    left: list[Item] = []
    for item in items:
        value = meaning(item)
        if value is not None and other[value] > 0:
            other[value] -= 1
        else:
            left.append(item)
    return left


def listed(names: Iterable[str]) -> str:
    """Column names in parentheses."""
    return "(" + ", ".join(names) + ")"
