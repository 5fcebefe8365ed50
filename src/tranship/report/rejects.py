"""Why a row was rejected, in words that hold no value of the row: for the terminal and the log."""

from __future__ import annotations

from tranship.model.progress import RowRejected

_WORDS = {
    "22001": "too long for the new column",
    "22003": "out of the range of the new column's type",
    "22007": "not a date or time that the new type reads",
    "22008": "a date or time out of range",
    "22021": "bytes that are no text in the encoding",
    "22023": "no entry of the mapping or lookup for its value",
    "22P02": "not a value of the new column's type",
    "22P05": "characters that the new database's encoding lacks",
    "23502": "NULL where the new column allows none",
    "23503": "the row it refers to is not there",
    "23505": "another row has the same key",
    "23514": "a check of the new table is not met, or no partition takes it",
    "23P01": "another row excludes it",
}


def reason(event: RowRejected, *, show_values: bool) -> str:
    """The reason, with the server's own words only where values may be shown."""
    if show_values and event.reason:
        return event.reason
    words = _WORDS.get(event.sqlstate, "refused by the new database")
    state = f"SQLSTATE {event.sqlstate}" if event.sqlstate else ""
    more = ", ".join(filter(None, (event.constraint, state)))
    return f"{words} ({more})" if more else words


def line(event: RowRejected, *, show_values: bool) -> str:
    """One reject for the terminal: table, key, column, reason."""
    column = f" column {event.column}:" if event.column else ""
    return f"rejected [{event.table}] {event.key}:{column} {reason(event, show_values=show_values)}"
