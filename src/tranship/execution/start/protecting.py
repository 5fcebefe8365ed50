"""Which keys of NEW keep rows from coming twice."""

from __future__ import annotations

from tranship.execution.context import Job
from tranship.model.catalog import Index, Table
from tranship.model.plan import TablePlan
from tranship.planning.plan.same_values import same_each_time


def protecting(job: Job, plan: TablePlan) -> tuple[Index, ...] | None:
    """Returns the unique indexes of NEW that get the same values whenever the rows are moved, and that may
    leave some rows unprotected; None: each row is told apart by a key, or by a decision.
    """
    table = job.after(plan)
    same = same_each_time(plan)
    if plan.shape.existing is not None or _partitions_protect(table, same):
        return None
    found = tuple(i for i in table.indexes if i.unique and i.valid and same.issuperset(i.columns))
    return None if any(_covers(table, index) for index in found) else found


def _covers(table: Table, index: Index) -> bool:
    """Returns whether no row can lie outside of a unique index."""
    never_null = {column.name for column in table.columns if column.not_null and not column.null_before}
    return index.predicate is None and (index.nulls_not_distinct or never_null.issuperset(index.columns))


def _partitions_protect(table: Table, same: set[str]) -> bool:
    """Returns whether each partition has a key of its own, which its table lacks."""
    leaves = table.partitions
    return bool(leaves) and all(any(same.issuperset(key.columns) for key in leaf.keys) for leaf in leaves)
