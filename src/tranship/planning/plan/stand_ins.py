"""Parents for which other rows of NEW stand: merged ones, and ones that were found in NEW."""

from __future__ import annotations

from collections.abc import Iterable

from tranship.model.catalog import Catalog
from tranship.model.plan import TablePlan
from tranship.model.references import references
from tranship.planning.plan.found import found_by


def why_not_alone(plan: TablePlan, known: Iterable[TablePlan], new: Catalog) -> str | None:
    """Returns why rejected rows of a flow cannot be moved without the others: what becomes of them depends on
    what the run found out about other rows, which is not on record; None: it does not.

    Args:
        plan: the flow.
        known: all flows of the job, those that earlier runs moved among them.
        new: NEW's catalog.
    """
    after = new.table(plan.new)
    targets = {key.target for key in references(after)} if after is not None else set()
    for parent in known:
        if parent.new in targets and _stands_in(parent, new):
            return f"they refer to rows of {parent.new} that were merged or found in NEW"
    if plan.shape.merge is not None:
        return "rows were merged together with others"
    if plan.repointing is not None:
        merged = ", ".join(dict.fromkeys(str(one.table) for one in plan.repointing.parents))
        return f"rows of OLD's {merged} were merged, and the old rows refer to them"
    return None


def _stands_in(parent: TablePlan, new: Catalog) -> bool:
    """Returns whether the row of NEW that stands for a row of a flow may have another key than that row."""
    shape = parent.shape
    if shape.existing is None:
        return shape.merge is not None
    return shape.merge is not None or bool(found_by(shape.existing, parent, new).own)
