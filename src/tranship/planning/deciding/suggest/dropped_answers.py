"""Questions whose answer in the earlier file no longer applies: none is filled in in its place."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tranship.model.catalog import Catalog
from tranship.model.resolution import Resolution
from tranship.planning.deciding.resolve.patterns import is_of_types
from tranship.planning.deciding.resolve.tables import table_key
from tranship.planning.deciding.resolve.words import TABLE_ACTIONS, action_of
from tranship.planning.deciding.suggest.earlier_file import Dropped
from tranship.planning.deciding.suggest.for_all import DraftOf


def left_open(one: DraftOf, dropped: Sequence[Dropped], old: Catalog) -> DraftOf:
    """Returns a draft that is filled in only where no answer to its question was dropped: what a person
    decided is not replaced by what the evidence speaks for.
    """
    if not one.draft.complete:
        return one
    reason = next((lost.reason for lost in dropped if _answered(lost, one, old)), None)
    if reason is None:
        return one
    evidence = (*one.draft.evidence, f"an answer to it was dropped: {reason}")
    return replace(one, draft=replace(one.draft, complete=False, evidence=evidence))


def not_asked_again(dropped: Sequence[Dropped], asking: Sequence[DraftOf]) -> tuple[Dropped, ...]:
    """Returns what is dropped without the open entries of ``for_all`` whose question is asked anew."""
    types = [one.draft.asked_once.types for one in asking if one.draft.asked_once is not None]
    return tuple(
        lost
        for lost in dropped
        if lost.question is None or not any(is_of_types(lost.question, both) for both in types)
    )


def _answered(lost: Dropped, one: DraftOf, old: Catalog) -> bool:
    once = one.draft.asked_once
    if lost.pattern is not None:
        return once is not None and is_of_types(lost.pattern, once.types)
    if lost.entry is None or one.table is None:
        return False
    named = lost.entry.table in (one.flow or table_key(one.table, old), str(one.table))
    return named and _is_about(lost.entry, one)


def _is_about(entry: Resolution, one: DraftOf) -> bool:
    draft = one.draft
    if not draft.sources and draft.new_column is None:
        return action_of(entry) in TABLE_ACTIONS
    same_new = draft.new_column is not None and entry.new_column == draft.new_column
    return same_new or not set(draft.sources).isdisjoint(entry.sources)
