"""Which rows go where: the identity that plans, tasks, batches, events and results of a run are keyed by."""

from __future__ import annotations

from msgspec import Struct

from tranship.model.names import TableName

VALUES_LOOKED_UP = "values looked up"
"""Stands in the place of an old table in the name of a flow that adds values to a lookup table."""


class FlowId(Struct, frozen=True, order=True, cache_hash=True):
    """Names the rows of one driving old table on their way into one new table.

    One old table may drive several flows, and several flows may fill one new table: neither name alone is a
    key.
    """

    old: TableName
    new: TableName
    name: str = ""
    """What a person calls the flow; empty for the plain pair of tables that a comparison finds."""

    @property
    def adds_values(self) -> bool:
        """Whether the rows are the values that a lookup table lacks, and no rows of OLD."""
        return self.name.startswith(f"{VALUES_LOOKED_UP} -> ")

    def __str__(self) -> str:
        """Returns what people see: the flow's name, and the old table's where the flow has none."""
        return self.name or str(self.old)
