"""The book of rejects, predicted and at run time, which the data checks of later tables read.

Memory: about 20 bytes per rejected row, more for items and rows of a query (`row_numbers`); its reason lies
    in a temporary file. Nothing is held for rows that arrive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from types import MappingProxyType

from tranship.execution.probe.reject_store import Grounds, Rejects, RowSet
from tranship.execution.probe.row_list import RowList
from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.names import TableName
from tranship.model.reasons import SurvivorRejected
from tranship.model.verdict import Held, HeldAs, LossCount, Reject, TableFindings, ToleratedCount

Leads = Mapping[tuple[str, ...], Mapping[str, Mapping[str, str | None]]]
"""Where children are led: by columns of OLD, and by a row's key in them (a JSON array as text), the columns
in which NEW's row has another key, with their texts.
"""


class Book:
    """Rejects by flow, and the other findings of the data checks. The first reject of a row stands."""

    def __init__(self) -> None:
        self._grounds = Grounds()
        """Those of all rejects of all copies of the book."""
        self._rejects: dict[FlowId, Rejects] = {}
        self._held: dict[FlowId, dict[Locator, Held]] = {}
        self._merged_into: dict[FlowId, dict[Locator, list[Locator]]] = {}
        """By flow and survivor the rows that are merged into it."""
        self._found: dict[TableName, dict[str, tuple[FlowId, Locator]]] = {}
        """By table of NEW: the places of rows that it held before the run, and the row of OLD that found
        each.
        """
        self._leads: dict[FlowId, Leads] = {}
        self._losses: dict[FlowId, tuple[LossCount, ...]] = {}
        self._tolerated: dict[tuple[FlowId, str], frozenset[Locator]] = {}
        self._not_asked: dict[FlowId, dict[str, None]] = {}
        self._raising: dict[FlowId, dict[str, None]] = {}
        self._ordered: set[FlowId] = set()
        self._asked: set[FlowId] = set()
        self._noted: dict[FlowId, RowList] | None = None

    def copy(self) -> Book:
        """Returns a book with the same entries, which later changes of this one do not reach."""
        other = Book()
        other._grounds = self._grounds
        other._rejects = {flow: rejects.copy() for flow, rejects in self._rejects.items()}
        other._held = {flow: dict(held) for flow, held in self._held.items()}
        other._merged_into = {flow: dict(rows) for flow, rows in self._merged_into.items()}
        other._found = {table: dict(places) for table, places in self._found.items()}
        other._leads = dict(self._leads)
        other._losses = dict(self._losses)
        other._tolerated = dict(self._tolerated)
        other._not_asked = {flow: dict(notes) for flow, notes in self._not_asked.items()}
        other._raising = {flow: dict(found) for flow, found in self._raising.items()}
        other._ordered = set(self._ordered)
        other._asked = set(self._asked)
        return other

    def add(self, flow: FlowId, reject: Reject) -> bool:
        """Enters a reject. Returns False where the row is rejected already, which keeps its first reason, or
        where NEW's own row stays: it meets every constraint. Rows that are merged into a rejected one are
        rejected with it.

        Raises:
            Stopped: the folder for temporary files is full.
        """
        held = self._held.get(flow, {})
        if reject.row in held:
            if held[reject.row].outcome in (HeldAs.ALREADY_THERE, HeldAs.KEPT):
                return False
            del held[reject.row]
        if not self._of(flow).add(reject):
            return False
        if self._noted is not None:
            self._noted.setdefault(flow, RowList()).add(reject.row)
        for row in self._merged_into.get(flow, {}).get(reject.row, ()):
            self.add(flow, Reject(row, reject.sqlstate, SurvivorRejected(), rank=reject.rank))
        return True

    @contextmanager
    def noting(self) -> Iterator[Mapping[FlowId, RowList]]:
        """Yields what will hold the rows that are rejected meanwhile."""
        self._noted = noted = dict[FlowId, RowList]()
        try:
            yield noted
        finally:
            self._noted = None

    def merge(self, flow: FlowId, rows: Iterable[Held]) -> None:
        """Enters rows that are merged into others."""
        into = self._merged_into.setdefault(flow, {})
        for one in rows:
            if one.into is not None:
                into.setdefault(one.into, []).append(one.row)
                self._held.setdefault(flow, {})[one.row] = one

    def absent(self, flow: FlowId, columns: Sequence[str] = (), *, led: bool = False) -> RowSet:
        """Returns the rows of a flow under whose own keys NEW will have no row of theirs, so that they are
        nobody's parents: rejected, merged into others, or `apart`.
        """
        return RowSet(self._of(flow), self.merged(flow) | self.apart(flow, columns, led=led))

    def merged(self, flow: FlowId) -> AbstractSet[Locator]:
        """Returns the rows of a flow that are merged into others and not rejected."""
        return {row for row, one in self._held.get(flow, {}).items() if one.outcome is HeldAs.MERGED}

    def apart(self, flow: FlowId, columns: Sequence[str], *, led: bool = False) -> AbstractSet[Locator]:
        """Returns the rows of a flow whose rows NEW held before the run under another key in some columns.
        ``led``: children are led to that key, so that only those are meant where it is NULL.
        """
        held = self._held.get(flow, {}).items() if columns else ()
        return {
            row
            for row, one in held
            if any(name in columns and not (led and text is not None) for name, text in one.key)
        }

    def add_all(self, flow: FlowId, rejects: Iterable[Reject]) -> int:
        """Enters rejects and returns the number of rows that were not rejected before."""
        return sum(self.add(flow, reject) for reject in rejects)

    def rejected(self, flow: FlowId) -> Mapping[Locator, Reject]:
        """Returns the rejected rows of a flow in row order."""
        return self._of(flow)

    def _of(self, flow: FlowId) -> Rejects:
        if flow not in self._rejects:
            self._rejects[flow] = Rejects(self._grounds)
        return self._rejects[flow]

    def find(self, flow: FlowId, place: str, held: Held) -> bool:
        """Enters a row whose row NEW held before the run, at ``place`` in the flow's table.

        Returns False where another row of OLD has that place: one row of NEW stands for one row of OLD.
        """
        if not self.claim(flow, place, held.row):
            return False
        self.restore_held(flow, [held])
        return True

    def claim(self, flow: FlowId, place: str, row: Locator) -> bool:
        """Gives the row of NEW at a place to a row of OLD. Returns False where another one has it."""
        owner = self._found.setdefault(flow.new, {}).setdefault(place, (flow, row))
        return owner == (flow, row)

    def claim_all(self, flow: FlowId, places: Mapping[str, Locator]) -> list[Locator]:
        """Does the same for rows by their places. Returns those whose places others have."""
        owners = self._found.setdefault(flow.new, {})
        late = [row for place, row in places.items() if place in owners and owners[place] != (flow, row)]
        owners.update((place, (flow, row)) for place, row in places.items() if place not in owners)
        return late

    def restore_held(self, flow: FlowId, held: Iterable[Held]) -> None:
        """Enters what an earlier process of the run found in NEW."""
        found = list(held)
        self._held.setdefault(flow, {}).update((one.row, one) for one in found)
        self.merge(flow, found)

    def held(self, flow: FlowId) -> Mapping[Locator, Held]:
        """Returns the rows of a flow whose rows NEW held before the run, rejected ones apart."""
        return MappingProxyType(self._held.get(flow, {}))

    def in_new(self, flow: FlowId) -> AbstractSet[Locator]:
        """Returns the rows of a flow whose rows NEW held before the run."""
        held = self._held.get(flow, {})
        return {row for row, one in held.items() if one.outcome is not HeldAs.MERGED}

    def lead(self, flow: FlowId, leads: Leads) -> None:
        """Enters the keys that NEW has for rows which it held before the run."""
        self._leads[flow] = leads

    def leads(self, flow: FlowId) -> Leads:
        """Returns by columns of OLD and by key the columns of NEW's row by which others refer to it."""
        return self._leads.get(flow, {})

    def not_copied(self, flow: FlowId) -> RowSet:
        """Returns the rows of a flow that are not added to NEW: rejected, or there before. Later rejects are
        among them; likewise of the other sets of rows.
        """
        return RowSet(self._of(flow), self._held.get(flow, {}).keys())

    def not_written(self, flow: FlowId) -> RowSet:
        """Returns the rows of a flow that change nothing in NEW: rejected, or NEW's own row stays."""
        staying = {row for row, one in self._held.get(flow, {}).items() if one.outcome is not HeldAs.UPDATED}
        return RowSet(self._of(flow), staying)

    def note(self, flow: FlowId, what: str) -> None:
        """Notes once that something about a flow's rows could not be checked."""
        self._not_asked.setdefault(flow, {}).setdefault(what)

    def raises(self, flow: FlowId, default: str) -> None:
        """Notes once that a default of NEW raises for each row that takes it."""
        self._raising.setdefault(flow, {}).setdefault(default)

    def lost(self, flow: FlowId, losses: Iterable[LossCount]) -> None:
        """Enters the counts of values that the conversions of a flow change silently."""
        self._losses[flow] = tuple(losses)

    def tolerate(self, flow: FlowId, constraint: str, rows: Iterable[Locator]) -> None:
        """Enters rows that are kept although they break a constraint of NEW."""
        known = self._tolerated.get((flow, constraint), frozenset())
        self._tolerated[flow, constraint] = known | frozenset(rows)

    def order(self, flow: FlowId) -> None:
        """Notes that collisions of a flow could not be predicted, so that it is copied as one stream in
        key order.
        """
        self._ordered.add(flow)

    def ask_all(self, flow: FlowId) -> None:
        """Notes that all rows of a flow were asked whether NEW refuses them by themselves."""
        self._asked.add(flow)

    def all_asked(self, flow: FlowId) -> bool:
        """Returns whether no row of a flow need be asked so any more."""
        return flow in self._asked

    def findings(self, flow: FlowId) -> TableFindings:
        """Returns the findings about one flow."""
        rejects = self._of(flow)
        held = Counter(one.outcome for one in self._held.get(flow, {}).values())
        return TableFindings(
            flow=flow,
            rejected=len(rejects),
            losses=self._losses.get(flow, ()),
            tolerated=tuple(
                ToleratedCount(constraint, sum(row not in rejects for row in rows))
                for (of, constraint), rows in sorted(self._tolerated.items(), key=lambda one: one[0][1])
                if of == flow
            ),
            not_asked=tuple(self._not_asked.get(flow, ())),
            raising_defaults=tuple(self._raising.get(flow, ())),
            already_there=held[HeldAs.ALREADY_THERE],
            kept=held[HeldAs.KEPT],
            updated=held[HeldAs.UPDATED],
            merged=held[HeldAs.MERGED],
            ordered_stream=flow in self._ordered,
        )
