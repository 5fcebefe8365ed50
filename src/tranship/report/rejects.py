"""Rejected rows in words for the terminal, without row values unless they are asked for."""

from __future__ import annotations

import json

import msgspec
from msgspec import UNSET

from tranship.model.progress import RowRejected
from tranship.model.verdict import RejectRecord
from tranship.model.visible import json_text
from tranship.report.reasons import reason_text

_SAYS = {
    "23502": "NULL in a NOT NULL column",
    "23503": "foreign key: the parent is missing",
    "23505": "duplicate key",
    "23514": "check or partition refuses it",
    "23P01": "exclusion constraint",
    "22023": "no entry in the mapping or lookup",
    "22001": "too long",
    "22003": "out of range",
    "22007": "not readable as a date or time",
    "22008": "no such date or time",
    "22012": "division by zero",
    "21000": "a subquery gives more than one row",
    "22P02": "not readable as the new type",
    "22P05": "not in NEW's encoding",
    "54000": "too large for a page of NEW",
    "22021": "not in NEW's encoding",
}


def short_words(sqlstate: str, column: str | None) -> str:
    """Returns what happened, by SQLSTATE and column."""
    words = _SAYS.get(sqlstate, "NEW refuses the row")
    return f"{column}: {words}" if column is not None else words


def short_reason(sqlstate: str, constraint: str | None) -> str:
    """Returns what happened, by SQLSTATE and constraint."""
    words = _SAYS.get(sqlstate, f"SQLSTATE {sqlstate}")
    return f"{words} ({constraint})" if constraint is not None else words


def key_words(event: RowRejected) -> str:
    """Returns ``id=3``; where OLD has no key, the row's place in its table."""
    if event.key:
        return ", ".join(f"{name}={value}" for name, value in json.loads(event.key).items())
    return f"row {event.place}" if event.place else "no key"


def reason_words(event: RowRejected) -> str:
    """Returns the whole reason where row values may be shown, else the short one."""
    return (
        reason_text(event.reason)
        if event.reason is not None
        else short_reason(event.sqlstate, event.constraint)
    )


def reject_line(record: RejectRecord) -> str:
    """Returns the line of the rejects file: JSON, with the reason in words."""
    fields = {
        name: value for name in record.__struct_fields__ if (value := getattr(record, name)) is not UNSET
    }
    return json_text(msgspec.json.encode({**fields, "reason": reason_text(record.reason)}).decode())
