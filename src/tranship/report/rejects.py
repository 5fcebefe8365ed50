"""Rejected rows in words for the terminal, without row values unless they are asked for."""

from __future__ import annotations

import json

import msgspec
from msgspec import UNSET

from tranship.model.options import FIRST_OF_EACH_CAUSE
from tranship.model.progress import RowRejected
from tranship.model.verdict import MigrationResult, RejectRecord
from tranship.model.visible import json_text
from tranship.report.meter import sized
from tranship.report.reasons import reason_text
from tranship.report.why import Why, why_words


def key_words(event: RowRejected) -> str:
    """Returns ``id=3``; where neither OLD nor NEW has a key that names the row, its place in OLD's table."""
    if event.key:
        return ", ".join(f"{name}={value}" for name, value in json.loads(event.key).items())
    return f"row {event.place}" if event.place else "a row without a key"


def reason_words(event: RowRejected, *, lead: str = "") -> str:
    """Returns the whole reason where row values may be shown, else its kind in words. ``lead`` stands before
    the column's name where the words do not hold it.
    """
    if event.reason is not None:
        column = f"{lead}{event.column}: " if lead and event.column else ""
        return f"{column}{reason_text(event.reason)}"
    why = Why(event.what, event.sqlstate, event.column, event.constraint, event.table)
    return why_words(why, lead=lead)


def reject_line(record: RejectRecord) -> str:
    """Returns the line of the rejects file: JSON, with the reason in words."""
    fields = {
        name: value for name in record.__struct_fields__ if (value := getattr(record, name)) is not UNSET
    }
    return json_text(msgspec.json.encode({**fields, "reason": reason_text(record.reason)}).decode())


def part_of_rejects(result: MigrationResult) -> str:
    """Returns how much of the rejected rows the file holds, where it does not hold all."""
    rows, size = result.rejects_in_file, result.rejects_file_bytes
    if rows is UNSET or size is UNSET or not 0 < rows < result.stats.rows_failed:
        return ""
    failed = result.stats.rows_failed
    held = f"the first {FIRST_OF_EACH_CAUSE} of each cause, {rows} of {failed} rows in {sized(size)}"
    return f" ({held}; --all-rejects writes all, about {sized(size / rows * failed)})"
