"""Why rows are rejected, in words: causes first, then rows that are rejected because of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.count import count_of
from tranship.model.verdict import RejectCause, TableResult
from tranship.model.visible import printed
from tranship.report.why import Why, why_words

RAISING = "Defaults of the new database that raise, so that their rows are rejected"
_SHOWN = 5
"""Values of one cause that are named on the terminal."""


def cause_lines(tables: Sequence[TableResult], *, values: bool) -> Iterator[str]:
    """Yields why rows are rejected. ``values``: values of rows may be shown."""
    found = [(table.label, cause) for table in tables for cause in table.causes]
    found.sort(key=lambda one: -one[1].rows)
    parts = (
        ("Rejected rows by cause:", [one for one in found if not one[1].consequence]),
        ("Rejected because of these:", [one for one in found if one[1].consequence]),
    )
    for title, group in parts:
        if group:
            yield title
        for label, cause in group:
            yield f"  [{_shown(label)}] {_shown(cause_words(cause, values=values))}"


def raising_lines(tables: Sequence[TableResult]) -> Iterator[str]:
    """Yields which defaults of NEW raise, so that a dry run predicts their rows to be rejected."""
    found = [(table.label, words) for table in tables for words in table.raising_defaults or ()]
    if found:
        yield f"{RAISING}:"
    for label, words in found:
        yield f"  [{_shown(label)}] {_shown(words)}"


def cause_words(cause: RejectCause, *, values: bool) -> str:
    """Returns why rows are rejected, and how many. ``values``: values of rows may be shown."""
    words = why_words(Why(cause.what, cause.sqlstate, cause.column, cause.constraint, cause.table))
    return f"{words}: {count_of(cause.rows, 'row')}{_values(cause, values=values)}"


def _values(cause: RejectCause, *, values: bool) -> str:
    if not cause.distinct_values:
        return ""
    count = "1 value" if cause.distinct_values == 1 else f"{cause.distinct_values} different values"
    if not values:
        return f", {count}"
    first = list(cause.values.items())[:_SHOWN]
    more = cause.distinct_values - len(first)
    named = ", ".join(f"{value!r} {rows}" for value, rows in first)
    return f", {count}: {named}" + (f" and {more} more" if more else "")


def _shown(text: str) -> str:
    return printed(text).replace("\n", "\\n").replace("\t", "\\t")
