"""What a repeated run says of OLD: rows that were written there after an earlier run are not in NEW."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET

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
    back = every_run_back(result, options)
    return (
        f" OLD was written to since, in {count_of(len(changed), 'table')}, and NEW does not have that:"
        f" to move all rows again, {back}, then {options.live_again}"
    )


def every_run_back(result: MigrationResult, options: MigrateOptions) -> str:
    """Returns the commands that take away what earlier runs wrote, for a result in which they moved all."""
    back = command_line(options.invocation, "rollback", *options.databases, "--live")
    if all(table.again is UNSET for table in result.tables):
        return back
    # One rollback takes the rows of one run away, and each table may have had other runs.
    status = command_line(options.invocation, "status", *options.databases)
    return f"{back} for each run that {status} names, the last one first"


def moved_before(result: MigrationResult) -> list[str]:
    """Returns what OLD holds now of each table that an earlier run moved, the unchanged ones in one line."""
    known = [table for table in result.tables if table.rows_in_old_now is not None]
    same = [table for table in known if table.rows_in_old_now == table.rows_read and not _changed(table)]
    others = (table for table in known if table not in same)
    lines = [*(f"  [{visible(table.label)}] {_now(table)}" for table in others), *_as_many(same)]
    return ["Moved by an earlier run, rows of OLD:", *lines] if lines else []


def _as_many(same: Sequence[TableResult]) -> Iterator[str]:
    """Yields how many tables hold as many rows as then."""
    told = sum(isinstance(table.rows_written_since, int) for table in same)
    if told:
        yield f"  {count_of(told, 'table')}: as many rows now as then, none of them written since"
    if len(same) > told:
        yield (
            f"  {count_of(len(same) - told, 'table')}: as many rows now as then; whether some of them were"
            " changed cannot be told"
        )


def _changed(table: TableResult) -> bool:
    """Returns whether rows of OLD were inserted, changed or deleted."""
    now = table.rows_in_old_now
    if now is None:
        return False
    # A rejected row that was gone when a later run came for it is in neither database.
    gone = 0 if table.again is UNSET else table.again.left_out
    return not table.rows_read - gone <= now <= table.rows_read or bool(table.rows_written_since)


def _now(table: TableResult) -> str:
    then = f"{table.rows_read} then, {table.rows_in_old_now} now"
    if table.rows_written_since:
        return f"{then}, {table.rows_written_since} written since"
    return then if _changed(table) else f"{then}, without rejected rows that were deleted"
