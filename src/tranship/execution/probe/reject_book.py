"""The book of rejects: what asking found and what copying met, so that later tables can be asked against it.

Memory: one entry per rejected row, about 500 bytes with its reason (100 000 rejects are 50 MB); nothing is held for rows that arrive.
``--max-rejects`` bounds it where a person wants a bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tranship.model.flow import FlowId
from tranship.model.locator import Locator
from tranship.model.verdict import LossCount, Reject, TableFindings


class Book:
    """Rejects per flow, and what else asking its rows brought to light. The first reject of a row stands."""

    def __init__(self) -> None:
        self._rejects: dict[FlowId, dict[Locator, Reject]] = {}
        self._losses: dict[FlowId, tuple[LossCount, ...]] = {}
        self._not_asked: dict[FlowId, dict[str, None]] = {}
        self._ordered: set[FlowId] = set()

    def add(self, flow: FlowId, reject: Reject) -> bool:
        """Enter a reject; False: the row is rejected already and keeps its first reason."""
        rejects = self._rejects.setdefault(flow, {})
        return rejects.setdefault(reject.row, reject) is reject

    def add_all(self, flow: FlowId, rejects: Iterable[Reject]) -> int:
        """Enter many; the number of rows that were not rejected before."""
        return sum(self.add(flow, reject) for reject in rejects)

    def rejected(self, flow: FlowId) -> Mapping[Locator, Reject]:
        """The rejected rows of a flow."""
        return MappingProxyType(self._rejects.get(flow, {}))

    def note(self, flow: FlowId, what: str) -> None:
        """Say once that something about a flow's rows could not be asked."""
        self._not_asked.setdefault(flow, {}).setdefault(what)

    def lost(self, flow: FlowId, losses: Iterable[LossCount]) -> None:
        """Set what the conversions of a flow change silently."""
        self._losses[flow] = tuple(losses)

    def order(self, flow: FlowId) -> None:
        """Collisions of this flow could not be decided by asking: it must be copied as one stream in OLD key order."""
        self._ordered.add(flow)

    def findings(self, flow: FlowId) -> TableFindings:
        """Everything about one flow, rejects in row order."""
        rejects = self._rejects.get(flow, {})
        return TableFindings(
            flow=flow,
            rejects=tuple(rejects[row] for row in sorted(rejects)),
            losses=self._losses.get(flow, ()),
            not_asked=tuple(self._not_asked.get(flow, ())),
            ordered_stream=flow in self._ordered,
        )
