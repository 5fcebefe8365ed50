"""Parents that a filter leaves out; what is found here only words the reason of a reject."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.execution.probe.derived import Derived
from tranship.execution.probe.parent_flows import ParentFlows
from tranship.execution.probe.questions import NotAskable
from tranship.model.catalog import ForeignKey
from tranship.planning.plan.numbers import own_numbers
from tranship.sql.old.row_source import left_out_rows


async def filtered_keys(derived: Derived, key: ForeignKey, of: ParentFlows, keys: Sequence[str]) -> set[str]:
    """Returns which of some canonical keys belong to parents that a filter leaves out, also that of a flow
    which an earlier run moved; none when the keys cannot be known before NEW has them.
    """
    # Which numbers an earlier run gave is not asked here.
    flows = (*of.flows, *(flow for flow in of.moved if not any(own_numbers(flow))))
    filtered = [flow for flow in flows if not flow.shape.takes_all and flow.shape.items is None]
    if not keys or not filtered:
        return set()
    # A rejects-only run reads rejected rows alone, and its filter left others out.
    others = [left_out_rows(flow.unrestricted) for flow in filtered]
    try:
        return set(await derived.holders(others, key.target_columns, keys))
    except NotAskable:
        return set()
