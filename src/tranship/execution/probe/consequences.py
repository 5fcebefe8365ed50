"""Whether a rejected row changes what becomes of others. Pure."""

from __future__ import annotations

from tranship.execution.context import Job
from tranship.model.plan import HazardKind, TablePlan

_BETWEEN_ROWS = frozenset({HazardKind.UNIQUE, HazardKind.EXCLUDE})


def decides_others(job: Job, plan: TablePlan) -> bool:
    """Returns whether a row of a flow that is rejected could let another row live, or take one along.

    Where it could not, the fault may be left to COPY, which meets it whatever was asked before.
    """
    shape = plan.shape
    among_rows = any(hazard.kind in _BETWEEN_ROWS for hazard in plan.hazards)
    if among_rows or shape.merge is not None or shape.existing is not None or not shape.one_row_each:
        return True
    return plan.new in job.lookup_tables or any(
        key.target == plan.new for other in job.plan.tables for key in job.after(other).every_foreign_key
    )
