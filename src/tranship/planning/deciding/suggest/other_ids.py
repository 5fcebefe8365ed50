"""The draft for rows that NEW holds under the ids of others: they are found by their name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.change import Change, TablePair
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import Evidence
from tranship.model.resolution import Action
from tranship.planning.deciding.suggest.drafts import Confidence, Draft


def other_ids_drafts(pair: TablePair, changes: Sequence[Change], evidence: Evidence) -> Iterator[Draft]:
    """Yields the question which rows of NEW are meant. It is never filled in: only a person knows."""
    held = next((facts for facts in evidence.in_new if facts.table == pair.new), None)
    for change in changes:
        if change.kind is ChangeKind.IDS_DIFFER and held is not None:
            yield Draft(
                change.description,
                None,
                None,
                {"action": Action.EXISTING, "key": held.name, "rows": "same", "repoint_children": True},
                complete=False,
                confidence=Confidence.GUESS,
                evidence=change.evidence,
            )
