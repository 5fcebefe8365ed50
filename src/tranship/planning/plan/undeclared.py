"""Columns that only look like references to a key that becomes others: no foreign key of OLD or NEW says that
they follow, so that they keep OLD's values and lead to other rows.

By their names: ``post_id`` beside a table ``posts``, and ``subject_id`` beside ``subject_type``, whose values
name tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.errors.codes.stale_references import ReferenceOfAnyTable, ReferenceUndeclared
from tranship.model.catalog import Catalog, Table
from tranship.model.plan import TablePlan
from tranship.model.references import references
from tranship.model.resolution import Problem
from tranship.model.shape import Shape
from tranship.planning.names.any_table import kind_beside, reference_words
from tranship.planning.names.tokens import stems
from tranship.planning.plan.unfollowed import becomes_another, moved, staying


def undeclared(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> Iterator[Problem]:
    """Yields a warning for each such column of NEW."""
    changing = [plan for plan in plans if _gives_other_keys(plan, plans, old)]
    for plan in plans if changing else ():
        before, after = old.table(plan.old), new.table(plan.new)
        if before is not None and after is not None:
            for columns in _kept(plan, before, after):
                yield from _of_column(plan, columns, before, changing)


def _kept(plan: TablePlan, before: Table, after: Table) -> Iterator[tuple[str, str]]:
    """Yields the old and the new column of each value that is moved as it is and that NEW does not check."""
    checked = {name for key in references(after) if key.enforced for name in key.columns}
    for column in _undeclared_columns(before):
        yield from ((column, name) for name in staying(plan, column) if name not in checked)


def _of_column(
    plan: TablePlan, columns: tuple[str, str], before: Table, changing: Sequence[TablePlan]
) -> Iterator[Problem]:
    column, name = columns
    named = next((parent for parent in changing if _is_named_after(column, parent)), None)
    if named is not None:
        yield ReferenceUndeclared(plan.flow, name, named.old, named.flow).problem()
        return
    kind = kind_beside(before, column)
    others = [str(parent.old) for parent in changing]
    if kind is not None:
        yield ReferenceOfAnyTable(plan.flow, name, kind, ", ".join(dict.fromkeys(others))).problem()


def _gives_other_keys(plan: TablePlan, plans: Sequence[TablePlan], old: Catalog) -> bool:
    """Returns whether a row of OLD may be found in NEW under another key than its own: by new numbers or a
    decision about its key, because that is not moved at all, or as the row that stands for it.
    """
    shape, before = plan.shape, old.table(plan.old)
    primary = before.primary_key if before is not None else None
    if before is None or primary is None or len(primary.columns) != 1 or shape.items is not None:
        return False
    key, flows = primary.columns[0], [one for one in plans if one.old == plan.old]
    renewed = any(new_key.column == key for new_key in shape.new_keys)
    other = becomes_another(plan, key, before) or not moved(flows, key, before)
    return renewed or other or _stand_for_others(shape)


def _stand_for_others(shape: Shape) -> bool:
    """Returns whether some rows of a flow arrive as rows with another key."""
    found_otherwise = shape.existing is not None and shape.existing.repoint_children
    return shape.merge is not None or found_otherwise


def _undeclared_columns(table: Table) -> list[str]:
    """Returns the columns whose names end like those of references and that OLD declares nothing about."""
    declared = {name for key in references(table) for name in key.columns}
    primary = table.primary_key
    own = primary.columns if primary is not None and len(primary.columns) == 1 else ()
    known = {*declared, *own}
    return [c.name for c in table.columns if c.name not in known and reference_words(c.name) is not None]


def _is_named_after(column: str, parent: TablePlan) -> bool:
    """Returns whether the last words of a reference are those of a table, as of ``reply_to_post_id``."""
    before = reference_words(column) or ()
    called = stems(parent.old.name)
    return bool(called) and before[-len(called) :] == called
