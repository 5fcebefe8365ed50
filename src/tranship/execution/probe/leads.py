"""Where children of rows are led that NEW holds under another key (``existing`` with ``repoint_children``).

It is found out once, before the run: the data checks keep it in memory, and whoever comes later reads it from
the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import asyncpg

from tranship.execution.context import Job
from tranship.model.expression import Followed
from tranship.server.journal import Journal, Lead, leads_of_keys, some_leads

FEW = 2_000
"""Leads of one flow that go with every batch. Of more, a batch gets those of its own rows."""

LeadsByKey = Mapping[str, Mapping[str, str | None]]
"""By OLD's key of the parent (a JSON array): columns of NEW, with their texts in NEW's row."""


class Known(Protocol):
    """What the data checks of this process have found out."""

    def leads(self, followed: Followed) -> LeadsByKey:
        """Returns where children of the parents' rows are led."""


class LeadSource:
    """Knows where children are led. ``known``: until the run is on record."""

    def __init__(self, job: Job, known: Known | None) -> None:
        self._job, self._known = job, known
        self._some: dict[Followed, LeadsByKey | None] = {}

    async def some(self, new: asyncpg.Connection, followed: Followed) -> LeadsByKey | None:
        """Returns all leads of a reference; None where they are many."""
        place = self._job.place(followed.parent)
        if place is None:
            return self._known.leads(followed) if self._known is not None else {}
        if followed not in self._some:
            journal, where = Journal(place.schema), (place.run, place.position)
            found = await some_leads(journal, new, where, followed.keys, FEW + 1)
            self._some[followed] = _by_key(found) if len(found) <= FEW else None
        return self._some[followed]

    async def of_keys(self, new: asyncpg.Connection, followed: Followed, keys: Sequence[str]) -> LeadsByKey:
        """Returns the leads of a reference for some keys; they are on record."""
        place = self._job.place(followed.parent)
        if place is None:
            return {}
        journal, where = Journal(place.schema), (place.run, place.position)
        return _by_key(await leads_of_keys(journal, new, where, followed.keys, keys))


def _by_key(leads: Sequence[Lead]) -> LeadsByKey:
    return {lead.old_key: lead.new_key for lead in leads}
