"""Second stage: one entry against the two tables that it is about: names, types, conversions, values,
constraints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from msgspec import UNSET, Struct

from tranship.errors.codes.entries import SameKeyTwice, UnknownColumn, UnknownForeignKey, UnknownTolerable
from tranship.errors.codes.entry_values import (
    ComputedByNew,
    KeyWithoutNewValues,
    NoBareTransform,
    NoSchemaDefault,
    NullForNotNull,
    RenameNeedsBareTransform,
    RenameNeedsTransform,
    SchemaDefaultMisplaced,
    WrongFieldValue,
    WrongMappingKey,
    WrongMappingResult,
)
from tranship.errors.codes.shapes import NullBesideNewKey
from tranship.model.catalog import Catalog, Column, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Conversion
from tranship.model.names import Side
from tranship.model.references import references
from tranship.model.resolution import Action, Problem, Resolution
from tranship.planning.deciding.resolve.lookups import check_lookup
from tranship.planning.deciding.resolve.words import (
    PLACEHOLDERS,
    USE_SCHEMA_DEFAULT,
    did_you_mean,
    problem,
)
from tranship.planning.types.conversion import convert
from tranship.planning.types.values import canonical, castable, names_moment


class Pair(Struct, frozen=True):
    """The two tables that the entries of one key are about, with their catalogs."""

    old: Table
    new: Table
    old_catalog: Catalog
    new_catalog: Catalog
    schemas: tuple[tuple[str, str], ...] = ()
    following: frozenset[str] = frozenset()
    """Columns of NEW that hold a key which gets new values, or refer to one."""

    def conversion(self, source: Column, column: Column) -> Conversion:
        """Returns how values of an old column become values of a new one."""
        return convert(
            source.type,
            column.type,
            old_version=self.old_catalog.server_version,
            new_version=self.new_catalog.server_version,
            schemas=self.schemas,
        )


def check_names(entry: Resolution, old: Table, new: Table | None) -> Iterator[Problem]:
    """Yields a problem for each column that the entry names and that does not exist; placeholders are no
    names.
    """
    for name in dict.fromkeys(_old_names(entry)):
        if old.column(name) is None and name not in PLACEHOLDERS and not is_unasked(old):
            hint = did_you_mean(name, (column.name for column in old.columns))
            yield problem(entry, UnknownColumn(Side.OLD, old.name, name, hint), column=name)
    name = entry.new_column or ""
    if new is not None and name and new.column(name) is None and name not in PLACEHOLDERS:
        hint = did_you_mean(name, (column.name for column in new.columns))
        yield problem(entry, UnknownColumn(Side.NEW, new.name, name, hint), column=name)


def is_unasked(old: Table) -> bool:
    """Returns whether a table stands for a SELECT of which nobody has asked the server the columns."""
    return old.kind is RelationKind.QUERY and not old.columns


def _old_names(entry: Resolution) -> tuple[str, ...]:
    """Returns every old column that an entry names; ``old_column`` beside ``old_columns`` is wrong, and
    named, too.
    """
    return (*entry.sources, entry.old_column) if entry.old_column is not None else entry.sources


def check_meaning(entry: Resolution, action: Action, pair: Pair) -> Iterator[Problem]:
    """Yields what is wrong with a decided entry whose columns exist and whose fields are right."""
    column = pair.new.column(entry.new_column) if entry.new_column is not None else None
    if column is not None and column.generated and entry.default_value != USE_SCHEMA_DEFAULT:
        yield problem(entry, ComputedByNew(pair.new.name, column.name))
        return
    match action:
        case Action.RENAME:
            yield from _check_rename(entry, pair, column)
        case Action.TRANSFORM:
            yield from _check_transform(entry, pair, column)
        case Action.DEFAULT:
            yield from _check_default(entry, column)
        case Action.ADOPT | Action.TOLERATE:
            yield from _check_constraint(entry, action, pair.new)
        case Action.IGNORE | Action.RENAME_TABLE | Action.DROP_TABLE:
            return
        case Action.FILTER | Action.ROWS | Action.MERGE | Action.NEW_KEY | Action.EXISTING | Action.QUERY:
            # What an entry says about rows is judged with the others of its flow, in ``shapes``.
            return
        case _ as unreachable:
            assert_never(unreachable)


def _check_rename(entry: Resolution, pair: Pair, column: Column | None) -> Iterator[Problem]:
    source = pair.old.column(entry.old_column or "")
    if source is None or column is None or column.name in pair.following:
        return
    conversion = pair.conversion(source, column)
    key = _key_of(pair.new, column)
    if not conversion.bare and key:
        yield problem(entry, _no_new_values(source, column, conversion, key))
    elif not conversion.automatic:
        kind = RenameNeedsBareTransform if conversion.bare else RenameNeedsTransform
        yield problem(entry, kind(source.type.text, column.type.text, _because(conversion.why)))


def _check_transform(entry: Resolution, pair: Pair, column: Column | None) -> Iterator[Problem]:
    sources = [found for name in entry.sources if (found := pair.old.column(name)) is not None]
    if column is None or not (sources or entry.key_sql or entry.transform_sql):
        return
    if entry.lookup_table is not None:
        yield from check_lookup(entry, entry.lookup_table, pair.old_catalog, pair.new_catalog)
    elif entry.value_mapping is not None:
        yield from _check_mapping(entry, sources[0], column)
    elif entry.transform_sql is None:
        yield from _check_bare(entry, pair, sources[0], column)
    yield from _check_fallbacks(entry, column)


def _check_fallbacks(entry: Resolution, column: Column) -> Iterator[Problem]:
    for field, value in (("default_value", entry.default_value), ("null_value", entry.null_value)):
        if value == USE_SCHEMA_DEFAULT:
            yield problem(entry, SchemaDefaultMisplaced(field))
        elif isinstance(value, str) and castable(column.type, value) is False:
            yield problem(entry, _unfit(field, value, column, value))


def _check_bare(entry: Resolution, pair: Pair, source: Column, column: Column) -> Iterator[Problem]:
    conversion = pair.conversion(source, column)
    if column.name in pair.following and entry.null_value is not UNSET:
        yield problem(entry, NullBesideNewKey(column.name))
    if conversion.bare or column.name in pair.following:
        return
    key = _key_of(pair.new, column)
    if key:
        yield problem(entry, _no_new_values(source, column, conversion, key))
    else:
        yield problem(entry, NoBareTransform(source.type.text, column.type.text, _because(conversion.why)))


def _no_new_values(source: Column, column: Column, conversion: Conversion, key: str) -> KeyWithoutNewValues:
    return KeyWithoutNewValues(source.type.text, column.type.text, _because(conversion.why), key)


def _key_of(table: Table, column: Column) -> str:
    """Returns the key of one column that a column of NEW refers to, or that it is; empty: neither."""
    for key in references(table):
        if key.columns == (column.name,):
            return f"{key.target}.{key.target_columns[0]}"
    primary = table.primary_key
    return f"{table.name}.{column.name}" if primary and primary.columns == (column.name,) else ""


def _check_mapping(entry: Resolution, source: Column, column: Column) -> Iterator[Problem]:
    seen: dict[str, tuple[str, str | None]] = {}
    for key, result in entry.value_mapping or ():
        if castable(source.type, key) is False:
            hint = _values_hint(source, key)
            yield problem(entry, WrongMappingKey(key, source.name, source.type.text, hint))
        if result is not None and result == USE_SCHEMA_DEFAULT:
            yield problem(entry, SchemaDefaultMisplaced(f"value_mapping[{key!r}]"))
        elif result is not None and castable(column.type, result) is False:
            hint = _values_hint(column, result)
            yield problem(entry, WrongMappingResult(key, column.name, column.type.text, hint, result))
        same = canonical(source.type, key)
        if same in seen and seen[same][1] != result:
            yield problem(entry, SameKeyTwice(seen[same][0], key, source.type.text))
        seen.setdefault(same, (key, result))


def _check_default(entry: Resolution, column: Column | None) -> Iterator[Problem]:
    value = entry.default_value
    if column is None or value is UNSET:
        return
    if value is None:
        if column.refuses_null:
            yield problem(entry, NullForNotNull(column.name, column.type.text))
    elif value == USE_SCHEMA_DEFAULT:
        if column.refuses_null and not column.filled_by_server:
            yield problem(entry, NoSchemaDefault(column.name, column.type.text))
    elif castable(column.type, value) is False:
        yield problem(entry, _unfit("default_value", value, column, value))


def _check_constraint(entry: Resolution, action: Action, new: Table) -> Iterator[Problem]:
    yield from _check_adopt(entry, new) if action is Action.ADOPT else _check_tolerate(entry, new)


def _check_adopt(entry: Resolution, new: Table) -> Iterator[Problem]:
    names = [key.name for key in references(new)]
    if entry.constraint is not None and entry.constraint not in names:
        hint = did_you_mean(entry.constraint, names)
        yield problem(entry, UnknownForeignKey(new.name, entry.constraint, hint))


def _check_tolerate(entry: Resolution, new: Table) -> Iterator[Problem]:
    keys = [key.name for key in new.every_foreign_key]
    checks = [*new.checks, *(check for leaf in new.partitions for check in leaf.checks)]
    names = [*keys, *(check.name for check in checks)]
    if entry.constraint is not None and entry.constraint not in names:
        hint = did_you_mean(entry.constraint, names)
        yield problem(entry, UnknownTolerable(new.name, entry.constraint, hint))


def _unfit(field: str, value: str, column: Column, near: str) -> WrongFieldValue:
    return WrongFieldValue(field, value, column.name, column.type.text, _values_hint(column, near))


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _values_hint(column: Column, value: str) -> str:
    if names_moment(column.type, value):
        return "it stands for the moment at which it is read: write the date or time that is meant"
    return did_you_mean(value, column.type.leaf.labels)
