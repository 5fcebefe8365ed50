"""Keys of lookup tables that stand for two values, now or once OLD's rows are there."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.errors import Refused
from tranship.execution.context import Job
from tranship.execution.probe.lookups import Key, ambiguous_key
from tranship.execution.probe.whole_tables import table_of
from tranship.model.catalog import Table
from tranship.model.expression import Lookup
from tranship.model.names import Side, TableName
from tranship.model.plan import TablePlan
from tranship.sql import lookup as text
from tranship.sql.canonical import computed_on_old
from tranship.sql.expression import compile_text
from tranship.sql.old import lookup_keys


async def check_lookups(
    job: Job, plans: Sequence[TablePlan], old: asyncpg.Connection, new: asyncpg.Connection
) -> None:
    """Checks that no key of a lookup stands for two values, neither now nor with what this run will add.

    Raises:
        Refused: with one problem per lookup, naming table, column and key.
    """
    problems = []
    for plan, lookup in _distinct_lookups(plans):
        conn = new if lookup.side is Side.NEW else old
        found = [tuple(row) for row in await conn.fetch(text.ambiguous(lookup, table_of(job, lookup)))]
        if lookup.side is Side.NEW:
            found += await _ambiguous_later(job, old, lookup)
        problems += [ambiguous_key(plan, lookup, key) for key in found[:3]]
    if problems:
        raise Refused(problems)


def _distinct_lookups(plans: Sequence[TablePlan]) -> list[tuple[TablePlan, Lookup]]:
    """Returns each lookup once, with the first plan that uses it: old columns do not change its entries."""
    found: dict[tuple[Side, TableName, tuple[str, ...], str], tuple[TablePlan, Lookup]] = {}
    for plan in plans:
        for mapping in plan.columns:
            lookup = mapping.expression
            if isinstance(lookup, Lookup):
                found.setdefault((lookup.side, lookup.table, lookup.keys, lookup.value), (plan, lookup))
    return list(found.values())


async def _ambiguous_later(job: Job, old: asyncpg.Connection, lookup: Lookup) -> list[Key]:
    """Returns keys that OLD's rows will make ambiguous.

    Only those are found that OLD alone can tell. A unique key of NEW over the columns forbids any.
    """
    table = job.new.table(lookup.table)
    if table is None or _unique_in(table, lookup):
        return []
    found: list[Key] = []
    for plan in job.fillers(lookup.table):
        query = _ambiguous_to_be(job, plan, lookup)
        if query is not None:
            found += [tuple(row) for row in await old.fetch(query)]
    return found


def _unique_in(table: Table, lookup: Lookup) -> bool:
    columns = set(lookup.keys)
    return any(set(key.columns) <= columns and not key.nulls_not_distinct for key in table.keys)


def _ambiguous_to_be(job: Job, plan: TablePlan, lookup: Lookup) -> str | None:
    """Returns the query on OLD for keys that a plan will make ambiguous. None: OLD cannot compute them."""
    before = job.before(plan)
    keys = [computed_on_old(plan, name, before) for name in lookup.keys]
    known = [key for key in keys if key is not None]
    position = next((n for n, mapping in enumerate(plan.columns) if mapping.column == lookup.value), None)
    if len(known) < len(keys) or position is None or computed_on_old(plan, lookup.value, before) is None:
        return None
    return lookup_keys.ambiguous_to_be(plan, known, compile_text(plan, position, before))
