"""Asks OLD's planner whether it can compare the columns of lookups with the keys of their tables."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from msgspec.structs import replace

from tranship.errors.codes.decisions import KeysNotComparable
from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Lookup
from tranship.model.names import Side
from tranship.model.plan import ColumnMapping, TablePlan
from tranship.model.resolution import Problem
from tranship.server.trouble import is_lost
from tranship.sql.old.expression_checks import explained_lookup

_NOT_COMPARABLE = (
    asyncpg.UndefinedFunctionError,
    asyncpg.CollationMismatchError,
    asyncpg.IndeterminateCollationError,
)


def looks_up_in_old(mapping: ColumnMapping) -> bool:
    """Returns whether a column is filled by a lookup in a table of OLD."""
    return isinstance(mapping.expression, Lookup) and mapping.expression.side is Side.OLD


async def refused_lookups(
    old: asyncpg.Connection, catalog: Catalog, plans: Sequence[TablePlan]
) -> tuple[Problem, ...]:
    """Returns problems about each lookup in a table of OLD whose keys OLD cannot compare.

    ``old`` is pinned as the run's readers are and has no open transaction. Nothing is executed. What else
    may be wrong with the table, such as a missing privilege, is reported where it is read.
    """
    problems = []
    for plan in plans:
        before = catalog.table(plan.old)
        if before is not None and plan.sources:
            for mapping in filter(looks_up_in_old, plan.columns):
                problems += await _not_comparable(old, replace(plan, columns=(mapping,)), before)
    return tuple(problems)


async def _not_comparable(old: asyncpg.Connection, plan: TablePlan, before: Table) -> list[Problem]:
    """Returns the problem of a plan with one lookup, if OLD cannot compare its keys."""
    mapping = plan.columns[0]
    lookup = mapping.expression
    if not isinstance(lookup, Lookup):
        return []
    try:
        async with old.transaction(readonly=True):
            await old.execute(explained_lookup(plan, before))
    except _NOT_COMPARABLE as error:
        said = error.message or str(error)
        wrong = KeysNotComparable(lookup.table, lookup.keys, lookup.keys[0], said)
        return [wrong.problem(f"{plan.old}.{mapping.column}")]
    except asyncpg.PostgresError as error:
        if is_lost(error):
            raise
        return []
    return []
