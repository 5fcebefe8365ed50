"""Why rows are rejected, in words: causes first, then rows that are rejected because of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tranship.model.verdict import RejectCause, TableResult
from tranship.model.visible import printed
from tranship.report.rejects import short_words

_WORDS = {
    "MappingGap": "no entry in the value mapping of {column}",
    "LookupGap": "no entry in lookup table {table} for {column}",
    "LookupIsAnother": "the row of lookup table {table} was rejected",
    "CheckViolated": "check {constraint} refuses the row",
    "NoPartition": "no partition takes the row",
    "NullRefused": "NULL in {column}, which is NOT NULL",
    "DomainRefusesNull": "NULL in {column}, whose domain is NOT NULL",
    "ComesSecond": "another row of OLD with the same key comes first",
    "HeldByNew": "NEW already holds another row with the same key",
    "HeldBefore": "NEW already held a row with its key",
    "HeldOtherwise": "NEW already held a row with its key and other values",
    "HeldByAnother": "another row of OLD stands for NEW's row with its key",
    "SurvivorRejected": "the row into which they are merged was rejected",
    "NoParentInOld": "no parent in OLD, and NEW's row under the key is another one",
    "ParentMissing": "no parent in {table}",
    "ParentLeftOut": "the parent in {table} is left out",
    "ParentRejected": "the parent in {table} was rejected",
    "ParentIsAnother": "the parent in {table} was rejected, and NEW's row under its key is another one",
    "ParentElsewhere": "NEW holds the parent in {table} under another key",
    "ParentNotThere": "the parent in {table} did not arrive or was deleted",
    "OldCannotCompute": "OLD cannot compute the row",
}
"""By the name of a reason. What a server said is worded by its SQLSTATE."""
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


def cause_words(cause: RejectCause, *, values: bool) -> str:
    """Returns why rows are rejected, and how many. ``values``: values of rows may be shown."""
    template = _WORDS.get(cause.what, "")
    names = {"column": cause.column or "a column", "table": cause.table, "constraint": cause.constraint}
    words = template.format_map(names) if template else short_words(cause.sqlstate, cause.column)
    beside = cause.constraint if cause.constraint and "{constraint}" not in template else None
    code = " ".join(filter(None, (cause.sqlstate, beside)))
    rows = "1 row" if cause.rows == 1 else f"{cause.rows} rows"
    return f"{words} ({code}): {rows}{_values(cause, values=values)}"


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
