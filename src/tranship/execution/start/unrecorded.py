"""Rows that NEW holds and that no run on record wrote, where no key of NEW tells them from OLD's rows.

After a purge the journal knows nothing of the rows of its runs. Rows with a key are then found to be there
already; others would come twice, and nothing in NEW would show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from tranship.errors import Refused
from tranship.errors.codes.unrecorded import ThereTwice, UnrecordedRows
from tranship.execution.context import Job, RunContext
from tranship.execution.copying.counted import journalled_claims
from tranship.execution.start.earlier_runs import Before
from tranship.execution.start.protecting import protecting
from tranship.model.expression import Take
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.model.types import PgType, TypeKind
from tranship.server.journal import find_journal
from tranship.sql.new.unrecorded import count_unrecorded, keys_of_unrecorded, unprotected
from tranship.sql.old.among_keys import among_keys
from tranship.sql.old.cut import count_made

MOST = 10_000
"""Rows of NEW whose keys are looked up in OLD: enough to find rows of an earlier run, which lie together, and
few enough for a question that takes no time.
"""


@dataclass(frozen=True)
class _Recorded:
    """What the runs on record wrote into one table of NEW."""

    rows: int = 0
    xids: tuple[int, ...] = ()


async def unrecorded(
    old: asyncpg.Connection, new: asyncpg.Connection, context: RunContext, before: Before, left: Job
) -> tuple[Problem, ...]:
    """Returns what is to be said of each table that is left to do and that holds rows which no run on record
    wrote: a refusal where rows of OLD are certainly among them, else a warning.

    None with ``--again`` or ``--rejects-only``. A table that an unfinished run has begun was asked about when
    that run began.
    """
    if context.options.again or context.options.rejects_only:
        return ()
    begun = set()
    if before.unfinished is not None:
        begun = {task.flow for task in await context.journal.tasks(new, before.unfinished.id)}
    plans = [
        plan for plan in left.plan.tables if plan.flow not in begun and protecting(left, plan) is not None
    ]
    recorded = await _recorded(new, context, {plan.new for plan in plans})
    pairs = Counter((plan.old, plan.new) for plan in context.job.plan.tables)
    problems = []
    for plan in plans:
        look = _Look(old, new, left, plan, recorded.get(plan.new, _Recorded()))
        # Several flows of one pair of tables may give NEW several rows with the key of one old row.
        problem = await look.problem(alone=pairs[plan.old, plan.new] == 1)
        problems += [problem] if problem is not None else []
    return tuple(problems)


async def refuse_twice(
    old: asyncpg.Connection, new: asyncpg.Connection, context: RunContext, before: Before, left: Job
) -> tuple[Problem, ...]:
    """Returns the warnings of `unrecorded`.

    Raises:
        Refused: rows of OLD are among those that NEW holds.
    """
    problems = await unrecorded(old, new, context, before, left)
    if any(not problem.warning for problem in problems):
        raise Refused(tuple(problem for problem in problems if not problem.warning))
    return problems


async def _recorded(
    new: asyncpg.Connection, context: RunContext, tables: set[TableName]
) -> dict[TableName, _Recorded]:
    """Returns what the runs on record wrote into these tables, whichever OLD they read."""
    journal = await find_journal(new, context.config.journal_schema) if tables else None
    if journal is None:
        return {}
    places = [
        (run, task)
        for run in await journal.runs(new, None)
        for task in await journal.tasks(new, run.id)
        if task.flow.new in tables
    ]
    found: dict[TableName, _Recorded] = {}
    for _, claim in await journalled_claims(new, journal, places):
        known = found.get(claim.table, _Recorded())
        found[claim.table] = _Recorded(known.rows + claim.rows, (*known.xids, *claim.xids))
    return found


@dataclass(frozen=True)
class _Look:
    """The question about one flow."""

    old: asyncpg.Connection
    new: asyncpg.Connection
    job: Job
    plan: TablePlan
    recorded: _Recorded

    async def problem(self, *, alone: bool) -> Problem | None:
        """Returns what is to be said; None: NEW holds no such row. ``alone``: no other flow makes rows of the
        same old table for the same new one.
        """
        table, xids = self.job.after(self.plan), self.recorded.xids
        condition = unprotected(protecting(self.job, self.plan) or ())
        row = await self.new.fetchrow(count_unrecorded(table, condition, xids))
        # The transactions of a run are others' where NEW was restored from a dump or a table rewritten: then
        # the journal's count tells how many rows are nobody's.
        rows = min(row["unrecorded"], max(row["whole"] - self.recorded.rows, 0))
        if not rows:
            return None
        key = _key(self.job, self.plan) if alone else ()
        if key:
            names = [new for _, new, _ in key]
            keys = await self.new.fetch(keys_of_unrecorded(table, condition, xids, names, MOST))
            twice = await self._in_old(key, keys)
            if twice:
                return ThereTwice(
                    self.plan.old, self.plan.new, rows, len(keys), twice, tuple(names)
                ).problem()
        return UnrecordedRows(self.plan.old, self.plan.new, rows).problem()

    async def _in_old(self, key: Sequence[_KeyColumn], rows: Sequence[asyncpg.Record]) -> int:
        """Returns how many rows that the flow makes have one of these keys."""
        values = [tuple(row) for row in rows if None not in tuple(row)]
        among = among_keys([old for old, _, _ in key], [kind for _, _, kind in key], values)
        numbers = range(len(self.plan.sources))
        return sum([int(await self.old.fetchval(count_made(self.plan, n, [among]))) for n in numbers])


_KeyColumn = tuple[str, str, str]
"""A key column of OLD, the column of NEW that takes its values as they are, and the type to compare in."""


def _key(job: Job, plan: TablePlan) -> tuple[_KeyColumn, ...]:
    """Returns the key columns of OLD with those of NEW; empty where one of them does not arrive as it is."""
    if not plan.shape.in_a_heap or plan.shape.items is not None:
        return ()
    types = {column.name: column.type for column in job.before(plan).columns}
    found = []
    for name in plan.key:
        taking = [m for m in plan.columns if isinstance(m.expression, Take) and m.expression.column == name]
        kinds = [(m.column, kind) for m in taking if (kind := _compared_as(types[name], m.type)) is not None]
        if not kinds:
            return ()
        found.append((name, *kinds[0]))
    return tuple(found)


_COMPARED = (
    ({"smallint", "integer", "bigint"}, "bigint"),
    ({"text", "character varying"}, "text"),
    ({"uuid"}, "uuid"),
)
"""Types whose texts mean the same under all settings of both servers, and what they are compared as."""


def _compared_as(old: PgType, new: PgType) -> str | None:
    """Returns the type in which values of both columns are compared; None: they are not compared."""
    if old.kind is not TypeKind.BASE or old.name is None or old.name.schema != "pg_catalog":
        return None
    return next((kind for family, kind in _COMPARED if {old.base, new.base} <= family), None)
