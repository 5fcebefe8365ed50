"""Which flows of a plan this version checks and does not carry out."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.errors.codes.shapes import NotExecuted
from tranship.model.plan import Plan, TablePlan
from tranship.model.resolution import Problem


def not_executed(plan: Plan) -> tuple[Problem, ...]:
    """Returns one problem for each flow that would not be carried out as it is decided."""
    told = ((table, ", ".join(_parts(table))) for table in plan.tables)
    return tuple(NotExecuted(what).problem(str(table.flow)) for table, what in told if what)


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
