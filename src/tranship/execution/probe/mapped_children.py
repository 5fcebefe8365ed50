"""Children of rejected rows under a key that a value mapping fills.

A mapping that gives a child another key than its parent gets says which row of NEW is meant, and stands. For
the values for which both get the same key it says nothing: there OLD's foreign key says whose child a row is.
"""

from __future__ import annotations

from tranship.execution.context import Job
from tranship.execution.probe.both_keys import BothKeys
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.own_parents import OwnParents
from tranship.execution.probe.parent_flows import parent_flows
from tranship.execution.probe.row_list import RowList
from tranship.model.catalog import ForeignKey
from tranship.model.plan import TablePlan


class MappedChildren:
    """Finds the rows of one flow to which a mapping gives the key of their own rejected parent."""

    def __init__(self, job: Job, derived: Derived, own: OwnParents, keys: BothKeys) -> None:
        self._job, self._derived, self._own, self._keys = job, derived, own, keys

    async def orphaned(self, plan: TablePlan, key: ForeignKey) -> RowList:
        """Returns the rows, in their order, whose parents in OLD are all rejected and would have had the key
        that they get, less those that are not written anyway.

        Raises:
            NotAskable: OLD cannot compute the keys.
        """
        of = parent_flows(self._job, plan, key).undecided
        rows = await self._own.orphaned_of(plan, key, of) if of is not None else RowList()
        found = RowList()
        if of is None or not rows:
            return found
        decided = set(await self._keys.apart(plan, key, of))
        for some in rows.parts():
            # A row that a mapping gives NULL refers to nothing, by decision as well.
            referring = await self._derived.keys_of(plan, key.columns, some)
            found.extend(row for row in some if row in referring and row not in decided)
        return found
