"""Single rows, where the sums of a batch do not agree."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tranship.model.digest import Sums

AT_ONCE = 50_000
"""Rows that are fetched at once from either side, about 25 MB of memory; a batch has no more by default."""
Place = tuple[int, int]
"""The ctid of a row of NEW."""


class Row(Struct, frozen=True, gc=False):
    """One row as a side holds it, or should hold it."""

    key: str | None
    """The text of its key; None where there is no key."""
    digest: str
    """Its two hashes."""
    values: tuple[str | None, ...] = ()
    """The texts of the copied columns, where they were wanted."""

    @property
    def id(self) -> str:
        """What it is found by on the other side: its key, else its hashes."""
        return self.digest if self.key is None else self.key


def sums_of_rows(rows: Iterable[Row]) -> Sums:
    """Returns the sums over single rows."""
    number = first = second = 0
    for row in rows:
        one, other = row.digest.split(" ")
        number, first, second = number + 1, first + int(one), second + int(other)
    return Sums(number, first, second)
