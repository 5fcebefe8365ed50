"""Foreign keys whose values are found by a lookup in the very table to which they lead: the parent is the
entry.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.execution.context import Job
from tranship.model.catalog import ForeignKey
from tranship.model.catalog_codes import RelationKind
from tranship.model.expression import Lookup
from tranship.model.plan import TablePlan


def leads_within(group: Sequence[TablePlan], plan: TablePlan, key: ForeignKey) -> bool:
    """Returns whether a key leads to the row in which a lookup within the group found its value."""
    if any(other.shape.existing is not None for other in group):
        return False
    finds = _finds(plan, key)
    return finds is not None and finds.within and finds.otherwise is None and finds.for_null is None


def leads_to_entry(job: Job, plan: TablePlan, key: ForeignKey) -> bool:
    """Returns whether every value of a key is NULL, or that of a row that NEW holds and the run leaves there,
    as it is.
    """
    finds, table = _finds(plan, key), job.new.table(key.target)
    if finds is None or table is None or not (finds.own and finds.reads_new) or finds.within:
        return False
    # A lookup reads the tables that inherit from its own; a key does not lead there.
    alone = table.kind == RelationKind.PARTITIONED_TABLE or not table.children
    constants = {one.value for one in (finds.otherwise, finds.for_null) if one is not None}
    return alone and constants <= {None} and not job.fillers(key.target)


def _finds(plan: TablePlan, key: ForeignKey) -> Lookup | None:
    """Returns the lookup that fills a key of one column from the column to which it leads."""
    finds = next((m.expression for m in plan.columns if (m.column,) == key.columns), None)
    if not isinstance(finds, Lookup):
        return None
    return finds if (finds.table, (finds.value,)) == (key.target, key.target_columns) else None
