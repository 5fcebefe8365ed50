"""What a preview shows: some rows of OLD, and what becomes of each of their values under the decisions."""

from __future__ import annotations

from msgspec import Struct

PREVIEWED = 10
"""Rows of each flow that are shown."""
PREVIEW_SECONDS = 5
"""Seconds after which a statement of a preview is cancelled."""


class PreviewCell(Struct, frozen=True):
    """One value, as text."""

    text: str | None = None
    """None: NULL, or there is no value, as the note says. A long text is cut, and then ends with ``…``."""
    note: str = ""
    """Why there is no value, or why it would be refused."""
    rejects: bool = False
    """The row would be rejected for what the note says. Without it the note says where a value comes from, or
    why it is not shown.
    """


class PreviewColumn(Struct, frozen=True):
    """A column of NEW and what fills it."""

    name: str
    how: str
    """The field or word of the decision: ``transform_sql``, ``value_mapping``, ``copied`` …"""
    old_columns: tuple[str, ...] = ()
    """The old columns that it is said to read; of SQL those that the entry names beside it."""


class PreviewRow(Struct, frozen=True):
    """One row, before and after."""

    before: tuple[PreviewCell, ...]
    """In the order of ``TablePreview.old_columns``."""
    after: tuple[PreviewCell, ...]
    """In the order of ``TablePreview.columns``."""


OPEN_QUESTION = "open question"
"""What is noted of a value about which nobody has decided yet."""


class WrongRows(Struct, frozen=True):
    """How many rows were looked at to find those with a value that NEW refuses."""

    looked: int | None = 0
    """So many rows; None: every row of the flow; 0: it took too long, and none was looked at."""
    found: int = 0
    """Those of them with such a value."""
    at_least: bool = False
    """There may be more."""
    by_types: bool = False
    """No row had to be looked at: by the types of both columns no value is refused."""


class TablePreview(Struct, frozen=True):
    """The first rows of one flow."""

    flow: str
    """The name of the flow, or of the old table where it has none."""
    old_table: str
    new_table: str
    old_columns: tuple[str, ...]
    columns: tuple[PreviewColumn, ...]
    rows: tuple[PreviewRow, ...] = ()
    unnamed: tuple[str, ...] = ()
    """Old columns that no mapping and no entry names. A person's SQL may read them; it is not parsed."""
    open: tuple[str, ...] = ()
    """Those of them about which nobody has decided yet."""
    notes: tuple[str, ...] = ()
    wrong: WrongRows | None = None
    """What was looked at for the rows that are shown first; None: nobody looked for any."""


class ShownRows(Struct, frozen=True):
    """The rows that the page of a dry run shows."""

    tables: tuple[TablePreview, ...] = ()
    left: int = 0
    """Further flows whose values change, for which there was no time."""
    why: str = ""
    """Why no rows are shown; empty: they are, or none change."""
