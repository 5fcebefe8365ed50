"""Which rows go where: the identity that plans, tasks, batches, events and results of a run are keyed by."""

from __future__ import annotations

from msgspec import Struct

from tranship.model.names import TableName


class FlowId(Struct, frozen=True, order=True, cache_hash=True):
    """Names the rows of one driving old table on their way into one new table.

    One old table may drive several flows, and several flows may fill one new table: neither name alone is a
    key.
    """

    old: TableName
    new: TableName
    name: str = ""
    """What a person calls the flow; empty for the plain pair of tables that a comparison finds."""

    def __str__(self) -> str:
        """Returns what people see: the flow's name, and the old table's where the flow has none."""
        return self.name or str(self.old)
