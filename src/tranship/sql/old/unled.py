"""What OLD holds in the references of a row, whatever survivors they lead to."""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.canonical import key_text
from tranship.sql.old.row_source import among, own_row, row_source
from tranship.sql.quote import ident


def unled_references(plan: TablePlan, rows: Sequence[Locator], columns: Sequence[str]) -> str:
    """Returns a query for chosen rows, at least one, of one source: id, and their values in some columns."""
    source = row_source(plan, rows[0].source)
    values = [f"CAST({own_row(plan)}.{ident(column)} AS pg_catalog.text)" for column in columns]
    return f"SELECT {source.id}, {key_text(values)} {source.read((among(source, rows),))}"
