"""New columns beside one that an old column fills: perhaps of the same source, and NULL without a word."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import takewhile

from msgspec.structs import replace

from tranship.model.catalog import Column, Table
from tranship.model.change import Change, ChangeClass
from tranship.model.change_kind import ChangeKind
from tranship.model.types import TypeKind
from tranship.planning.deciding.suggest.concepts import INSIDE
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import Confidence, Draft
from tranship.planning.names.families import family
from tranship.planning.names.tokens import squashed

_OTHER_SOURCES = ("lookup_table", "value_mapping", "old_columns")
"""Fields of answers that read a value as a whole, or more than one column."""


def holds_several(column: Column) -> bool:
    """Returns whether one value may hold several: an array, a JSON document."""
    return column.type.leaf.kind is TypeKind.ARRAY or family(column.type) == "json"


def with_those_beside(
    tables: TablePairContext, drafts: Sequence[Draft], changes: Sequence[Change]
) -> list[Draft]:
    """Returns the drafts with the columns of NEW that would be NULL beside those that they fill.

    Where the name of one says that it is a part of the value, the answer is not filled in.
    """
    empty = _empty(tables, drafts, changes)
    return [_with_beside(tables, draft, drafts, empty) for draft in drafts]


def _empty(tables: TablePairContext, drafts: Sequence[Draft], changes: Sequence[Change]) -> set[str]:
    """Returns the new columns that nothing fills, about which there is no question."""
    asked = {draft.new_column for draft in drafts}
    added = {c.new_column for c in changes if (c.kind, c.cls) == (ChangeKind.COLUMN_ADDED, ChangeClass.SAFE)}
    columns = (column for column in tables.after.columns if not column.filled_by_server)
    return {column.name for column in columns if column.name in added - asked}


def _with_beside(tables: TablePairContext, draft: Draft, drafts: Sequence[Draft], empty: Set[str]) -> Draft:
    source = tables.before.column(draft.old_column or "")
    if source is None or not _may_be_cut(tables, source, draft):
        return draft
    own = {one.new_column for one in drafts if one.old_column == source.name}
    beside = [one for one in _beside(tables.after, draft.new_column or "", own, empty) if _fits(source, one)]
    return _told(draft, source, beside) if beside else draft


def _told(draft: Draft, source: Column, beside: Sequence[Column]) -> Draft:
    listed = ", ".join(repr(column.name) for column in beside[:10])
    why = f"nothing fills {listed}, beside it: NULL in every row; '{source.name}' may hold what belongs there"
    draft = replace(draft, evidence=(*draft.evidence, why))
    if any(squashed(column.name) in INSIDE for column in beside) and draft.complete:
        return replace(draft, complete=False, confidence=Confidence.GUESS)
    return draft


def _may_be_cut(tables: TablePairContext, source: Column, draft: Draft) -> bool:
    """Returns whether more than one new column may be made of an old one that has another name in NEW."""
    facts = tables.facts(source.name)
    empty = facts is not None and facts.filled == 0 and not facts.sampled
    renamed = draft.new_column not in (None, source.name) and draft.fields.keys().isdisjoint(_OTHER_SOURCES)
    return renamed and not empty and (family(source.type) == "text" or holds_several(source))


def _fits(source: Column, column: Column) -> bool:
    """Returns whether a new column may hold a part of an old value: a text, another list, a number in it."""
    if family(column.type) == "text" or holds_several(column):
        return True
    return not holds_several(source) and family(column.type) == "integer"


def _beside(after: Table, name: str, own: Set[str | None], empty: Set[str]) -> list[Column]:
    """Returns the empty columns behind a column, and those in front of it unless they stand behind another
    one of the same source: each is told once.
    """
    names = [column.name for column in after.columns]
    place = names.index(name)
    behind = list(takewhile(empty.__contains__, names[place + 1 :]))
    front = list(takewhile(empty.__contains__, reversed(names[:place])))
    stands_behind_another = len(front) < place and names[place - len(front) - 1] in own
    told = {*behind, *(() if stands_behind_another else front)}
    return [column for column in after.columns if column.name in told]
