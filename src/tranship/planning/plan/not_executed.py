"""Which flows of a plan this version checks and does not carry out."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.errors.codes.shapes import KeyToPartition, NotExecuted
from tranship.model.catalog import Catalog, ForeignKey
from tranship.model.expression import NewDefault
from tranship.model.plan import Plan, TablePlan
from tranship.model.resolution import Problem


def not_executed(plan: Plan, new: Catalog) -> tuple[Problem, ...]:
    """Returns one problem for each flow that would not be carried out as it is decided."""
    told = ((table, ", ".join(_parts(table))) for table in plan.tables)
    parts = (NotExecuted(what).problem(str(table.flow)) for table, what in told if what)
    return (*parts, *(key.problem() for key in _keys_to_partitions(plan, new)))


def _keys_to_partitions(plan: Plan, new: Catalog) -> Iterator[KeyToPartition]:
    """Yields foreign keys to a partition of a table that the run fills through its root.

    Which of the root's rows arrive in that partition is not foreseen, so every child would be rejected.
    """
    filled = {table.new for table in plan.tables}
    roots = {leaf.name: root for root in filled if (one := new.table(root)) for leaf in one.partitions}
    for table in plan.tables:
        for key in _filled_keys(table, new):
            if key.target in roots:
                yield KeyToPartition(table.flow, key.name, key.target, roots[key.target])


def _filled_keys(table: TablePlan, new: Catalog) -> list[ForeignKey]:
    """Returns the enforced foreign keys of a flow's new table of which it fills every column."""
    after = new.table(table.new)
    given = {m.column for m in table.columns if not isinstance(m.expression, NewDefault)}
    keys = after.every_foreign_key if after is not None else ()
    return [key for key in keys if key.enforced and given.issuperset(key.columns)]


def _parts(table: TablePlan) -> Iterator[str]:
    """Yields what is not carried out, in the words of the resolutions file."""
    shape = table.shape
    merge = shape.merge
    # References lead to one survivor of an old row, and each of its items may have another one.
    if merge is not None and merge.repoint_children and shape.items is not None:
        yield "'repoint_children' of a 'merge' beside 'rows'"
    # Old rows refer to old rows, and nobody says which of those stand behind a row of a SELECT.
    leading = (("merge", merge), ("existing", shape.existing))
    if shape.query is not None:
        yield from (
            f"'repoint_children' of {name!r} beside 'query'"
            for name, one in leading
            if one is not None and one.repoint_children
        )
