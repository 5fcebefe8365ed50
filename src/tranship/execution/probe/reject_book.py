"""The book of rejects, predicted and at run time, which the data checks of later tables read.

Memory: one entry per rejected row, about 500 bytes with its reason (100 000 rejects are 50 MB); nothing is
    held for rows that arrive.
``--max-rejects`` bounds it where a person wants a bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.verdict import LossCount, Reject, TableFindings


class Book:
    """Rejects by flow, and the other findings of the data checks. The first reject of a row stands."""

    def __init__(self) -> None:
        self._rejects: dict[FlowId, dict[Locator, Reject]] = {}
        self._already_there: dict[FlowId, set[Locator]] = {}
        self._found: dict[TableName, dict[str, tuple[FlowId, Locator]]] = {}
        """By table of NEW: the places of rows that were found equal, and the row of OLD that is equal
        to each.
        """
        self._losses: dict[FlowId, tuple[LossCount, ...]] = {}
        self._not_asked: dict[FlowId, dict[str, None]] = {}
        self._ordered: set[FlowId] = set()

    def copy(self) -> Book:
        """Returns a book with the same entries, which later changes of this one do not reach."""
        other = Book()
        other._rejects = {flow: dict(rejects) for flow, rejects in self._rejects.items()}
        other._already_there = {flow: set(rows) for flow, rows in self._already_there.items()}
        other._found = {table: dict(places) for table, places in self._found.items()}
        other._losses = dict(self._losses)
        other._not_asked = {flow: dict(notes) for flow, notes in self._not_asked.items()}
        other._ordered = set(self._ordered)
        return other

    def add(self, flow: FlowId, reject: Reject) -> bool:
        """Enters a reject. Returns False where the row is rejected already, which keeps its first reason,
        or is already there: an equal row of NEW meets every constraint.
        """
        if reject.row in self._already_there.get(flow, ()):
            return False
        rejects = self._rejects.setdefault(flow, {})
        return rejects.setdefault(reject.row, reject) is reject

    def add_all(self, flow: FlowId, rejects: Iterable[Reject]) -> int:
        """Enters rejects and returns the number of rows that were not rejected before."""
        return sum(self.add(flow, reject) for reject in rejects)

    def rejected(self, flow: FlowId) -> Mapping[Locator, Reject]:
        """Returns the rejected rows of a flow."""
        return MappingProxyType(self._rejects.get(flow, {}))

    def find(self, flow: FlowId, row: Locator, place: str) -> bool:
        """Enters a row that NEW held before the run, at ``place`` in the flow's table.

        Returns False where another row of OLD has that place: one row of NEW stands for one row of OLD.
        """
        owner = self._found.setdefault(flow.new, {}).setdefault(place, (flow, row))
        if owner != (flow, row):
            return False
        self.restore_already_there(flow, [row])
        return True

    def restore_already_there(self, flow: FlowId, rows: Iterable[Locator]) -> None:
        """Enters rows that an earlier process of the run found in NEW."""
        self._already_there.setdefault(flow, set()).update(rows)

    def already_there(self, flow: FlowId) -> AbstractSet[Locator]:
        """Returns the rows of a flow that NEW held before the run, equal in every column: they are not
        written.
        """
        return self._already_there.get(flow, frozenset())

    def not_written(self, flow: FlowId) -> AbstractSet[Locator]:
        """Returns the rows of a flow that are not copied: rejected, or already there."""
        return self._rejects.get(flow, {}).keys() | self._already_there.get(flow, set())

    def note(self, flow: FlowId, what: str) -> None:
        """Notes once that something about a flow's rows could not be checked."""
        self._not_asked.setdefault(flow, {}).setdefault(what)

    def lost(self, flow: FlowId, losses: Iterable[LossCount]) -> None:
        """Enters the counts of values that the conversions of a flow change silently."""
        self._losses[flow] = tuple(losses)

    def order(self, flow: FlowId) -> None:
        """Notes that collisions of a flow could not be predicted, so that it is copied as one stream in
        key order.
        """
        self._ordered.add(flow)

    def findings(self, flow: FlowId) -> TableFindings:
        """Returns the findings about one flow, rejects in row order."""
        rejects = self._rejects.get(flow, {})
        return TableFindings(
            flow=flow,
            rejects=tuple(rejects[row] for row in sorted(rejects)),
            losses=self._losses.get(flow, ()),
            not_asked=tuple(self._not_asked.get(flow, ())),
            already_there=len(self._already_there.get(flow, ())),
            ordered_stream=flow in self._ordered,
        )
