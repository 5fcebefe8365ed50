"""Which rows differ in a NEW whose rows no longer carry the transactions that the journal has.

Every row of NEW may be any flow's, so that content alone decides: what OLD's rows become, of which nobody
wrote since, is looked for among all of them. A row that is not found is missing or changed, if OLD still
gives what the run read of its batch. Whether a row that is left over was added, or was there before the run,
cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tranship.errors import TranshipError
from tranship.execution.proof.claims import Claims
from tranship.execution.proof.naming import Listing, Naming
from tranship.execution.proof.new_rows import Extents, NewRows, Runs
from tranship.execution.verification.differing import Compared
from tranship.execution.verification.naming import LaterNaming
from tranship.execution.verification.old_now import OldSide
from tranship.execution.verification.recorded import Place
from tranship.execution.verification.scene import Scene
from tranship.model.difference import Difference
from tranship.server.snapshot import Mark
from tranship.server.trouble import DATABASE_TROUBLE
from tranship.sql.new.counting import NEXT_XID, WRAP


async def named(scene: Scene, compared: Sequence[Compared]) -> Mapping[Place, list[Difference]]:
    """Returns the rows of each flow that are certainly missing or changed, inside a transaction of NEW; none
    where OLD cannot say it, or where later runs gave rows other values.
    """
    old = await scene.old.side()
    if old is None or any(one.flow.update_xids for one in compared):
        return {}
    # Before all of them: no transaction of this server is one of a run's.
    oldest = await scene.new.fetchval(NEXT_XID) - WRAP + 1
    runs, claims = Runs(frozenset(), max(oldest, 3)), Claims()
    found = dict[Place, list[Difference]]()
    for one in compared:
        if one.flow.run.old_identity == old.identity:
            found[one.flow.place] = await _of_flow(scene, one, old, (runs, claims))
    return found


async def _of_flow(
    scene: Scene, one: Compared, old: OldSide, beside: tuple[Runs, Claims]
) -> list[Difference]:
    runs, claims = beside
    of = replace(one.of, job=scene.job(one.flow.run.id, old))
    rows = NewRows(of, scene.new, runs, Extents(scene.new, of.job.after(of.plan), runs, ()))
    naming = Naming(rows, sum(sums.rows for sums in one.there.by_transaction.values()))
    later = LaterNaming(naming, old.snapshot, Mark.of(one.flow.run.snapshot))
    strangers, listing = claims.of(naming), Listing()
    for batch in (batch for batch in one.flow.done if batch.written):
        try:
            async with scene.new.transaction():
                gone = await scene.journal.not_copied(scene.new, one.flow.run.id, batch)
                listing.add(await later.certain(batch, gone, strangers, listing.room))
        except (*DATABASE_TROUBLE, TranshipError):
            if scene.new.is_closed():
                raise
    return listing.all
