"""What is known of the rows of a flow, from what was found."""

from __future__ import annotations

from msgspec import UNSET

from tranship.execution.proof.expected import copied_columns
from tranship.execution.verification.recorded import Recorded
from tranship.execution.verification.scene import Found, Scene
from tranship.model.expression import NewDefault
from tranship.model.plan import TablePlan
from tranship.model.verification import VerifiedTable, VerifyOptions


def told(scene: Scene, flow: Recorded, found: Found | None) -> VerifiedTable:
    """Returns the verdict about one flow; ``found``: None where nothing could be compared."""
    verified: bool | str | None
    if found is None or flow.plan is None or not found.proven:
        verified, why = None, found.why if found is not None else flow.unprovable
    else:
        verified, why = _verdict(scene.options, flow.plan, found)
    columns = 0
    if verified and found is not None and not found.differences and flow.plan is not None:
        columns = len(copied_columns(scene.job(flow.run.id), flow.plan))
    return VerifiedTable(
        flow.run.id,
        str(flow.flow.old),
        str(flow.table),
        flow.rows,
        verified,
        why,
        cells_verified=flow.rows * columns,
        differences=tuple(found.differences) if found is not None else (),
        rows_changed_in_old=found.changed_in_old if found is not None else 0,
        flow=flow.flow.name or UNSET,
    )


def _verdict(options: VerifyOptions, plan: TablePlan, found: Found) -> tuple[bool | str, str]:
    """Returns what is known of rows that could be compared, and why no more."""
    wrong = [one for one in found.differences if not (options.new_in_use and one.by_others)]
    rows = sum(one.rows for one in wrong or found.differences)
    if wrong:
        return False, found.why or f"{rows} of its rows in NEW {'differs' if rows == 1 else 'differ'}"
    if found.differences:
        return f"except rows that others added or changed since: {rows}", found.why
    apart = _apart(plan)
    return (f"except {apart}" if apart else True), found.why


def _apart(plan: TablePlan) -> str:
    """Returns the columns whose values nobody can compare, each with the reason."""
    return ", ".join(
        f"{mapping.column} (filled by NEW)"
        for mapping in plan.columns
        if isinstance(mapping.expression, NewDefault)
    )
