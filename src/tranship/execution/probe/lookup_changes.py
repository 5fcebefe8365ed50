"""Whether the tables in which a run looks up are as they were at its first row."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from tranship.errors import Stopped
from tranship.errors.codes.stops import LookupChanged
from tranship.model.expression import Lookup
from tranship.model.names import Side
from tranship.model.plan import Group, TablePlan
from tranship.sql import lookup as text


def fixed_lookups(group: Group, plan: TablePlan) -> tuple[Lookup, ...]:
    """Returns the lookups of a flow whose tables may not change while its rows are copied: all but those that
    its own group fills.
    """
    filled = {p.new for p in group.tables}
    lookups = (m.expression for m in plan.columns if isinstance(m.expression, Lookup))
    return tuple(dict.fromkeys(e for e in lookups if e.side is Side.OLD or e.table not in filled))


async def contents(lookups: Sequence[Lookup], old: asyncpg.Connection, new: asyncpg.Connection) -> str:
    """Returns for each lookup the rows of its table and a hash that does not depend on their order, as one
    text.
    """
    found = [
        await (old if lookup.side is Side.OLD else new).fetchrow(text.content_hash(lookup))
        for lookup in lookups
    ]
    return " ".join(f"{rows}:{hashed}" for rows, hashed in found)


def lookups_changed(plan: TablePlan, lookups: Sequence[Lookup]) -> Stopped:
    """Returns the stop of a run whose lookup tables are not as they were at its first row."""
    return Stopped(LookupChanged(plan.flow, tuple(sorted({str(lookup.table) for lookup in lookups}))))
