"""The statement that lists which rows a batch of OLD holds."""

from __future__ import annotations

from tranship.model.plan import TablePlan
from tranship.model.progress import Batch
from tranship.sql.old.batch import in_batch
from tranship.sql.old.row_source import row_source


def select_ids(plan: TablePlan, batch: Batch) -> str:
    """Returns a query for the ids of a batch's rows, as text, in the fixed order."""
    rows = row_source(plan, batch.source)
    return f"SELECT {rows.id_text} {in_batch(plan, batch)} ORDER BY {rows.order}"
