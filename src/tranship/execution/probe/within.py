"""Lookups of a run once it writes: what NEW holds, and of tables that are filled together with the rows that
look up, what OLD's rows will be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from tranship.execution.context import Job
from tranship.execution.probe.derived import Derived
from tranship.execution.probe.lookups import Lookups, settled
from tranship.execution.probe.reject_book import Book
from tranship.model.expression import Lookup


class FilledTogether:
    """Computes what OLD's rows bring, over the connections of each batch. The tables that other lookups read
    are complete by then.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._derived: Derived | None = None

    async def within(
        self, old: asyncpg.Connection, new: asyncpg.Connection, lookup: Lookup, keys: Sequence[str]
    ) -> Mapping[str, Sequence[str | None]]:
        """Returns the values per canonical key, as :class:`tranship.execution.probe.lookups.Within` says."""
        known = self._derived
        self._derived = (
            Derived(self._job, old, new, Book(), settled) if known is None else known.over(old, new)
        )
        return await self._derived.within(old, new, lookup, keys)


def lookups_of(job: Job) -> Lookups:
    """Returns the lookups of a run whose tables are filled one after another."""
    return Lookups(job, FilledTogether(job))
