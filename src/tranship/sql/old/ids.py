"""Which rows a range of OLD holds."""

from __future__ import annotations

from tranship.model.plan import Source
from tranship.model.progress import RowId
from tranship.sql.old.batch import from_source, in_range, in_source, where


def select_ids(source: Source, lo: RowId | None, hi: RowId | None) -> str:
    """The ctids of a range of one source, ascending."""
    return f"SELECT CAST(old.ctid AS pg_catalog.text) {from_source(source)}{where([*in_source(source), *in_range(lo, hi)])} ORDER BY old.ctid"
