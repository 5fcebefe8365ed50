"""Foreign keys that one query proves after the rows of a group, in place of a check for each row.

A check for each row takes several times as long as the COPY itself. Keys may wait where nothing but they
would be silenced, where a query can prove them afterwards, and where rows that break one can leave again.
"""

from __future__ import annotations

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.typed_rows import typed
from tranship.execution.switches.triggers_and_keys import DELETE, INSERT, acting, firing, provable
from tranship.model.catalog import Table
from tranship.model.catalog_codes import TriggerState
from tranship.model.expression import NewDefault
from tranship.model.plan import Group, TablePlan

FEW_ROWS = 5_000
"""Rows of a group below which its keys are checked row by row: the proof would take as long."""


async def keys_may_wait(new: asyncpg.Connection, job: Job, group: Group, *, rows: int) -> bool:
    """Returns whether the foreign keys of a group can be left to a proof after its rows, by a role that may
    set ``session_replication_role``.
    """
    tables = [job.after(plan) for plan in group.tables]
    if rows < FEW_ROWS or not any(key.enforced for table in tables for key in table.every_foreign_key):
        return False
    if not all(_may_leave(job, plan) for plan in group.tables) or not await provable(new, tables):
        return False
    return not any([await _noticed(new, table) for table in tables])


def _may_leave(job: Job, plan: TablePlan) -> bool:
    """Returns whether rows that a flow wrote can be traced to their old rows, and deleted."""
    after = job.after(plan)
    targets = [job.new.table(key.target) for key in after.every_foreign_key]
    readable = all(target is not None and "SELECT" in target.privileges for target in targets)
    simple = plan.shape.existing is None and not plan.may_merge
    return simple and readable and {"SELECT", "DELETE"} <= set(after.privileges) and _traceable(job, plan)


def _traceable(job: Job, plan: TablePlan) -> bool:
    """Returns whether NEW can be asked which old row a row of it was made of."""
    filled = [m.column for m in plan.columns if not isinstance(m.expression, NewDefault)]
    try:
        typed(job, plan, filled, written=True)
    except NotAskable:
        return False
    return bool(filled)


async def _noticed(new: asyncpg.Connection, table: Table) -> bool:
    """Returns whether triggers or rules would act on rows that are written or leave again, whatever the role
    of the session is.
    """
    triggers = await firing(new, table, INSERT | DELETE)
    rules = await acting(new, table, DELETE, replica=True)
    return bool(rules) or any(one.state is not TriggerState.DISABLED for one in triggers)
