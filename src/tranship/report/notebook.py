"""Small tables for notebooks: what a comparison found, what a run did, and what a verification says of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from tranship.model.change import ChangeClass, Comparison
from tranship.model.verdict import MigrationResult
from tranship.model.verification import Verification
from tranship.model.visible import visible
from tranship.report.verification import last_line, verdict

_ORDER = (ChangeClass.BREAKING, ChangeClass.TRANSFORMABLE, ChangeClass.SAFE)
_MOST_ROWS = 200
"""Rows of a table: a notebook keeps every output in its file."""


def comparison_html(comparison: Comparison) -> str:
    """Returns a fragment of HTML with a comparison's changes, those that need a decision first."""
    changes = [change for cls in _ORDER for change in comparison.of(cls)]
    counts = ", ".join(f"{len(comparison.of(cls))} {cls.value}" for cls in _ORDER)
    rows = ((change.cls.value, change.table, change.description) for change in changes)
    return _table(f"{len(changes)} changes: {counts}", ("class", "table", "change"), rows)


def result_html(result: MigrationResult) -> str:
    """Returns a fragment of HTML with a run's tables and counts."""
    stats = result.stats
    title = f"{result.mode}, {result.status}: {stats.rows_migrated} rows, {stats.rows_failed} rejected"
    rows = (
        (table.label, table.rows_read, table.rows_migrated, table.rows_failed, table.rows_left_out)
        for table in result.tables
    )
    return _table(title, ("table", "read", "written", "rejected", "left out"), rows)


def verification_html(result: Verification) -> str:
    """Returns a fragment of HTML with the verdict about each table."""
    rows = ((table.label, table.new_table, table.rows, verdict(table)) for table in result.tables)
    return _table(last_line(result), ("table", "new table", "rows", "verdict"), rows)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    all_rows = list(rows)
    shown = [f"<tr>{_cells('td', row)}</tr>" for row in all_rows[:_MOST_ROWS]]
    left = len(all_rows) - len(shown)
    more = f"<p>… and {left} more</p>" if left else ""
    return (
        f"<table><caption>{_text(title)}</caption><thead><tr>{_cells('th', head)}</tr></thead>"
        f"<tbody>{''.join(shown)}</tbody></table>{more}"
    )


def _cells(tag: str, values: Sequence[object]) -> str:
    return "".join(f"<{tag}>{_text(value)}</{tag}>" for value in values)


def _text(value: object) -> str:
    return escape(visible(str(value)))
