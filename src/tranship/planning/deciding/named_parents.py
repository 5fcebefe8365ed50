"""References that may lead by name: an old one to a table that goes nowhere, a new one to a table that knows
rows by such a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tranship.model.catalog import Catalog, Column, ForeignKey, Table
from tranship.model.evidence import LookupQuestion
from tranship.model.names import ColumnRef, Side
from tranship.model.references import references
from tranship.planning.deciding.lookup_questions import labels_of


class NamedParent(Struct, frozen=True):
    """An old reference whose row has a name, and the new table that knows the names."""

    column: Column
    """The old reference."""
    declared: ForeignKey
    owner: Table
    label: str
    after: Table
    key: ForeignKey
    """The new reference."""
    target: Table
    target_label: str

    @property
    def question(self) -> LookupQuestion:
        """How many of the names does the new table know?"""
        return LookupQuestion(
            ColumnRef(self.owner.name, self.label),
            ColumnRef(self.after.name, self.key.columns[0]),
            Side.NEW,
            self.target.name,
            self.target_label,
            self.key.target_columns[0],
            f"foreign key {self.key.name} of NEW leads to {self.target.name}",
        )


def named_parents(before: Table, after: Table, left: Sequence[Table], new: Catalog) -> Iterator[NamedParent]:
    """Yields what may lead by name from one table to another; ``left`` are the old tables that go nowhere."""
    for declared in references(before):
        owner = next((table for table in left if table.name == declared.target), None)
        column = before.column(declared.columns[0])
        if owner is not None and column is not None and len(declared.columns) == 1:
            yield from _by_name((column, declared), owner, after, new)


def _by_name(
    reference: tuple[Column, ForeignKey], owner: Table, after: Table, new: Catalog
) -> Iterator[NamedParent]:
    ours = [label.name for label in labels_of(owner)]
    for key in references(after):
        target = new.table(key.target)
        theirs = _unique_labels(target, key) if target is not None and len(key.columns) == 1 else []
        if target is not None and theirs and ours:
            same = next(filter(theirs.__contains__, ours), None)
            labels = (same or ours[0], same or theirs[0])
            yield NamedParent(*reference, owner, labels[0], after, key, target, labels[1])


def _unique_labels(target: Table, key: ForeignKey) -> list[str]:
    unique = {one.columns[0] for one in target.keys if len(one.columns) == 1} - {key.target_columns[0]}
    return [label.name for label in labels_of(target) if label.name in unique]
