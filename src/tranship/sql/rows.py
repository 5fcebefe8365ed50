"""Whole rows of OLD, as they stand, for the journal and the rejects file."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.plan import Source
from tranship.model.progress import RowId
from tranship.sql.copy import among, from_source, in_source, where
from tranship.sql.quote import ident


def select_rows(source: Source, columns: Sequence[str], rows: Sequence[RowId]) -> str:
    """The ctid as text and every column of these rows of one source, in physical order."""
    listed = ", ".join(["CAST(old.ctid AS pg_catalog.text)", *(f"old.{ident(c)}" for c in columns)])
    return f"SELECT {listed}\n{from_source(source)}{where([*in_source(source), among(rows)])}\nORDER BY old.ctid"
