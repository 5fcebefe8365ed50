"""Parents that a filter leaves out; what is found here only words the reason of a reject."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.execution.probe.derived import Derived
from tranship.execution.probe.questions import NotAskable
from tranship.model.catalog import ForeignKey
from tranship.model.plan import TablePlan
from tranship.sql.old.row_source import left_out_rows


async def filtered_keys(
    derived: Derived, key: ForeignKey, flows: Sequence[TablePlan], keys: Sequence[str]
) -> set[str]:
    """Returns which of some canonical keys belong to parents that a filter leaves out; none when the keys
    cannot be known before NEW has them.
    """
    filtered = [flow for flow in flows if not flow.shape.takes_all and flow.shape.items is None]
    if not keys or not filtered:
        return set()
    others = [left_out_rows(flow) for flow in filtered]
    try:
        return set(await derived.holders(others, key.target_columns, keys))
    except NotAskable:
        return set()
