"""Rows of OLD as the journal's columns name them, and those that no row is added to NEW for."""

from __future__ import annotations

import asyncpg
import msgspec
from msgspec import Struct

from tranship.model.locator import Address, Locator
from tranship.model.reasons import from_journal, journalled
from tranship.model.verdict import Held, HeldAs, Reject
from tranship.sql import row_id

NO_FAULT = "00000"
"""SQLSTATE of successful completion (PostgreSQL documentation, "Error Codes"): in ``predicted_reject`` it
marks a row that is not copied because NEW held it before the run. One query per batch reads both kinds.
"""


class _HeldRecord(Struct, frozen=True, omit_defaults=True):
    """What ``predicted_reject`` says, in place of a reason, of a row that is not added to NEW."""

    outcome: HeldAs = HeldAs.ALREADY_THERE
    key: tuple[tuple[str, str | None], ...] = ()
    into: str = ""
    """The id of the row into which it is merged, and the position of that row's source."""
    into_source: int = 0


def held_record(run: str, position: int, held: Held) -> tuple[object, ...]:
    """Returns a row that is not added to NEW as a row of the predicted rejects, in column order."""
    row = held.row
    words = (0, NO_FAULT, None, None, msgspec.json.encode(_record(held)))
    return (run, position, row.source, *page_and_line(row), *words, *item_and_key(row))


def _record(held: Held) -> _HeldRecord:
    if held.into is None:
        return _HeldRecord(held.outcome, held.key)
    return _HeldRecord(held.outcome, held.key, row_id.render(held.into), held.into.source)


def held_of(row: asyncpg.Record) -> Held:
    """Returns what :func:`held_record` wrote."""
    found = msgspec.json.decode(bytes(row["message"]), type=_HeldRecord)
    into = row_id.parse(found.into_source, found.into) if found.into else None
    return Held(place(row), found.outcome, found.key, into)


def page_and_line_of(end: Address | None, otherwise: tuple[int, int]) -> tuple[int, int]:
    """Returns an end of a range as the journal's columns hold it; the rows of a query have no page."""
    if end is None or isinstance(end[0], str):
        return otherwise
    page, line = end
    return int(page), int(line)


def page_and_line(row: Locator) -> tuple[int, int]:
    """Returns the place of a row in its heap, as the journal's columns hold it."""
    place = row_id.in_journal(row)
    return place.page, place.line


def item_and_key(row: Locator) -> tuple[int, str]:
    """Returns which item of an old row it is, and the key of a query's row, likewise."""
    place = row_id.in_journal(row)
    return place.item, place.key


def place(row: asyncpg.Record) -> Locator:
    """Returns the row of OLD that a row of the journal is about; format 1 knows no items and keys."""
    place = row_id.Place(row["page"], row["line"], row.get("item", 0), row.get("key", ""))
    return row_id.from_journal(row["source"], place)


def message(reject: Reject) -> bytes:
    """Returns the reason as the journal keeps it."""
    return journalled(reject.reason)


def reject_in(row: asyncpg.Record) -> Reject:
    return Reject(
        place(row),
        row["sqlstate"],
        from_journal(bytes(row["message"])),
        row["column_name"],
        row["constraint_name"],
        row.get("rank", 0),
    )
