"""Columns that only look like references to a key that becomes others: no foreign key of OLD or NEW says that
they follow, so that they keep OLD's values and lead to other rows.

By their names: ``post_id`` beside a table ``posts``, ``post`` or ``postno`` of the type of its key, and
``subject_id`` beside ``subject_type``, whose values name tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.errors.codes.stale_references import ReferenceOfAnyTable, ReferenceUndeclared
from tranship.model.catalog import Catalog, Column, Table
from tranship.model.plan import TablePlan
from tranship.model.references import references
from tranship.model.resolution import Problem
from tranship.model.shape import Shape
from tranship.planning.names.any_table import kind_beside, named_after_row, reference_words
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems
from tranship.planning.plan.unfollowed import becomes_another, moved, staying


def undeclared(plans: Sequence[TablePlan], old: Catalog, new: Catalog) -> Iterator[Problem]:
    """Yields a warning for each such column of NEW."""
    changing = [(plan, key) for plan in plans if (key := _other_key(plan, plans, old)) is not None]
    for plan in plans if changing else ():
        before, after = old.table(plan.old), new.table(plan.new)
        if before is not None and after is not None:
            for column, name in _kept(plan, before, after):
                yield from _of_column(plan, column, name, before, changing)


def _kept(plan: TablePlan, before: Table, after: Table) -> Iterator[tuple[Column, str]]:
    """Yields the old column and the new one's name for each value that is moved as it is and that NEW does
    not check.
    """
    checked = {name for key in references(after) if key.enforced for name in key.columns}
    for column in _undeclared_columns(before):
        yield from ((column, name) for name in staying(plan, column.name) if name not in checked)


def _of_column(
    plan: TablePlan, column: Column, name: str, before: Table, changing: Sequence[tuple[TablePlan, Column]]
) -> Iterator[Problem]:
    named = next((parent for parent, key in changing if _is_named_after(column, parent, key)), None)
    if named is not None:
        yield ReferenceUndeclared(plan.flow, name, named.old, named.flow).problem()
        return
    if reference_words(column.name) is None:
        return
    kind = kind_beside(before, column.name)
    others = [str(parent.old) for parent, _ in changing]
    if kind is not None:
        yield ReferenceOfAnyTable(plan.flow, name, kind, ", ".join(dict.fromkeys(others))).problem()


def _other_key(plan: TablePlan, plans: Sequence[TablePlan], old: Catalog) -> Column | None:
    """Returns the key column of a table if a row of OLD may be found in NEW under another key than its own:
    by new numbers or a decision about its key, because that is not moved at all, or as the row that stands
    for it.
    """
    before = old.table(plan.old)
    primary = before.primary_key if before is not None else None
    if before is None or primary is None or len(primary.columns) != 1 or plan.shape.items is not None:
        return None
    key, flows = primary.columns[0], [one for one in plans if one.old == plan.old]
    if becomes_another(plan, key, before) or not moved(flows, key, before) or _is_found_anew(plan.shape, key):
        return before.column(key)
    return None


def _is_found_anew(shape: Shape, key: str) -> bool:
    """Returns whether rows of a flow get a new key, or some arrive as rows with another one."""
    found_otherwise = shape.existing is not None and shape.existing.repoint_children
    renewed = any(new_key.column == key for new_key in shape.new_keys)
    return renewed or shape.merge is not None or found_otherwise


def _undeclared_columns(table: Table) -> list[Column]:
    """Returns the columns that OLD declares nothing about: neither a reference nor the key itself."""
    declared = {name for key in references(table) for name in key.columns}
    primary = table.primary_key
    own = primary.columns if primary is not None and len(primary.columns) == 1 else ()
    known = {*declared, *own}
    return [column for column in table.columns if column.name not in known]


def _is_named_after(column: Column, parent: TablePlan, key: Column) -> bool:
    """Returns whether a column seems to refer to rows of a table: the last words of a reference are those of
    the table, as of ``reply_to_post_id``, or the column is called like a row and has the type of the key.
    """
    before = reference_words(column.name) or ()
    called = stems(parent.old.name)
    if called and before[-len(called) :] == called:
        return True
    return family(column.type) == family(key.type) and named_after_row(column.name, parent.old.name)
