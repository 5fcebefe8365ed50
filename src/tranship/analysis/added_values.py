"""Lookup tables that are to get the values which they lack (``add_missing``): a flow of its own brings the
distinct values to each of them, before the rows that look them up.

A value that the table holds is found by its unique key, and counts as already there.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.expression import Lookup
from tranship.model.flow import VALUES_LOOKED_UP
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.resolution import Action, Problem, Resolution, ResolutionFile
from tranship.planning.deciding.resolve.flows import flow_name
from tranship.planning.deciding.resolve.lookups import cannot_add
from tranship.planning.matching.scope import Scope
from tranship.sql.old.distinct import distinct_values

Reader = tuple[TablePlan, Lookup]


def asks_to_add(file: ResolutionFile) -> bool:
    """Returns whether a decision adds values to a lookup table."""
    entries = (*file.entries, *(pattern.entry for pattern in file.for_all))
    return any(entry.lookup_table is not None and entry.lookup_table.add_missing for entry in entries)


def with_added_values(
    file: ResolutionFile, plans: Sequence[TablePlan], new: Catalog, scope: Scope
) -> tuple[ResolutionFile, tuple[Problem, ...]]:
    """Returns the file with the entries of a flow into each table to which values are to be added, and why
    that cannot be. ``plans`` are those of the file as it was written.
    """
    readers: dict[TableName, list[Reader]] = {}
    for plan in plans:
        for mapping in plan.columns:
            lookup = mapping.expression
            if isinstance(lookup, Lookup) and lookup.add_missing:
                readers.setdefault(lookup.table, []).append((plan, lookup))
    found = (
        cannot_add(some, plans, chosen=scope.includes_flow(TableName("", VALUES_LOOKED_UP), name))
        for name, some in readers.items()
    )
    problems = [wrong for wrong in found if wrong is not None]
    added = [entry for some in readers.values() for entry in _entries(some, new)] if not problems else []
    return replace(file, entries=(*file.entries, *added)), tuple(problems)


def _entries(readers: Sequence[Reader], new: Catalog) -> list[Resolution]:
    """Returns the entries of the flow: its rows, and its columns."""
    lookup = readers[0][1]
    table = new.table(lookup.table)
    if table is None:
        raise ValueError(f"{lookup.table} is not in the catalog")
    key = flow_name(VALUES_LOOKED_UP, table, new)
    select = Resolution(key, "", Action.QUERY, key=lookup.keys, query=distinct_values(readers))
    columns = [
        Resolution(key, "", Action.TRANSFORM, old_column=name, new_column=name) for name in lookup.keys
    ]
    return [select, *columns]
