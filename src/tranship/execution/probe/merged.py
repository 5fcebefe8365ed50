"""Rows of OLD that are merged into others (the action ``merge``).

Memory: about 300 bytes per merged row.
"""

from __future__ import annotations

import re

from tranship.errors import Refused
from tranship.errors.codes.shapes import MergedDiffer
from tranship.errors.codes.start import RowsRaise
from tranship.execution.context import Job
from tranship.execution.probe.reading import RAISED, Reader
from tranship.execution.time_spent import question
from tranship.model.count import count_of
from tranship.model.expression import Rekeyed, old_columns
from tranship.model.plan import TablePlan
from tranship.model.resolution import Problem
from tranship.model.shape import Merge
from tranship.model.verdict import Held, HeldAs
from tranship.server.snapshot import Snapshot
from tranship.sql.old.survivors import merged_rows, values_lost
from tranship.sql.row_id import locate

_NAMED = 8
"""Columns that one message names."""


async def merged(reader: Reader, merge: Merge) -> list[Held]:
    """Returns the rows of a flow that are merged into others, each with its survivor.

    Raises:
        Refused: an expression of the decision raises, so that nobody can say which rows are one.
    """
    plan, before = reader.plan, reader.job.before(reader.plan)
    by_oid = {source.oid: number for number, source in enumerate(plan.sources)}
    found = []
    try:
        rows = await reader.old.fetch(merged_rows(plan, before, merge))
    except RAISED as error:
        raise Refused(RowsRaise(plan.flow, "the key or 'keep' of its merge", str(error), "")) from error
    for row in rows:
        own = locate(by_oid[row["relation"]], row["id"])
        into = locate(by_oid[row["into_relation"]], row["into_id"])
        found.append(Held(own, HeldAs.MERGED, into=into))
    return found


async def lost_by_merging(snapshot: Snapshot, job: Job) -> tuple[Problem, ...]:
    """Returns a warning for each flow with merged rows that hold values which the row that stays does not."""
    found = [
        await _lost(snapshot, job, plan, plan.shape.merge) for plan in job.plan.tables if plan.shape.merge
    ]
    return tuple(problem for problem in found if problem is not None)


async def _lost(snapshot: Snapshot, job: Job, plan: TablePlan, merge: Merge) -> Problem | None:
    """Only columns that are copied are looked at, without those of OLD's key, in which all rows differ. In
    those that the merge's key names, case and blanks do not count: a person decided that they are equal.
    """
    columns = _copied(plan)
    if not columns:
        return None
    loosely = frozenset(name for name in columns if any(_names(text, name) for text in merge.key))
    async with snapshot.reader(plan.zone) as old:
        with question(f"values that merged rows of {plan.flow} lose"):
            counts = await old.fetchrow(values_lost(plan, job.before(plan), merge, columns, loosely))
    if counts is None or not counts["rows"]:
        return None
    lost = [(counts[f"c{n}"], name) for n, name in enumerate(columns) if counts[f"c{n}"]]
    lost.sort(key=lambda one: (-one[0], one[1]))
    named = ", ".join(f"'{name}' ({rows})" for rows, name in lost[:_NAMED])
    more = f" and {count_of(len(lost) - _NAMED, 'more column')}" if len(lost) > _NAMED else ""
    return MergedDiffer(plan.flow, count_of(counts["rows"], "merged row"), named + more).problem()


def _copied(plan: TablePlan) -> list[str]:
    """Returns the old columns whose values the row that stays has in NEW, and a merged one has not."""
    read = [name for mapping in plan.columns for name in old_columns(mapping.expression)]
    led = {mapping.expression.column for mapping in plan.columns if isinstance(mapping.expression, Rekeyed)}
    return [name for name in dict.fromkeys(read) if name not in led.union(plan.key)]


def _names(text: str, column: str) -> bool:
    """Returns whether an expression has a word that is the column's name."""
    return re.search(rf"(?<![\w$]){re.escape(column)}(?![\w$])", text, re.IGNORECASE) is not None
