"""Children that keep a key which a decision changes for their parents.

OLD's foreign key says whose child a row is, and where it declares none, its values do. Where the parents'
key becomes another value in NEW and the children's does not, a child would find nobody under it, or a
stranger.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tranship.errors.codes.stale_references import ReferenceNotCompared
from tranship.execution.context import Job
from tranship.execution.probe.both_keys import BothKeys, Changes, on_new, on_old
from tranship.execution.probe.own_parents import without_constants
from tranship.execution.probe.parent_flows import ParentFlows, as_taken, parent_flows
from tranship.model.catalog import ForeignKey
from tranship.model.expression import Constant, Lookup, MapValues, Sql, Take
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.model.references import references
from tranship.model.resolution import Problem
from tranship.planning.plan.implied_keys import implied_key
from tranship.planning.plan.unchanged import mapping_of


class ChangedKeys:
    """Finds the rows of one flow whose own parent has another key in NEW than they have."""

    def __init__(self, job: Job, keys: BothKeys) -> None:
        self._job, self._keys = job, keys

    async def misled(self, plan: TablePlan, key: ForeignKey) -> list[Locator]:
        """Returns the rows, in their order, whose parent in OLD will not be the one that NEW's key finds.

        Raises:
            NotAskable: neither database compares the keys; `uncompared` refuses the run before.
        """
        of = changed_parents(self._job, plan, key)
        if of is None:
            return []
        declared = parent_flows(self._job, plan, key).declared is not None
        return await self._keys.apart(plan, key, of, _changes(plan, key, of), orphans_too=declared)


def changed_parents(job: Job, plan: TablePlan, key: ForeignKey) -> ParentFlows | None:
    """Returns where the parents are, if a decision changes their key and not the children's."""
    of = parent_flows(job, plan, key)
    if of.by_decision:
        return None
    found = of if of.declared is not None else _by_values(job, plan, key, of)
    if not any(map(_changes(plan, key, found), found.all_rows)):
        return None
    # Values that OLD cannot compare are nobody's keys.
    comparable = of.declared is not None or on_old(job, plan, key, found, lambda _: False) is not None
    return found if comparable else None


def _by_values(job: Job, plan: TablePlan, key: ForeignKey, of: ParentFlows) -> ParentFlows:
    """Returns the same with the key that OLD's values imply."""
    parents = (*of.flows, *of.moved)
    above = job.old.table(parents[0].old) if parents else None
    return replace(of, declared=implied_key(key, plan, parents, above))


def uncompared(job: Job) -> Iterator[Problem]:
    """Yields each reference to a changed key that neither database can compare with it."""
    for plan in job.plan.tables:
        for key in references(job.after(plan)):
            of = changed_parents(job, plan, key) if key.enforced else None
            if of is None or of.declared is None or on_new(job, plan, key):
                continue
            if on_old(job, plan, key, of, _changes(plan, key, of)) is None:
                above = of.all_rows[0].flow
                yield ReferenceNotCompared(plan.flow, key.name, of.declared.target, above).problem()


def _changes(plan: TablePlan, key: ForeignKey, of: ParentFlows) -> Changes:
    plain, declared = without_constants(as_taken(plan, key), key), of.declared
    return lambda above: declared is not None and _is_kept(plain, key, above, declared)


def _is_kept(plan: TablePlan, key: ForeignKey, parent: TablePlan, declared: ForeignKey) -> bool:
    """Returns whether children keep the values of OLD under a key that others fill for a flow of parents."""
    changed, partners = False, dict(zip(declared.columns, declared.target_columns, strict=True))
    for name, target in zip(key.columns, key.target_columns, strict=True):
        child, above = mapping_of(plan, name), mapping_of(parent, target)
        if child is None or above is None or not isinstance(child.expression, Take | Constant):
            return False
        changed = changed or isinstance(above.expression, Sql | MapValues | Lookup)
        if isinstance(child.expression, Take) and isinstance(above.expression, Take):
            partner = partners.get(child.expression.column)
            changed = changed or partner not in (None, above.expression.column)
    return changed
