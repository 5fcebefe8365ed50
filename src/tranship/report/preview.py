"""A preview as lines of text: for each row what every value becomes."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.preview import OPEN_QUESTION, PreviewCell, PreviewColumn, PreviewRow, TablePreview
from tranship.model.visible import visible
from tranship.report.document import Tone, Value

_MOST = 60
"""Characters of a value on a line."""
_WIDEST = 70
"""Columns up to which the left side is aligned."""


def preview_lines(table: TablePreview) -> Iterator[str]:
    """Yields the lines of one flow. Names and values cannot control a terminal."""
    named = f"{table.flow}: " if is_named(table) else ""
    yield visible(f"{named}{table.old_table} → {table.new_table}")
    for note in table.notes:
        yield visible(f"  {note}")
    if named and table.unnamed:
        # What one more flow of a table does not name, another one may take.
        yield visible(f"  not named by this flow: {', '.join(table.unnamed)}")
    for number, row in enumerate(table.rows, 1):
        yield f"  row {number}"
        lines = list(values_of(table, row))
        width = max((len(one.before) for one in lines if len(one.before) <= _WIDEST), default=0)
        for one in lines:
            yield f"    {one.before.ljust(width)} → {one.after}"


def is_named(table: TablePreview) -> bool:
    """Returns whether a person made the flow, beside the one that was found."""
    return table.flow not in (table.old_table, "")


def values_of(table: TablePreview, row: PreviewRow) -> Iterator[Value]:
    """Yields what each value of NEW comes from, and what becomes of old values that nothing takes. Names and
    values cannot control a terminal.
    """
    before = dict(zip(table.old_columns, row.before, strict=True))
    for column, cell in zip(table.columns, row.after, strict=True):
        undecided = cell.note == OPEN_QUESTION and not column.old_columns
        left = "(undecided)" if undecided else _source(column, before)
        tone = Tone.BAD if cell.rejects else Tone.PLAIN
        yield Value(left, visible(f"{column.name} {_value(cell)}"), tone)
    for name in () if is_named(table) else table.unnamed:
        why = (
            OPEN_QUESTION
            if name in table.open
            else "left behind, unless an expression or another flow reads it"
        )
        yield Value(visible(f"{name} {_value(before[name])}"), f"({why})")


def _source(column: PreviewColumn, before: dict[str, PreviewCell]) -> str:
    if not column.old_columns:
        return f"({column.how})"
    named = [f"{name} {_value(before[name])}" if name in before else name for name in column.old_columns]
    way = "" if column.how == "copied" else f" ({column.how})"
    return visible(", ".join(named) + way)


def _value(cell: PreviewCell) -> str:
    if cell.note and cell.text is None:
        return f"({cell.note})"
    text = "NULL" if cell.text is None else f"'{cell.text[:_MOST]}{'…' if len(cell.text) > _MOST else ''}'"
    return f"{text} ({cell.note})" if cell.note else text
