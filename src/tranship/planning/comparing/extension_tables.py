"""Tables that belong to an extension: they are not moved, and may hold rows of the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tranship.model.catalog import Catalog
from tranship.model.change import Change, ChangeClass
from tranship.model.change_kind import ChangeKind
from tranship.model.evidence import RowsInNew
from tranship.model.names import TableName


def extension_table_notes(old: Catalog, own_rows: Mapping[TableName, RowsInNew]) -> Iterator[Change]:
    """Yields a note for each table of OLD that belongs to an extension.

    ``own_rows`` are the rows beyond those that the extension brings along, where it tells which.
    """
    for extension in old.extensions:
        for table in extension.tables:
            held = own_rows.get(table.name)
            rows = "" if held is None else f"; OLD holds {_rows(held.rows)} beyond the extension's own"
            yield Change(
                cls=ChangeClass.SAFE,
                kind=ChangeKind.EXTENSION_TABLE,
                table=str(table.name),
                description=f"Table '{table.name.name}' belongs to the extension {extension.name}{rows}",
                auto_action="Not moved: CREATE EXTENSION fills it; add your own rows to NEW yourself",
            )


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
