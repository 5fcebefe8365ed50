"""Whether a table of OLD holds the row versions that an earlier snapshot showed."""

from __future__ import annotations

from msgspec import Struct

from tranship.model.plan import TablePlan
from tranship.server.old_reader import OldReader
from tranship.server.pages import is_recent
from tranship.server.snapshot import COMPARABLE, Mark


class Seen(Struct, frozen=True):
    """What a snapshot showed of a table."""

    plan: TablePlan
    rows: int
    """Rows of OLD."""
    digest: str


async def as_it_was(old: OldReader, now: Mark, then: Mark, seen: Seen) -> bool:
    """Returns whether a table holds the row versions that an older snapshot of the same timeline showed.

    Equal row count and no xmin newer than the old snapshot's horizon prove that the table is unchanged,
    unless its heap was rewritten. Transactions that were open at that time and a rewritten heap prove
    nothing, so every row version is compared.
    """
    if 0 <= now.oldest - then.oldest < COMPARABLE:
        rows, newer = 0, False
        for source in seen.plan.sources:
            there, later = await old.newer(source, then.oldest)
            rows, newer = rows + there, newer or later
        if rows != seen.rows:
            return False
        if not newer:
            return True
    elif any(map(is_recent, seen.digest.split(" "))):
        # Which versions are recent cannot be told any more.
        return False
    return await old.versions(seen.plan, seen.digest, then.oldest) == (seen.rows, seen.digest)
