"""Locators of heap rows, which are ctids (``row_id.py`` has the other kinds of rows). Beside the composed SQL
no other room knows what a locator's address holds.

A ctid is stable for as long as the snapshot is held (PostgreSQL documentation, "System Columns"): the visible
version is not moved.
"""

from __future__ import annotations

from tranship.model.locator import Address, Locator


def parse(text: str) -> Address:
    """Returns the address that a tid's text ``(12,3)`` names."""
    page, _, line = text.strip("()").partition(",")
    return int(page), int(line)


def render(address: Address) -> str:
    """Returns an address as PostgreSQL writes a tid: ``(12,3)``."""
    page, line = address
    return f"({page},{line})"


def page_and_line(row: Locator) -> tuple[int, int]:
    """Returns the two numbers of a row's ctid."""
    page, line = row.address
    return int(page), int(line)


def next_address(address: Address) -> Address:
    """Returns the lowest address above one: the open end of a range that the row at ``address`` closes."""
    page, line = address
    return page, int(line) + 1


MOST_SOURCES = 1 << 16
"""Sources that :func:`packed` can tell apart: 16 bits beside a page (32 bits) and a line pointer (16 bits,
``OffsetNumber``).
"""


def packable(row: Locator) -> bool:
    """Returns whether a row is one ctid and nothing else, which :func:`packed` needs."""
    return not row.item and not isinstance(row.address[0], str)


def packed(row: Locator) -> int:
    """Returns a row in 64 bits; its source lies below :data:`MOST_SOURCES`."""
    page, line = page_and_line(row)
    return (row.source << 48) | (page << 16) | line


def unpacked(number: int) -> Locator:
    """Returns the row that :func:`packed` made into a number."""
    return Locator(number >> 48, ((number >> 16) & 0xFFFFFFFF, number & 0xFFFF))
