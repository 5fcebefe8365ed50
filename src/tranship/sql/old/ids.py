"""The statement that lists which rows a range of OLD holds."""

from __future__ import annotations

from tranship.model.locator import Range
from tranship.model.plan import Source
from tranship.sql.old.batch import from_source, in_range, in_source, where


def select_ids(source: Source, range_: Range) -> str:
    """Returns a query for the ctids of a range of one source, as text, ascending."""
    conditions = where([*in_source(source), *in_range(range_)])
    return f"SELECT CAST(old.ctid AS pg_catalog.text) {from_source(source)}{conditions} ORDER BY old.ctid"
