"""Rows of OLD that are merged into others (the action ``merge``).

Memory: about 300 bytes per merged row.
"""

from __future__ import annotations

from tranship.execution.probe.reading import Reader
from tranship.model.shape import Merge
from tranship.model.verdict import Held, HeldAs
from tranship.sql.old.survivors import merged_rows
from tranship.sql.row_id import locate


async def merged(reader: Reader, merge: Merge) -> list[Held]:
    """Returns the rows of a flow that are merged into others, each with its survivor."""
    plan, before = reader.plan, reader.job.before(reader.plan)
    by_oid = {source.oid: number for number, source in enumerate(plan.sources)}
    found = []
    for row in await reader.old.fetch(merged_rows(plan, before, merge)):
        own = locate(by_oid[row["relation"]], row["id"])
        into = locate(by_oid[row["into_relation"]], row["into_id"])
        found.append(Held(own, HeldAs.MERGED, into=into))
    return found
