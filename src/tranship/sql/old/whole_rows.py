"""Queries for whole rows of OLD as JSON, for files and for people."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Column, Table
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.old.objects import json_object
from tranship.sql.old.row_source import among, own_row, row_source
from tranship.sql.quote import ident


def kept_columns(old: Table) -> tuple[Column, ...]:
    """Returns the columns of a whole row: without virtual generated columns, which hold nothing and may raise
    when read.
    """
    return tuple(column for column in old.columns if not column.computed_when_read)


def whole_rows(plan: TablePlan, old: Table, rows: Sequence[Locator], *, raw: bool, whole: bool = True) -> str:
    """Returns a query for chosen rows of one source, to be shown to people: ctid, key and whole row, as texts
    of JSON objects.

    Args:
        plan: its key names the key columns; without a key the text is NULL.
        old: the table.
        rows: at least one.
        raw: instead of key and row each column's JSON comes by itself as bytea, in column order: OLD is
            SQL_ASCII, and its bytes may be no text.
        whole: False leaves the row out (an empty text).
    """
    source = row_source(plan.unrestricted, rows[0].source)
    heap = source.read([among(source, rows)])
    kept, own = kept_columns(old), own_row(plan)
    if raw:
        texts = (f"CAST(pg_catalog.to_json({own}.{ident(c.name)}) AS pg_catalog.text)" for c in kept)
        values = ", ".join(f"pg_catalog.convert_to({text}, 'SQL_ASCII')" for text in texts)
        return f"SELECT {source.id}, ARRAY[{values}]::pg_catalog.bytea[] {heap}"
    row = (json_object(kept, own) if kept else "'{}'::pg_catalog.text") if whole else "''::pg_catalog.text"
    key = [column for name in plan.key if (column := old.column(name)) is not None]
    return f"SELECT {source.id}, {json_object(key, own)}, {row} {heap}"


def bytes_of_rows(plan: TablePlan, old: Table, rows: Sequence[Locator]) -> str:
    """Returns a query for ctid and bytes of chosen rows as :func:`whole_rows` gives them."""
    source, kept = row_source(plan.unrestricted, rows[0].source), kept_columns(old)
    length = f"pg_catalog.octet_length({json_object(kept, own_row(plan))})" if kept else "2"
    return f"SELECT {source.id}, {length} {source.read([among(source, rows)])}"
