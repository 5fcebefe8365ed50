"""Second stage, lookups: the table and columns they read, and how many keys."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tranship.model.catalog import Catalog, Table
from tranship.model.names import TableName
from tranship.model.resolution import LookupTable, Problem, Resolution
from tranship.planning.deciding.resolve.tables import the_table
from tranship.planning.deciding.resolve.words import WRONG_FIELDS, WRONG_LOOKUP, did_you_mean, fed_by, problem
from tranship.planning.matching.scope import default_schema

_READABLE = ("r", "p", "m", "f")


def check_lookup(entry: Resolution, lookup: LookupTable, old: Catalog, new: Catalog) -> Iterator[Problem]:
    """The lookup's table and columns exist, and there is one old column for each key."""
    yield from _check_counts(entry, lookup)
    catalog = old if lookup.database == "old" else new
    if _out_of_sight(lookup, catalog):
        told = (
            f"schema {lookup.schema!r} is not among the analysed ones: the server is asked before the start"
        )
        yield problem(WRONG_LOOKUP, entry, told, warning=True)
        return
    table = lookup_relation(lookup, catalog)
    side = lookup.database.upper()
    if table is None:
        schema = lookup.schema or default_schema(catalog)
        known = (t.name.name for t in catalog.tables if t.kind in _READABLE and t.name.schema == schema)
        yield problem(
            WRONG_LOOKUP,
            entry,
            f"{side} has no lookup table {lookup.table!r} in schema {schema!r}",
            did_you_mean(lookup.table, known),
        )
        return
    if table.kind not in _READABLE:
        yield problem(
            WRONG_LOOKUP,
            entry,
            f"{side}'s {table.name} is a view: views are never read",
            "name the table behind it",
        )
        return
    for name in dict.fromkeys((*lookup.keys, lookup.value_column)):
        if table.column(name) is None:
            hint = did_you_mean(name, (column.name for column in table.columns))
            yield problem(
                WRONG_LOOKUP, entry, f"{side}'s lookup table {table.name} has no column {name!r}", hint
            )


def lookup_relation(lookup: LookupTable, catalog: Catalog) -> Table | None:
    """The relation a lookup reads."""
    if lookup.schema is not None:
        return catalog.table(TableName(lookup.schema, lookup.table))
    return the_table(catalog, lookup.table)


def tied(entry: Resolution, old: Catalog, new: Catalog) -> Resolution:
    """The entry with its lookup's table and schema as the catalog holds them."""
    if entry.lookup_table is None:
        return entry
    table = lookup_relation(entry.lookup_table, old if entry.lookup_table.database == "old" else new)
    if table is None:
        return entry
    return replace(
        entry, lookup_table=replace(entry.lookup_table, table=table.name.name, schema=table.name.schema)
    )


def _out_of_sight(lookup: LookupTable, catalog: Catalog) -> bool:
    seen = (*catalog.schemas, *(table.name.schema for table in catalog.outside))
    return lookup.schema is not None and lookup.schema not in seen


def _check_counts(entry: Resolution, lookup: LookupTable) -> Iterator[Problem]:
    if lookup.key_column is not None and lookup.key_columns:
        yield problem(
            WRONG_FIELDS,
            entry,
            "lookup_table: key_column and key_columns exclude each other",
            "keep one of them",
        )
        return
    if len(set(lookup.key_columns)) != len(lookup.key_columns):
        yield problem(WRONG_FIELDS, entry, "lookup_table: key_columns names a column twice")
    fed = fed_by(entry)
    if len(lookup.keys) != len(fed):
        told = f"lookup_table has {len(lookup.keys)} key column(s), the entry names {len(fed)} old column(s)"
        yield problem(
            WRONG_FIELDS,
            entry,
            told,
            "old_columns gives the old column of each of key_columns, in their order",
        )
