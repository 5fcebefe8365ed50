"""Describes some rows of every table whose values change, for the page of a dry run."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.count import count_of
from tranship.model.options import command_line
from tranship.model.preview import ShownRows, TablePreview
from tranship.report.document import Item, Rows, Section, Tone
from tranship.report.preview import is_named, values_of


def describe_rows(shown: ShownRows, databases: tuple[str, ...]) -> Iterator[Rows | Section]:
    """Yields the rows of each flow, and what is said of flows of which none are shown. ``databases`` name
    both sides on the command line.
    """
    yield from map(_rows, shown.tables)
    command = command_line("tranship", "preview", *databases, "TABLE")
    said = []
    if shown.left:
        said.append(Item(f"{count_of(shown.left, 'more table')} with changed values: {command}"))
    if shown.why:
        said.append(Item(f"no rows are shown: {shown.why}"))
    yield Section("Rows that are not shown", tuple(said), Tone.PLAIN)


def _rows(table: TablePreview) -> Rows:
    unnamed = (f"not named by this flow: {', '.join(table.unnamed)}",) if table.unnamed else ()
    name = f"{table.old_table} → {table.new_table}"
    return Rows(
        f"{table.flow}: {name}" if is_named(table) else name,
        table.flow,
        tuple(tuple(values_of(table, row)) for row in table.rows),
        (*table.notes, *(unnamed if is_named(table) else ())),
    )
