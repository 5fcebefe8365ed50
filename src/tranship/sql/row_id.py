"""How statements on OLD identify a row that a flow makes, and what the driver gives back for it.

A row of a heap is its ctid. An item is the ctid of the row that it is made of, with its number. A row of a
query is the values of its key, each as the hexadecimal digits of its text: they pass through COPY, through
every encoding, and sort as the bytes do. Where the query is cut by a column, that column's value comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, assert_never

from tranship.model.locator import Address, Locator
from tranship.sql import ctid


class Place(NamedTuple):
    """A row as the journal's columns hold it."""

    page: int
    line: int
    item: int
    key: str
    """Of a row of a query; else empty."""


def locate(source: int, value: Sequence[Any]) -> Locator:
    """Returns the row that the driver decoded from an id: a tid, a record of tid and number, or an array of
    texts.
    """
    if isinstance(value, list):
        return Locator(source, tuple(str(part) for part in value))
    # No match statement: of the driver's records it asks an abstract class, which takes 5 µs a row.
    first, last = value
    if isinstance(first, int):
        return Locator(source, (first, last))
    page, line = first
    return Locator(source, (page, line), last)


def locate_all(source: int, values: Sequence[Any]) -> tuple[Locator, ...]:
    """Returns the rows of one source that the driver decoded, which are all of one kind."""
    if values and isinstance(values[0], tuple) and isinstance(values[0][0], int):
        # A tid is the address as it is; a call for each row would take most of the time.
        return tuple(Locator(source, tid) for tid in values)
    return tuple(locate(source, value) for value in values)


def parse(source: int, text: str) -> Locator:
    """Returns the row that an id's text names, as :func:`render` writes it."""
    if not text.startswith("("):
        return Locator(source, parse_key(text))
    place, _, item = text.partition("#")
    return Locator(source, ctid.parse(place), int(item or 0))


def render(row: Locator) -> str:
    """Returns a row's id as the statements write it: ``(12,3)``, ``(12,3)#2`` for an item, ``31.6162`` for a
    key.
    """
    place = render_address(row.address)
    return f"{place}#{row.item}" if row.item else place


def render_address(address: Address) -> str:
    """Returns an address as one text."""
    return render_key(address) if isinstance(address[0], str) else ctid.render(address)


def parse_address(text: str) -> Address:
    """Returns the address that a text names."""
    return ctid.parse(text) if text.startswith("(") else parse_key(text)


_LEAST = 2**63
"""Added to a whole number of eight bytes, it gives a number that is not negative."""
_DIGITS = 20


def padded(number: int) -> str:
    """Returns a whole number of eight bytes as digits that sort as the numbers do."""
    return str(number + _LEAST).zfill(_DIGITS)


def padded_value(value: str) -> str:
    """Returns SQL for the same text of an SQL value."""
    moved = f"CAST({value} AS pg_catalog.numeric) + {_LEAST}"
    return f"pg_catalog.lpad(CAST({moved} AS pg_catalog.text), {_DIGITS}, '0') COLLATE pg_catalog.\"C\""


def unpadded(text: str) -> int:
    """Returns the number that :func:`padded` made a text of."""
    return int(text) - _LEAST


def hex_value(value: str) -> str:
    """Returns SQL for the hexadecimal digits of a text's bytes in OLD, which sort as the bytes do.

    The bytes are the same whatever encodings OLD and NEW have, and SQL_ASCII has nothing else.
    """
    digits = f"pg_catalog.encode(pg_catalog.convert_to({value}, 'SQL_ASCII'), 'hex')"
    return f'{digits} COLLATE pg_catalog."C"'


def render_key(address: Address) -> str:
    """Returns the address of a query's row as one text."""
    return ".".join(str(part) for part in address)


def parse_key(text: str) -> Address:
    """Returns the address of a query's row that a text names."""
    return tuple(text.split("."))


def in_journal(row: Locator) -> Place:
    """Returns a row as the journal's columns hold it."""
    if isinstance(row.address[0], str):
        return Place(0, 0, 0, render_key(row.address))
    return Place(*ctid.page_and_line(row), row.item, "")


class IdKind(Enum):
    """What identifies the rows of a flow."""

    ROW = "row"
    ITEM = "item"
    KEY = "key"


def place_columns(text: str, kind: IdKind) -> dict[str, str]:
    """Returns SQL for the journal's columns by their names, of an id as `render` writes it. ``text`` is SQL
    for that id.
    """
    match kind:
        case IdKind.KEY:
            return {"page": "0", "line": "0", "item": "0", "key": text}
        case IdKind.ITEM:
            place, item = (f"pg_catalog.split_part({text}, '#', {n})" for n in (1, 2))
        case IdKind.ROW:
            place, item = text, "0"
        case _:
            assert_never(kind)
    # A tid has no parts in SQL, but reads like a point, which is exact for numbers of 53 bits.
    page, line = (f"(CAST({place} AS pg_catalog.point))[{n}]" for n in (0, 1))
    return {"page": page, "line": line, "item": item, "key": "''"}


def from_journal(source: int, place: Place) -> Locator:
    """Returns the row that the journal's columns name."""
    # The lines of a heap are numbered from 1; the key of a query's row may be an empty text.
    if place.key or place.line == 0:
        return Locator(source, parse_key(place.key))
    return Locator(source, (place.page, place.line), place.item)
