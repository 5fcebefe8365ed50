"""Rows of OLD that are merged into others (the action ``merge``).

Memory: about 300 bytes per merged row.
"""

from __future__ import annotations

from tranship.errors import Refused
from tranship.errors.codes.start import RowsRaise
from tranship.execution.probe.reading import RAISED, Reader
from tranship.model.shape import Merge
from tranship.model.verdict import Held, HeldAs
from tranship.sql.old.survivors import merged_rows
from tranship.sql.row_id import locate


async def merged(reader: Reader, merge: Merge) -> list[Held]:
    """Returns the rows of a flow that are merged into others, each with its survivor.

    Raises:
        Refused: an expression of the decision raises, so that nobody can say which rows are one.
    """
    plan, before = reader.plan, reader.job.before(reader.plan)
    by_oid = {source.oid: number for number, source in enumerate(plan.sources)}
    found = []
    try:
        rows = await reader.old.fetch(merged_rows(plan, before, merge))
    except RAISED as error:
        raise Refused(RowsRaise(plan.flow, "the key or 'keep' of its merge", str(error), "")) from error
    for row in rows:
        own = locate(by_oid[row["relation"]], row["id"])
        into = locate(by_oid[row["into_relation"]], row["into_id"])
        found.append(Held(own, HeldAs.MERGED, into=into))
    return found
