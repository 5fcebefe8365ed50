"""The last range of a table, the open one, is forgotten."""

from __future__ import annotations

from tranship.server import cut as source


def break_it() -> None:
    """In this process."""
    real = source._ranges
    source._ranges = lambda *given: real(*given)[:-1]
