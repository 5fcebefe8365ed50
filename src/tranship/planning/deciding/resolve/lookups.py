"""Second stage, lookups: the table and the columns that they read, and the number of keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tranship.errors.codes.entries import KeyColumnTwice, SeveralWays, WrongKeyCount
from tranship.errors.codes.entry_values import (
    CannotAddMissing,
    LookupInServer,
    LookupIsView,
    LookupSchemaNotAnalysed,
    UnknownLookupColumn,
    WrongLookup,
)
from tranship.model.catalog import Catalog, Column, Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Lookup
from tranship.model.names import SERVER_SCHEMAS, Side, TableName
from tranship.model.plan import TablePlan
from tranship.model.resolution import LookupTable, Problem, Resolution
from tranship.planning.deciding.resolve.tables import the_table
from tranship.planning.deciding.resolve.words import did_you_mean, problem
from tranship.planning.matching.scope import HOLDS_ROWS, KIND_WORDS, default_schema

# What a lookup may join.
_READABLE = (
    RelationKind.TABLE,
    RelationKind.PARTITIONED_TABLE,
    RelationKind.MATERIALIZED_VIEW,
    RelationKind.FOREIGN_TABLE,
)


def check_lookup(entry: Resolution, lookup: LookupTable, old: Catalog, new: Catalog) -> Iterator[Problem]:
    """Yields a problem unless the lookup's table and columns exist and each key has its old column."""
    if lookup.schema in SERVER_SCHEMAS:
        yield problem(entry, LookupInServer(lookup.schema, lookup.table))
        return
    yield from _check_counts(entry, lookup)
    catalog = old if lookup.database == "old" else new
    if _is_not_analysed(lookup, catalog):
        yield problem(entry, LookupSchemaNotAnalysed(lookup.schema))
        return
    table = lookup_relation(lookup, catalog)
    side = Side(lookup.database)
    if table is None:
        yield problem(entry, _no_relation(lookup, side, catalog))
        return
    if table.kind not in _READABLE:
        yield problem(entry, LookupIsView(side, table.name))
        return
    unknown = list(_unknown_columns(entry, lookup, table))
    yield from unknown
    if lookup.add_missing and not unknown:
        yield from _check_adding(entry, lookup, table)


def _no_relation(lookup: LookupTable, side: Side, catalog: Catalog) -> WrongLookup:
    """Returns what to say of a lookup in a relation that is not there. Its name may begin with a schema."""
    first, dot, rest = lookup.table.partition(".")
    qualified = bool(dot) and lookup.schema is None and first in catalog.schemas
    schema, name = (first, rest) if qualified else (lookup.schema or default_schema(catalog), lookup.table)
    known = (t.name.name for t in catalog.tables if t.kind in _READABLE and t.name.schema == schema)
    return WrongLookup(side, name, schema, did_you_mean(name, known))


def _unknown_columns(entry: Resolution, lookup: LookupTable, table: Table) -> Iterator[Problem]:
    for name in dict.fromkeys((*lookup.keys, lookup.value_column)):
        if table.column(name) is None:
            hint = did_you_mean(name, (column.name for column in table.columns))
            yield problem(entry, UnknownLookupColumn(Side(lookup.database), table.name, name, hint))


def _check_adding(entry: Resolution, lookup: LookupTable, table: Table) -> Iterator[Problem]:
    """Yields why the values that a lookup table lacks cannot be added to it: a row has to be whole, and found
    again by its keys.
    """
    if lookup.database == "old" or table.kind not in HOLDS_ROWS:
        what = "it is a table of OLD" if lookup.database == "old" else f"it is {KIND_WORDS[table.kind]}"
        yield problem(entry, CannotAddMissing(table.name, what, "only tables of NEW take rows"))
        return
    yield from _check_found_again(entry, lookup, table)
    for column in table.columns:
        given = column.name in lookup.keys
        if given and column.generated:
            why = f"NEW computes its key column {column.name!r}"
            yield problem(entry, CannotAddMissing(table.name, why, "name columns that can be written"))
        elif not given and not column.filled_by_server and _is_needed(column, lookup):
            why = f"nothing would fill its column {column.name!r}"
            instead = "give the column a default in NEW, or add the rows before the run"
            yield problem(entry, CannotAddMissing(table.name, why, instead))


def _check_found_again(entry: Resolution, lookup: LookupTable, table: Table) -> Iterator[Problem]:
    keys = (frozenset(key.columns) for key in table.keys if not key.deferrable)
    if frozenset(lookup.keys) not in keys:
        why = f"no unique key over {', '.join(lookup.keys)} tells which values it has"
        yield problem(entry, CannotAddMissing(table.name, why, "add a UNIQUE constraint to NEW's table"))


def _is_needed(column: Column, lookup: LookupTable) -> bool:
    """Returns whether a row needs a value in a column: it is NOT NULL, or the result of the lookup."""
    return column.refuses_null or column.name == lookup.value_column


def cannot_add(
    readers: Sequence[tuple[TablePlan, Lookup]], plans: Sequence[TablePlan], *, chosen: bool
) -> Problem | None:
    """Returns why one flow cannot bring all values that lookups, at least one, find missing in one table;
    None where it can. ``plans`` are all flows of the run; ``chosen``: the configuration takes the table in.
    """
    plan, lookup = readers[0]
    filler = next((other for other in plans if other.new == lookup.table), None)
    if filler is not None:
        why = f"{filler.flow} fills it"
        instead = "look values up without 'add_missing', or fill the table in another way"
    elif len({frozenset(other.keys) for _, other in readers}) > 1:
        why, instead = "lookups find its rows by different columns", "name the same key columns everywhere"
    elif not chosen:
        why, instead = 'the configured "tables" or -T leave it out', 'name it in "tables", or leave it in'
    else:
        return None
    return CannotAddMissing(lookup.table, why, instead).problem(str(plan.flow))


def lookup_relation(lookup: LookupTable, catalog: Catalog) -> Table | None:
    """Returns the relation that a lookup reads; None when there is none, or several of its name."""
    if lookup.schema is not None:
        return catalog.table(TableName(lookup.schema, lookup.table))
    return the_table(catalog, lookup.table)


def with_lookup_names(entry: Resolution, old: Catalog, new: Catalog) -> Resolution:
    """Returns the entry with its lookup's table and schema as the catalog has them."""
    if entry.lookup_table is None:
        return entry
    table = lookup_relation(entry.lookup_table, old if entry.lookup_table.database == "old" else new)
    if table is None:
        return entry
    return replace(
        entry, lookup_table=replace(entry.lookup_table, table=table.name.name, schema=table.name.schema)
    )


def _is_not_analysed(lookup: LookupTable, catalog: Catalog) -> bool:
    seen = (*catalog.schemas, *(table.name.schema for table in catalog.outside))
    return lookup.schema is not None and lookup.schema not in seen


def _check_counts(entry: Resolution, lookup: LookupTable) -> Iterator[Problem]:
    if lookup.key_column is not None and lookup.key_columns:
        yield problem(entry, SeveralWays("lookup_table: key_column and key_columns"))
        return
    if len(set(lookup.key_columns)) != len(lookup.key_columns):
        yield problem(entry, KeyColumnTwice())
    fed = entry.key_sql or entry.sources
    if len(lookup.keys) != len(fed):
        yield problem(entry, WrongKeyCount(len(lookup.keys), len(fed)))
