"""What fills each column of NEW, and who said so: a decision, a pair of columns, or the server."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, structs

from tranship.model.catalog import Catalog, Column, Table
from tranship.model.change import ColumnPair, Pairing, TablePair
from tranship.model.expression import (
    Coalesce,
    Constant,
    Conversion,
    Expression,
    Lookup,
    MapValues,
    NewDefault,
    Sql,
    Take,
)
from tranship.model.names import Side, TableName
from tranship.model.plan import ColumnMapping, Origin
from tranship.model.resolution import Action, Decision, LookupTable, Resolution
from tranship.model.types import PgType
from tranship.planning.matching.scope import default_schema
from tranship.planning.plan.unchanged import collation_of
from tranship.planning.types.conversion import convert

_SCHEMA_DEFAULT = "USE_SCHEMA_DEFAULT"
_DEFAULT_COLLATION = 'pg_catalog."default"'
_NAMES_COLLATED = 120000


class Sides(Struct, frozen=True):
    """Both catalogs and the schemas that correspond."""

    old: Catalog
    new: Catalog
    schemas: tuple[tuple[str, str], ...]

    def conversion(self, before: PgType, after: PgType) -> Conversion:
        """Returns how values of an old type become values of a new one."""
        return convert(
            before,
            after,
            old_version=self.old.server_version,
            new_version=self.new.server_version,
            schemas=self.schemas,
        )


class TableDecisions(Struct, frozen=True):
    """A pair of tables with what a person decided about its columns."""

    pair: TablePair
    before: Table
    decisions: tuple[Decision, ...]

    @property
    def ignored(self) -> tuple[str, ...]:
        """Old columns that a decision leaves behind."""
        names = (d.resolution.old_column for d in self.decisions if d.action is Action.IGNORE)
        return tuple(name for name in names if name is not None)


def column_mappings(
    columns: Sequence[Column], decided: TableDecisions, sides: Sides
) -> tuple[ColumnMapping, ...]:
    """Returns the mapping of each new column: a decision wins over a pair of columns, and that over NEW's
    default.

    Raises:
        ValueError: a decision or a pair names an old column that does not exist.
    """
    return tuple(_column_mapping(column, decided, sides) for column in columns)


def _column_mapping(column: Column, decided: TableDecisions, sides: Sides) -> ColumnMapping:
    decision = next((d for d in decided.decisions if d.resolution.new_column == column.name), None)
    if decision is not None:
        return _decided_mapping(column, decision.resolution, decided.before, sides)
    pairs = (pair for pair in decided.pair.columns if pair.new == column.name)
    paired = next((pair for pair in pairs if pair.old not in decided.ignored), None)
    if paired is None or column.generated:
        return ColumnMapping(
            column=column.name, type=column.type, expression=NewDefault(), origin=Origin.SERVER
        )
    return ColumnMapping(
        column=column.name,
        type=column.type,
        expression=_take(paired.old, column, decided.before, sides),
        origin=_origin(paired),
        because="; ".join(paired.evidence),
    )


def _decided_mapping(column: Column, entry: Resolution, before: Table, sides: Sides) -> ColumnMapping:
    expression = _decided(entry, column, before, sides)
    origin = Origin.RENAMED if entry.action == Action.RENAME else Origin.DECIDED
    if isinstance(expression, NewDefault):
        origin = Origin.SERVER
    because = entry.because or entry.description
    return ColumnMapping(
        column=column.name, type=column.type, expression=expression, origin=origin, because=because
    )


def _origin(pair: ColumnPair) -> Origin:
    if pair.pairing is Pairing.NAME:
        return Origin.SAME_NAME
    return Origin.DECIDED if pair.pairing is Pairing.DECIDED else Origin.RULE


def _take(name: str, column: Column, before: Table, sides: Sides) -> Take:
    declared = before.column(name)
    if declared is None:
        raise ValueError(f"{before.name} has no column {name}")
    return Take(name, sides.conversion(declared.type, column.type))


def _decided(entry: Resolution, column: Column, before: Table, sides: Sides) -> Expression:
    if entry.action == Action.DEFAULT:
        given = entry.default_value
        return NewDefault() if given == _SCHEMA_DEFAULT else Constant(None if given is UNSET else given)
    if entry.transform_sql is not None:
        return Sql(entry.transform_sql)
    otherwise = None if entry.default_value is UNSET else Constant(entry.default_value)
    for_null = _for_null(entry, column)
    if entry.value_mapping is not None and entry.old_column is not None:
        return MapValues(entry.old_column, entry.value_mapping, otherwise, for_null)
    if entry.lookup_table is not None:
        found = _lookup(entry, entry.lookup_table, otherwise, for_null, sides)
        collations, operators = _collations(found, before, sides.old), _operators(found, sides.old)
        return structs.replace(found, collations=collations, operators=operators)
    if entry.old_column is None:
        raise ValueError(f"{entry.path} names no old column")
    take = _take(entry.old_column, column, before, sides)
    return take if entry.null_value is UNSET else Coalesce(take, Constant(entry.null_value))


def _for_null(entry: Resolution, column: Column) -> Constant | None:
    """Returns what a NULL of OLD becomes; None where it stays NULL.

    NULL is never looked up: it stays NULL where NEW allows it, else takes the default; ``null_value``
    overrides both.
    """
    if entry.null_value is not UNSET:
        return Constant(entry.null_value)
    if column.refuses_null and entry.default_value is not UNSET:
        return Constant(entry.default_value)
    return None


def _collations(lookup: Lookup, before: Table, old: Catalog) -> tuple[str, ...]:
    """Returns the collations of the keys of a table of OLD; empty where the columns have the same.

    The server would refuse to choose between two. Under the one of the column two keys could be equal, so
    that a row would be doubled. What an expression has is unknown.
    """
    table = old.table(lookup.table) if lookup.side is Side.OLD else None
    keys = [table.column(key) for key in lookup.keys] if table is not None else []
    fed = [None if lookup.key_sql else before.column(name) for name in lookup.columns or lookup.key_sql]
    compared = list(zip(keys, fed, strict=False))
    if all(_collated_alike(key, one) for key, one in compared):
        return ()
    return tuple(_collation(key, old) for key, _ in compared)


def _operators(lookup: Lookup, old: Catalog) -> tuple[str, ...]:
    """Returns the equality of each key of a table of OLD in which expressions are looked up."""
    table = old.table(lookup.table) if lookup.side is Side.OLD and lookup.key_sql else None
    keys = [table.column(key) for key in lookup.keys] if table is not None else []
    return tuple((key.type.own_equality if key is not None else None) or "" for key in keys)


def _collated_alike(key: Column | None, looked_up: Column | None) -> bool:
    return key is None or (looked_up is not None and collation_of(key) == collation_of(looked_up))


def _collation(key: Column | None, old: Catalog) -> str:
    """Returns the collation of a key column; empty where its type has none."""
    leaf = key.type.leaf if key is not None else None
    # The type name has a collation from PostgreSQL 12 on.
    without = ("char", "name") if old.server_version < _NAMES_COLLATED else ("char",)
    if key is None or leaf is None or leaf.category != "S" or leaf.typname in without:
        return ""
    return collation_of(key) or _DEFAULT_COLLATION


def _lookup(
    entry: Resolution,
    lookup: LookupTable,
    otherwise: Constant | None,
    for_null: Constant | None,
    sides: Sides,
) -> Lookup:
    side = Side(lookup.database)
    schema = lookup.schema or default_schema(sides.old if side is Side.OLD else sides.new)
    return Lookup(
        entry.sources,
        TableName(schema, lookup.table),
        lookup.keys,
        lookup.value_column,
        side,
        otherwise,
        for_null,
        entry.key_sql,
        add_missing=lookup.add_missing,
    )
