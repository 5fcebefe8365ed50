"""Which parents of a row may hold the value of a new column: asked over foreign keys that OLD has. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.catalog import Catalog, Column, Table
from tranship.model.change import Change, ChangeClass
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import LookupQuestion
from tranship.model.names import ColumnRef, Side
from tranship.model.references import references
from tranship.planning.names.families import family


def parent_questions(
    before: Table, after: Table, changes: Sequence[Change], old: Catalog
) -> Iterator[LookupQuestion]:
    """Yields the lookups that may fill a new column in need of a value from a parent's column of its name."""
    for change in changes:
        target = after.column(change.new_column or "")
        wanted = change.cls is ChangeClass.BREAKING and change.kind is ChangeKind.COLUMN_ADDED
        if wanted and target is not None and not target.generated:
            yield from _over_keys(before, after, target, old)


def _over_keys(before: Table, after: Table, target: Column, old: Catalog) -> Iterator[LookupQuestion]:
    for key in references(before):
        parent = old.table(key.target) if len(key.columns) == 1 else None
        held = parent.column(target.name) if parent is not None else None
        if parent is None or held is None or parent.name == before.name:
            continue
        if family(held.type) == family(target.type) and held.name != key.target_columns[0]:
            why = f"foreign key {key.name} of OLD leads to {parent.name}, which has a column '{held.name}'"
            old_ref, new_ref = ColumnRef(before.name, key.columns[0]), ColumnRef(after.name, target.name)
            yield LookupQuestion(
                old_ref, new_ref, Side.OLD, parent.name, key.target_columns[0], held.name, why
            )
