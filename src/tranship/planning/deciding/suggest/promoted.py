"""A unique column of OLD that becomes the primary key in NEW, in place of the old one: the public UUID of a
row beside its number. By the catalogs alone: nothing of it is filled in.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.model.catalog import Column, Table
from tranship.model.change import Change, TablePair
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import Confidence, Draft
from tranship.planning.names.families import family


class Promoted(Struct, frozen=True):
    """The columns that speak for it."""

    key: Column
    """OLD's primary key."""
    instead: Column
    """The old column that may take its place."""
    target: Column
    """NEW's primary key."""

    @property
    def why(self) -> str:
        """What speaks for it, in words."""
        kind, new = self.target.type.text, self.target.name
        return (
            f"OLD's '{self.instead.name}' is unique, never NULL and {kind}, as NEW's key '{new}' is;"
            f" OLD's key '{self.key.name}' is {self.key.type.text}"
        )


def promoted_key(before: Table, after: Table, pair: TablePair) -> Promoted | None:
    """Returns the one old column that may be the new primary key: only OLD has it, it is unique, never NULL,
    and of the type of NEW's key, which is another than that of OLD's; None where there is none, or several.
    """
    key, target = _single_key(before), _single_key(after)
    if key is None or target is None or family(key.type) == family(target.type):
        return None
    paired = {one.old for one in pair.columns} | {one.old for one in pair.proposals}
    found = [one for one in _unique(before) if one.name not in paired and _of(one) == _of(target)]
    return Promoted(key, found[0], target) if len(found) == 1 else None


def _unique(table: Table) -> list[Column]:
    """Returns the columns that tell each row from the others by themselves."""
    names = {key.columns[0] for key in table.keys if len(key.columns) == 1}
    return [column for column in table.columns if column.name in names and column.refuses_null]


def _single_key(table: Table) -> Column | None:
    key = table.primary_key
    return table.column(key.columns[0]) if key is not None and len(key.columns) == 1 else None


def _of(column: Column) -> tuple[str, tuple[int, ...]]:
    return column.type.leaf.base, column.type.leaf.modifiers


def promoted(tables: TablePairContext, breaking: Sequence[Change]) -> list[Draft]:
    """Returns the drafts of both questions: what becomes of the old key, and what of the column that takes
    its place.
    """
    names = tables.before.name, tables.after.name, ""
    pair = next((one for one in tables.partners if (one.old, one.new, one.name) == names), None)
    found = promoted_key(tables.before, tables.after, pair) if pair is not None else None
    if found is None:
        return []
    key, instead, target = found.key.name, found.instead.name, found.target.name
    asked = {(change.old_column, change.new_column): change for change in breaking}
    if (key, target) not in asked or (instead, None) not in asked:
        return []
    return [
        _draft(asked[key, target], {"old_column": key, "action": "ignore"}, found),
        _draft(
            asked[instead, None], {"old_column": instead, "new_column": target, "action": "rename"}, found
        ),
    ]


def _draft(change: Change, fields: dict[str, str], found: Promoted) -> Draft:
    return Draft(
        question=change.description,
        old_column=change.old_column,
        new_column=None,
        fields=fields,
        complete=False,
        confidence=Confidence.LIKELY,
        evidence=(*change.evidence, found.why),
    )
