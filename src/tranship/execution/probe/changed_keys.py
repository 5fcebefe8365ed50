"""Children that keep a key which a decision changes for their parents.

OLD's foreign key says whose child a row is. Where the parents' key becomes another value in NEW and the
children's does not, a child would find nobody under it, or a stranger.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.execution.context import Job
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.own_parents import OwnParents, without_constants
from tranship.execution.probe.parent_flows import ParentFlows, as_taken, parent_flows
from tranship.execution.probe.questions import NotAskable
from tranship.execution.probe.reading import RAISED
from tranship.model.catalog import ForeignKey, Table
from tranship.model.expression import Constant, Lookup, MapValues, Sql, Take
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.planning.plan.unchanged import mapping_of
from tranship.sql.canonical import written_on_old
from tranship.sql.new.probe import ROLL_BACK, SAVEPOINT
from tranship.sql.old.rows import End, orphans
from tranship.sql.row_id import locate


class ChangedKeys:
    """Finds the rows of one flow whose own parent has another key in NEW than they have."""

    def __init__(self, job: Job, derived: Derived, own: OwnParents) -> None:
        self._job, self._derived, self._own = job, derived, own

    def may_mislead(self, plan: TablePlan, key: ForeignKey) -> bool:
        """Returns whether a decision changes the key of parents alone."""
        return self._changed(plan, key) is not None

    async def misled(self, plan: TablePlan, key: ForeignKey) -> list[Locator]:
        """Returns the rows, in their order, whose parent in OLD will not be the one that NEW's key finds.

        Raises:
            NotAskable: OLD cannot compute the keys.
        """
        of, plain = self._changed(plan, key), without_constants(as_taken(plan, key), key)
        if of is None or of.declared is None:
            return []
        parents = [self._end(plain, key, parent, of.declared) for parent in _all(of)]
        old = self._derived.reader(plan).old
        query = orphans(End(plain, parents[0][0]), [(compared, end, ()) for compared, end in parents])
        await old.execute(SAVEPOINT)
        try:
            records = await old.fetch(query)
        except RAISED as error:
            raise NotAskable(f"a key of {of.flows[0].flow} cannot be computed: {error}") from error
        finally:
            await old.execute(ROLL_BACK)
        return sorted({locate(source, id_) for source, id_ in records})

    def _changed(self, plan: TablePlan, key: ForeignKey) -> ParentFlows | None:
        """Returns where the parents are, if their key changes and the children's does not."""
        of = parent_flows(self._job, plan, key)
        if of.by_decision or of.declared is None:
            return None
        plain = without_constants(as_taken(plan, key), key)
        kept = any(_is_kept(plain, key, parent, of.declared) for parent in _all(of))
        return of if kept else None

    def _end(
        self, plan: TablePlan, key: ForeignKey, parent: TablePlan, declared: ForeignKey
    ) -> tuple[tuple[str, ...], End]:
        """Returns what a child and its parent must have in common: the values of OLD's key, and of NEW's."""
        pairs = list(self._own.by_declared(plan, key, parent, declared))
        if _is_kept(plan, key, parent, declared):
            before, above = self._job.before(plan), self._job.before(parent)
            pairs += [
                _in_new((plan, name, before), (parent, target, above))
                for name, target in zip(key.columns, key.target_columns, strict=True)
            ]
        known = [pair for pair in pairs if pair is not None]
        if len(known) < len(pairs):
            raise NotAskable(f"a key of {parent.flow} that a decision changes is known in NEW alone")
        child, values, operators = zip(*known, strict=True)
        return child, End(parent, values, operators)


def _all(of: ParentFlows) -> Sequence[TablePlan]:
    """Returns the flows whose rows may be parents, with all their rows."""
    return [parent.unrestricted for parent in (*of.flows, *of.moved)]


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


def _in_new(
    child: tuple[TablePlan, str, Table], parent: tuple[TablePlan, str, Table]
) -> tuple[str, str, str] | None:
    """Returns SQL of what a child's and its parent's columns will hold, and what compares them."""
    one, other = written_on_old(*child), written_on_old(*parent)
    alike = one is not None and other is not None and one[1] == other[1]
    return (one[0], other[0], "OPERATOR(pg_catalog.=)") if one and other and alike else None
