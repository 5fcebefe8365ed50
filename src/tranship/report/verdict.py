"""The first line of a run's end: what happened, and the command that comes next."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from tranship.errors.codes.stale_references import of_references
from tranship.model.options import REJECTS_ONLY, MigrateOptions, command_line
from tranship.model.resolution import Problem
from tranship.model.verdict import MigrationResult
from tranship.report.causes import HELD, only_held
from tranship.report.changed_values import changed_values
from tranship.report.since_then import every_run_back, written_since
from tranship.report.verification import grouped

UNASKED = "Look at what could not be asked beforehand"
"""What is to be done after a run in which everything arrived, where some data checks were not possible."""

REFERENCES = "Look at what TS308 says of references"
"""What is to be done after a run that kept OLD's keys in columns that may refer to rows with other ones."""

NOTHING_LEFT = "Nothing left to do."

NOT_ONE_MOMENT = (
    "OLD was read at more than one moment, as --new-snapshot unfinished allowed:"
    " rows of one table may not fit those of another."
)
"""What is said of a run whose tables were read in several snapshots."""

_AGAIN = {False: " that were rejected before", True: " that was rejected before"}


def verdict(result: MigrationResult, options: MigrateOptions) -> str:
    """Returns what a run did, or would do, and what to do now."""
    if result.mode == "live":
        elsewhere = result.rows_rejected_elsewhere
        if not elsewhere:
            return _live(result, options)
        status = command_line(options.invocation, "status", *options.databases)
        # Something is left to do, whatever becomes of the chosen tables.
        told = _live(result, options).removesuffix(_nothing_left(result)).rstrip()
        return f"{told} {still_rejected_elsewhere(elsewhere, status)}"
    if _moved_before(result):
        return _all_before(result, options)
    if result.status == "refused":
        return "A live run would be refused for now: fix what is listed below, then repeat this command."
    if not result.tables:
        return _no_table(result)
    stats, rehearsed = result.stats, result.mode == "rehearse"
    before = _written_before(result)
    now, more = (
        stats.rows_migrated - before,
        f" (earlier runs moved {grouped(before)})" if before else "",
    )
    moved = f"{_rows(now)} {_were(now)} written{more}"
    if rehearsed:
        done = f"The rehearsal is rolled back: {moved}, {grouped(stats.rows_failed)} rejected."
    else:
        there = _there(stats.rows_already_there, "are")
        done = f"{_rows(now)} would be written{more},{there} {grouped(stats.rows_failed)} rejected."
    done += _changed(result, done=False)
    if of_references(result.problems):
        done += f" {REFERENCES}."
    live = options.live_after_dry
    if not stats.rows_failed:
        return f"{done} Next: {live}"
    return f"{done} {_look(result)}, or accept it: {live}"


def left_to_look_at(problems: Sequence[Problem], *, not_asked: bool) -> str:
    """Returns what a person is to look at although every row arrived, without a full stop; empty: nothing.

    Args:
        problems: the warnings of the run.
        not_asked: some data checks were not possible before the run.
    """
    parts = [REFERENCES] if of_references(problems) else []
    parts += [UNASKED if not parts else UNASKED.removeprefix("Look ")] if not_asked else []
    return ", and ".join(parts)


def still_rejected_elsewhere(rows: int, status: str) -> str:
    """Returns that rows of other tables are still rejected. ``status``: the command that shows them."""
    return f"{_rows(rows)} of other tables {'is' if rows == 1 else 'are'} still rejected: {status}"


def _live(result: MigrationResult, options: MigrateOptions) -> str:
    stats = result.stats
    if result.status == "differs" and result.exit_status == 5:
        return (
            "NEW does not hold what OLD's rows become. Do not use it: the rows that differ are listed below."
        )
    if result.status == "differs":
        return "Others changed rows of NEW since they were written: look at those that are listed below."
    if _moved_before(result):
        return _all_before(result, options)
    if not result.tables:
        return _no_table(result)
    if stats.rows_failed:
        failed = f"{grouped(stats.rows_failed)} {_were(stats.rows_failed)} rejected"
        arrived = f"{_in_all(result, ' arrived')},{_there(stats.rows_already_there, 'were')} {failed}."
        arrived += _changed(result, done=True)
        return f"{arrived} {_look(result)}, then {_once_more(result, options)}"
    proven = all(table.verified not in (None, False) for table in result.tables)
    known = "verified" if proven else "counted on both servers, contents not compared"
    there = _there(stats.rows_already_there, "were")
    left = _left(result, options) or _nothing_left(result)
    return f"Everything arrived: {_in_all(result)},{there} {known}.{_changed(result, done=True)} {left}"


