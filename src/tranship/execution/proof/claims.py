"""The rows of others in one table of NEW that several flows may fill: each row belongs to one flow at most.

A row that somebody wrote anew is the one that a flow lacks. Two flows that made equal rows must not both take
it: one of theirs is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tranship.execution.proof.compare import TableSums
from tranship.execution.proof.expected import Hashing, held_values
from tranship.execution.proof.naming import Naming
from tranship.execution.proof.strangers import Strangers
from tranship.execution.proof.unlike import Unlike
from tranship.model.difference import Difference, DifferenceKind
from tranship.server.journal import BatchRow
from tranship.sql.digest import Value


class Claims:
    """Hands out the rows of others to the flows of a table, which take their own."""

    def __init__(self) -> None:
        self._first: Naming | None = None
        self._stores: list[Strangers] = []
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

    async def left(self, before: Collection[str], room: int) -> list[Difference]:
        """Returns the rows that no flow has taken as added ones, at most ``room`` of them by name. ``before``
        are the places of rows that NEW held before the run, which nobody added.
        """
        if self._first is None:
            return []
        gone, (first, *others) = self._gone, self._stores
        if before:
            await first.leave_out_at(before)
        for one in others:
            await first.leave_out(one)
        found = self._first.added(*await first.left(max(room, 0)))
        return [*found, self._first.told(DifferenceKind.MISSING, None, gone)] if gone else found
