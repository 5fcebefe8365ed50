"""How much room given rows would take on a page of NEW.

NEW measures them itself: ``pg_column_size`` of a row value counts the header, NULLs and paddings of a stored
row. In place of a value that would be moved out of its row, or compressed, the measured row has a text of the
size that stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tranship.sql.new.given_rows import GivenRows
from tranship.sql.new.probe import answer
from tranship.sql.quote import ident

_KEPT = 23
"""Bytes of the largest value that stays in its row, without its header of one byte
(``toast_tuple_find_biggest_attribute`` in the server's source: a pointer, aligned, is 24)."""
_POINTER = 17
"""Bytes of a pointer to a value outside of the row, likewise (``TOAST_POINTER_SIZE``)."""
_COMPRESSED = 10
"""Bytes of the smallest compressed value, likewise: its two headers and one item."""
_PADDING = 7
"""Bytes that may stand before a value."""


class RowAttribute(Struct, frozen=True):
    """A column of a stored row, in the order of the row."""

    name: str
    varies: bool
    """Its values have no fixed length."""
    stays: bool
    """A long value is neither moved out nor compressed."""
    compresses: bool
    empty: bool
    """It holds nothing: it was dropped, or is computed when it is read."""


def size_part(rows: GivenRows, attributes: Sequence[RowAttribute]) -> str:
    """Returns the rows that are too large for a page: ``[row, "large", size, largest]``.

    Where it depends on how far NEW compresses their values: ``[row, "may be large", size, largest]``.
    """
    least, most = _measured(attributes, most=False), _measured(attributes, most=True)
    largest = "(CAST(pg_catalog.current_setting('block_size') AS pg_catalog.int4) - 32)"
    kind = f"CASE WHEN q.least > {largest} THEN 'large' ELSE 'may be large' END"
    return f"""
        SELECT {answer("q.i", kind, "q.least", f"CAST({largest} AS pg_catalog.text)")}
        FROM (SELECT {rows.number} AS i, {least} AS least, {most} AS most FROM {rows.source}) AS q
        WHERE q.most > {largest}
    """


def _measured(attributes: Sequence[RowAttribute], *, most: bool) -> str:
    values = ", ".join(_stand_in(attribute, most=most) for attribute in attributes)
    return f"pg_catalog.pg_column_size(ROW({values}))"


def _stand_in(attribute: RowAttribute, *, most: bool) -> str:
    """Returns a value that takes as much room in a row as the column's."""
    name = ident(attribute.name)
    if attribute.empty:
        return "NULL"
    if not attribute.varies:
        return name
    # A value in memory has a header of one byte up to 127 bytes in all, and else one of four.
    size = f"pg_catalog.pg_column_size({name})"
    length = f"{size} - CASE WHEN {size} <= 127 THEN 1 ELSE 4 END"
    if attribute.stays:
        return f"pg_catalog.repeat('x', {length}{f' + {_PADDING}' if most else ''})"
    moved = _COMPRESSED if attribute.compresses and not most else _POINTER
    return f"pg_catalog.repeat('x', CASE WHEN {length} > {_KEPT} THEN {moved} ELSE {length} END)"
