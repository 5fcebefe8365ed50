"""What became of the rows of each table, as columns of a table: by its heading, the count of each table.

The counts of one table add up to the rows that were read (of a flow that makes one row of each old row), so
a count that any table has is a column.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.certificate import CertifiedTable
from tranship.model.verdict import MigrationResult, TableResult

Columns = dict[str, list[int]]


def result_columns(result: MigrationResult) -> Columns:
    """Returns what became of the rows of a run, or would of a dry run."""
    tables = result.tables
    return {
        "Read": [table.rows_read for table in tables],
        "To write" if result.mode == "dryrun" else "Written": [table.rows_migrated for table in tables],
        "Rejected": [table.rows_failed for table in tables],
        "Left out": [table.rows_left_out for table in tables],
        **_some(
            {
                "Already there": [table.rows_already_there for table in tables],
                "Kept": [table.rows_kept for table in tables],
                "Updated": [table.rows_updated for table in tables],
                "Merged": [table.rows_merged or 0 for table in tables],
            }
        ),
    }


def read_again(tables: Sequence[TableResult]) -> str:
    """Returns in brackets how many rows of OLD further flows read once more; empty where none does."""
    most: dict[str, int] = {}
    for table in tables:
        most[table.table] = max(table.rows_read, most.get(table.table, 0))
    again = sum(table.rows_read for table in tables) - sum(most.values())
    return f" ({again} of them once more, for a further table)" if again else ""


def certificate_columns(tables: Sequence[CertifiedTable]) -> Columns:
    """Returns what became of the rows whose runs are certified."""
    return {
        "Read": [table.read for table in tables],
        "Written": [table.written for table in tables],
        "Rejected": [table.rejected for table in tables],
        "Left out": [table.left_out for table in tables],
        **_some(
            {
                "Already there": [table.already_there for table in tables],
                "Kept": [table.kept for table in tables],
                "Updated": [table.updated for table in tables],
                "Merged": [table.merged for table in tables],
            }
        ),
    }


def _some(columns: Columns) -> Columns:
    """Returns the columns that are not zero in every table: most runs have none of them."""
    return {heading: counts for heading, counts in columns.items() if any(counts)}
