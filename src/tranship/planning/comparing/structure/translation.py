"""OLD's names in NEW's: what lets an expression of OLD be compared with one of NEW."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.change import Matching
from tranship.model.names import ColumnRef, TableName
from tranship.planning.printed.one_spelling import one_spelling
from tranship.planning.printed.tokens import KEYWORDS, as_identifier, canonical_token, tokens, unquoted


class Translation(Struct, frozen=True, dict=True):
    """The names of OLD with those that their counterparts have in NEW."""

    tables: dict[TableName, TableName]
    schemas: dict[str, str]
    columns: dict[TableName, dict[str, str]]
    """Per old table: old column → new column, the first one where it feeds several."""
    sequences: dict[TableName, TableName] = {}
    """Sequences that belong to columns which correspond."""
    loose: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    """Collations of OLD and of NEW under which different texts are equal."""

    @cached_property
    def fillers(self) -> Counter[TableName]:
        """How many old tables fill each new one."""
        return Counter(self.tables.values())

    def table(self, name: TableName) -> TableName:
        """Returns the counterpart of a relation, or where it would be by its name."""
        found = self.tables.get(name) or self.sequences.get(name)
        return found or TableName(self.schemas.get(name.schema, name.schema), name.name)

    def column(self, ref: ColumnRef) -> ColumnRef:
        """Returns the counterpart of a column, or where it would be by its name."""
        return ColumnRef(self.table(ref.table), self.columns.get(ref.table, {}).get(ref.column, ref.column))

    def expression(self, text: str | None, of: TableName | None = None) -> str | None:
        """Returns a printed expression of OLD in NEW's names: relations, schemas, and the columns of table
        ``of``.
        """
        if text is None:
            return None
        names = self.columns.get(of, {}) if of is not None else {}
        found = tokens(one_spelling(text))
        words: list[str] = []
        place = 0
        while place < len(found):
            used, word = self._name(found, place, names)
            words.append(word)
            place += used
        return "".join(words).strip()

    def _name(self, found: tuple[str, ...], place: int, columns: dict[str, str]) -> tuple[int, str]:
        """Returns how many tokens from ``place`` on are one name, and what NEW calls it."""
        token, after = found[place], found[place + 1 : place + 3]
        if token.startswith("'"):
            return 1, self._string(token, after)
        name = unquoted(token)
        if name is None:
            return 1, token
        if len(after) == 2 and after[0] == "." and (member := unquoted(after[1])) is not None:
            return self._qualified(token, TableName(name, member))
        # A keyword, the name of a function, of a type behind its cast, or of a member is no column.
        before = found[place - 1] if place else ""
        elsewhere = token in KEYWORDS or after[:1] == ("(",) or before in ("::", ".")
        is_column = name in columns and not elsewhere
        return 1, as_identifier(columns[name]) if is_column else canonical_token(token)

    def _qualified(self, token: str, name: TableName) -> tuple[int, str]:
        """Returns the same for ``schema.name``; with an alias or a column before the dot only the first token
        is used.
        """
        if name.schema not in self.schemas and name not in self.tables:
            return 1, canonical_token(token)
        target = self.table(name)
        return 3, f"{as_identifier(target.schema)}.{as_identifier(target.name)}"

    def _string(self, token: str, after: Sequence[str]) -> str:
        """Returns a string as it is, since it is data; only in ``'…'::regclass`` it is a name."""
        if tuple(after) != ("::", "regclass"):
            return token
        return "'" + (self.expression(token[1:-1]) or "") + "'"


def translation_of(old: Catalog, new: Catalog, matching: Matching) -> Translation:
    """Returns the translation of all names that ``matching`` pairs."""
    columns: dict[TableName, dict[str, str]] = {}
    tables: dict[TableName, TableName] = {}
    for pair in matching.pairs:
        tables[pair.old] = pair.new
        own = columns.setdefault(pair.old, {})
        for column in pair.columns:
            own.setdefault(column.old, column.new)
    same_name = {schema: schema for schema in old.schemas if schema in new.schemas}
    loose = frozenset(old.loose_collations), frozenset(new.loose_collations)
    translation = Translation(tables, same_name | dict(matching.schema_pairs), columns, loose=loose)
    return replace(translation, sequences=_sequences(old, new, translation))


def _sequences(old: Catalog, new: Catalog, translation: Translation) -> dict[TableName, TableName]:
    """Returns old sequence → new sequence through the columns that own them, whatever the sequences are
    called.
    """
    owned = {sequence.owned_by: sequence.name for sequence in new.sequences if sequence.owned_by is not None}
    found = {}
    for sequence in old.sequences:
        if sequence.owned_by is None:
            continue
        after = owned.get(translation.column(sequence.owned_by))
        if after is not None:
            found[sequence.name] = after
    return found
