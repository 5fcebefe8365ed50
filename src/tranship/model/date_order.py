"""The order of day and month in which a database reads a date such as 01/02/2024."""

from __future__ import annotations

from typing import Final

USUAL_ORDER: Final = "MDY"
"""That of a server that nobody has set up otherwise."""


def date_order(datestyle: str) -> str:
    """Returns ``DMY``, ``MDY`` or ``YMD`` as a server's DateStyle has it."""
    # It has two parts, output and field order; a server prints the order last.
    order = datestyle.rpartition(",")[2].strip()
    return order if order in ("DMY", "MDY", "YMD") else USUAL_ORDER
