"""The rows of others in one table of NEW that several flows may fill: each row belongs to one flow at most.

A row that somebody wrote anew is the one that a flow lacks. Two flows that made equal rows must not both take
it: one of theirs is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from tranship.execution.proof.compare import TableSums
from tranship.execution.proof.expected import Hashing, held_values
from tranship.execution.proof.naming import Naming
from tranship.execution.proof.rows import sums_of_rows
from tranship.execution.proof.strangers import FEW, Strangers
from tranship.execution.proof.unlike import Unlike
from tranship.model.difference import Difference, DifferenceKind
from tranship.model.digest import Sums
from tranship.server.journal import BatchRow
from tranship.sql.digest import Value


class Claims:
    """Hands out the rows of others to the flows of a table, which take their own."""

    def __init__(self) -> None:
        self._first: Naming | None = None
        self._stores: list[Strangers] = []
        self._twice = 0
        self._told: list[Strangers] = []
        """Those of which it was told how many do not hold what NEW should have filled in."""
        self._alike: dict[tuple[Hashing, tuple[Value, ...]], Strangers] = {}

    def of(self, naming: Naming) -> Strangers:
        """Returns the rows of others as a flow sees them. Flows without a key that fill the same columns see
        the same ones, so that a row which one has taken is gone for the others.
        """
        self._first = self._first or naming
        of = naming.of
        form = of.hashing, held_values(of.job, of.plan, "t")
        found = self._alike.get(form) if not naming.keys else None
        if found is None:
            found = naming.strangers()
            self._stores.append(found)
            self._alike[form] = found
        return found

    @property
    def _gone(self) -> int:
        """How many rows were taken twice, by flows that fill other columns and cannot tell that."""
        others = self._first.others if self._first is not None else 0
        return max(sum(one.number_taken for one in self._stores) - others, 0)

    def unlike(
        self, mine: Strangers, done: Sequence[BatchRow], wrong: Sequence[BatchRow], there: TableSums
    ) -> Unlike | None:
        """Returns which rows of a flow do not hold what NEW should have filled in, once all flows have taken
        their own; None: all do. ``mine`` are the rows of others as it sees them.
        """
        own = there.unlike_in(done, others=False)
        if not wrong or not there.unlike_of_others:
            return Unlike(done, own, bool(wrong), mine) if own else None
        # Which of the rows of others it has taken is known by their keys; without, those that are as they
        # should be come first.
        like = there.others.rows - there.unlike_of_others
        taken = mine.number_taken if mine not in self._told else 0
        self._told.append(mine)
        return Unlike(done, own + max(0, taken - self._gone - like), True, mine)

    async def close(self, before: Collection[str]) -> None:
        """Ends the claims. ``before`` are the places of rows that NEW held before the run, which nobody
        added.
        """
        first, *others = self._stores
        self._twice = self._gone
        if before:
            await first.leave_out_at(before)
        for one in others:
            await first.leave_out(one)

    async def are_left(self, lost: Sums) -> bool:
        """Returns whether the rows that no flow has taken are just those with these sums."""
        if not 0 < lost.rows <= FEW:
            return False
        rows, more = await self._stores[0].left(lost.rows)
        return not more and sums_of_rows(rows.elements()) == lost

    async def added(self, first: Naming, room: int, lost: int = 0) -> list[Difference]:
        """Returns the rows that no flow has taken as added ones, at most ``room`` of them by name, and how
        many are gone that two flows have taken. So many as are ``lost`` may be rows of flows that could not
        look for theirs.
        """
        rows, more = await self._stores[0].left(max(room, 0))
        if lost:
            left = rows.total() + more - lost
            found = await first.added(Counter(), left) if left > 0 else []
        else:
            found = await first.added(rows, more)
        return [*found, first.told(DifferenceKind.MISSING, None, self._twice)] if self._twice else found