def _left(result: MigrationResult, options: MigrateOptions) -> str:
    """Returns the sentence about what a person is to look at after a live run; empty: nothing."""
    open_ = any(table.not_asked for table in result.tables)
    left = left_to_look_at(result.problems, not_asked=open_)
    if not left or not of_references(result.problems):
        return f"{left}, below." if left else ""
    # The run told its warnings at its beginning: hours and screens before these lines.
    return f"{left}: {command_line(options.invocation, 'report', *options.databases)}"


def _nothing_left(result: MigrationResult) -> str:
    """Returns that nothing is left to do, or for which tables alone that is true."""
    aside = result.tables_not_chosen
    if not aside:
        return NOTHING_LEFT
    other = "1 other table of OLD takes" if aside == 1 else f"{aside} other tables of OLD take"
    return f"Nothing left to do for the chosen tables; {other} no part in this run."


def _changed(result: MigrationResult, *, done: bool) -> str:
    return changed_values((loss for table in result.tables for loss in table.losses), done=done)


def _once_more(result: MigrationResult, options: MigrateOptions) -> str:
    """Returns how rejected rows can be moved after the decisions were corrected."""
    reasons = {table.not_alone: None for table in result.tables if table.not_alone is not UNSET}
    if not reasons:
        return f"move only the rejected rows: {options.again_with('--live', REJECTS_ONLY)}"
    if _moved_before(result):
        return all_again(every_run_back(result, options), [*reasons])
    words = (*options.databases, "--run", result.run_id, "--live")
    return all_again(command_line(options.invocation, "rollback", *words), [*reasons])


def all_again(rollback: str, reasons: Sequence[str]) -> str:
    """Returns that rejected rows are moved with all others, and why. ``rollback``: the command before it."""
    return (
        f"roll the run back and move all rows: {rollback} (the rejected ones cannot be moved by themselves: "
        f"{'; '.join(reasons)})"
    )


def _moved_before(result: MigrationResult) -> bool:
    return (
        result.status in ("done", "rejects")
        and bool(result.tables)
        and all(table.already_migrated for table in result.tables)
    )


def _written_before(result: MigrationResult) -> int:
    """Returns the rows of the result that earlier runs wrote."""
    return sum(table.rows_written_before or 0 for table in result.tables)


def _in_all(result: MigrationResult, verb: str = "") -> str:
    """Returns how many rows there are, and of them those that the run moved where earlier ones moved some."""
    rows, before = result.stats.rows_migrated, _written_before(result)
    if not before:
        again = all(table.rejects_of for table in result.tables)
        return f"{_rows(rows)}{_AGAIN[rows == 1] if again else ''}{verb}"
    return f"{_rows(rows - before)}{verb} by this run, {grouped(rows)} in all"


def _no_table(result: MigrationResult) -> str:
    """Returns the verdict where no table of OLD is moved: nothing arrived, and nothing was compared."""
    left = result.stats.rows_left_out
    return f"No table is moved: {_rows(left)} of OLD {'is' if left == 1 else 'are'} left out. Nothing to do."


def _all_before(result: MigrationResult, options: MigrateOptions) -> str:
    """Returns the verdict where earlier runs moved every table; rows that they rejected are left to do."""
    stats, live, since = result.stats, result.mode == "live", written_since(result, options)
    there = f" ({_there(stats.rows_already_there, 'were').strip(' ,')})" if stats.rows_already_there else ""
    if not stats.rows_failed:
        nothing = "Nothing was left to do" if live else "Nothing to do"
        return f"{nothing}: an earlier run moved all {_rows(stats.rows_migrated)}{there}.{since}"
    none = "No row was written" if live else "No row would be written"
    moved = f"{_rows(stats.rows_migrated)}{there} and rejected {grouped(stats.rows_failed)}"
    # Where OLD was written to, all rows are moved again, the rejected ones among them.
    next_ = since or f" {_look(result)}, then {_once_more(result, options)}"
    return f"{none}: an earlier run moved {moved}.{next_}"


def _look(result: MigrationResult) -> str:
    """Returns what is to be done about rejected rows, as the beginning of a sentence."""
    causes = [cause for table in result.tables for cause in table.causes]
    if only_held(causes):
        return "Choose below, at the causes, what becomes of rows that NEW holds"
    held = any(cause.what in HELD for cause in causes)
    about = " (about rows that NEW holds, see below)" if held else ""
    return f"Read {result.rejects_file or 'the reasons below'} and correct the decisions{about}"


def _there(count: int, are: str) -> str:
    """Returns the part of a sentence about equal rows that NEW held before; empty where there are none."""
    verb = {"are": "is", "were": "was"}[are] if count == 1 else are
    return f" {grouped(count)} {verb} there already," if count else ""


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{grouped(count)} rows"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
