"""How much of a table is read for a question about its data."""

from __future__ import annotations

from tranship.model.catalog import Table

READ_WHOLE = 256 * 1024 * 1024
"""Bytes of a table up to which every row is read: a few seconds of sequential reading on any disk."""


def percent_read(table: Table) -> float | None:
    """Returns the percentage of a large table's pages that is read, about :data:`READ_WHOLE` bytes; None: all
    of them.
    """
    return 100 * READ_WHOLE / table.bytes if table.bytes > READ_WHOLE else None
