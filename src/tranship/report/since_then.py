"""What a repeated run says of OLD: rows that were written there after an earlier run are not in NEW."""

from __future__ import annotations

from collections.abc import Iterator

from tranship.model.count import count_of
from tranship.model.options import MigrateOptions, command_line
from tranship.model.verdict import MigrationResult, TableResult
from tranship.model.visible import visible


def written_since(result: MigrationResult, options: MigrateOptions) -> str:
    """Returns that OLD was written to after an earlier run moved everything, and how to move all rows anew;
    an empty text where nothing shows that.
    """
    changed = [table for table in result.tables if _changed(table)]
    if not changed:
        return ""
    back = command_line(options.invocation, "rollback", *options.databases, "--live")
    return (
        f" OLD was written to since, in {count_of(len(changed), 'table')}, and NEW does not have that:"
        f" to move all rows again, {back}, then {options.live_again}"
    )


def moved_before(result: MigrationResult) -> list[str]:
    """Returns what OLD holds now of each table that an earlier run moved, the unchanged ones in one line."""
    known = [table for table in result.tables if table.rows_in_old_now is not None]
    if not known:
        return []
    other = [table for table in known if _changed(table)]
    lines = [f"  [{visible(table.label)}] {', '.join(_now(table))}" for table in other]
    same = [table for table in known if not _changed(table)]
    told = sum(isinstance(table.rows_written_since, int) for table in same)
    if told:
        lines.append(f"  {count_of(told, 'table')}: as many rows now as then, none of them written since")
    if len(same) > told:
        lines.append(
            f"  {count_of(len(same) - told, 'table')}: as many rows now as then; whether some of them were"
            " changed cannot be told"
        )
    return ["Moved by an earlier run, rows of OLD:", *lines]


def _changed(table: TableResult) -> bool:
    """Returns whether rows of OLD were inserted, changed or deleted."""
    if table.rows_in_old_now is None:
        return False
    return table.rows_in_old_now != table.rows_read or bool(table.rows_written_since)


def _now(table: TableResult) -> Iterator[str]:
    yield f"{table.rows_read} then, {table.rows_in_old_now} now"
    if table.rows_written_since:
        yield f"{table.rows_written_since} written since"
