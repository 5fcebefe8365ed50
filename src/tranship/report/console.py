"""The classic console output of ``migrate``: banner, one block per table in plan order, summary.

Its words are public interface, and scripts read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from tranship.model.count import count_of
from tranship.model.flow import FlowId
from tranship.model.options import MigrateOptions, command_line
from tranship.model.progress import Event, Noted, OldRows, PlannedTable, RunStarted, TableDone, TableStarted
from tranship.model.verdict import MigrationResult, Stats, TableResult
from tranship.model.visible import printed
from tranship.report.aligned import aligned
from tranship.report.by_table import read_again, result_columns
from tranship.report.causes import cause_lines, explained_states, not_asked_lines, raising_lines
from tranship.report.changed_values import changed_lines
from tranship.report.meter import about
from tranship.report.notes import words
from tranship.report.rejects import part_of_rejects
from tranship.report.said_once import problem_lines
from tranship.report.since_then import moved_before
from tranship.report.time_spent import time_lines
from tranship.report.verdict import verdict
from tranship.report.verification import before_lines, coverage, difference_lines, opinion_lines

RULER = "=" * 80
_WARNINGS: dict[str, tuple[str, ...]] = {
    "": (),
    "DRY RUN": ("⚠ Running in DRY RUN mode - no data will be written",),
    "REHEARSAL": (
        "⚠ Running in REHEARSAL mode - everything will be rolled back",
        "⚠ The tables stay locked until then: for a NEW database that nobody uses",
    ),
}


def shown(name: str) -> str:
    """Returns a name on one line, with escapes for the characters that are not shown."""
    return printed(name).replace("\n", "\\n").replace("\t", "\\t")


class Console:
    """Folds the events of a run into lines.

    Tables are copied side by side, so a table's block is kept until it is complete and every table before it
    in the plan has appeared.
    """

    def __init__(self, options: MigrateOptions) -> None:
        self._options = options
        self._mode = "" if options.live else "REHEARSAL" if options.rehearse else "DRY RUN"
        self._planned: tuple[PlannedTable, ...] = ()
        self._begun = False
        self._rows: dict[FlowId, int] = {}
        self._done: dict[FlowId, TableDone] = {}
        self._printed = 0
        self._noted: list[str] = []
        self._old_bare = self._new_bare = True

    def feed(self, event: Event) -> list[str]:
        """Returns the lines that an event completes."""
        match event:
            case RunStarted(tables=tables):
                return self._begin(tables)
            case TableStarted(flow=flow, rows=rows):
                self._rows[flow] = rows
                return []
            case TableDone():
                self._done[event.flow] = event
                return self._blocks()
            case Noted(what=note):
                self._noted.append(words(note))
                return []
            case _:
                return []

    def finish(self, result: MigrationResult, result_path: str) -> list[str]:
        """Returns the summary and what follows it."""
        lines = ([] if self._begun else self._begin(())) + self._skipped(result)
        first = verdict(result, self._options)
        # The end of a classic script begins as it always did.
        if self._options.invocation == "tranship":
            lines += ["", first, "", *_totals(result.stats)]
        else:
            lines += ["", *_totals(result.stats), "", first]
        for part in (
            _by_table(result),
            self._causes(result),
            list(raising_lines(result.tables)),
            _left_out(result),
            list(changed_lines(result.tables)),
            list(not_asked_lines(result.tables)),
            moved_before(result),
            _verification(result),
            _locks(result),
            _time(result),
        ):
            lines += ["", *part] if part else []
        lines += self._unseen(result)
        lines += [*_estimate(result), "", *_files(result, result_path)]
        return [*lines, coverage(result.tables)] if result.mode == "live" else lines

    def _causes(self, result: MigrationResult) -> list[str]:
        # Of a refused run the rows in the way may be those of an earlier run: first comes what refuses it.
        live = None if result.status == "refused" else result.mode == "live"
        lines = list(cause_lines(result.tables, values=self._options.show_values, live=live))
        for state in explained_states(result.tables):
            command = command_line(self._options.invocation, "explain", state)
            lines.append(f"What can be done about {state}: {command}")
        return lines

    def _unseen(self, result: MigrationResult) -> list[str]:
        """Returns the problems that were not shown during the run."""
        unseen = [p for p in result.problems if not any(p.message in message for message in self._noted)]
        return ["", *problem_lines(unseen)] if unseen else []

    def _begin(self, tables: tuple[PlannedTable, ...]) -> list[str]:
        if self._begun and tables == self._planned:
            # A run that takes up its own work again.
            return []
        self._planned, self._begun = tables, True
        # A schema is named only where there is more than one, as the classic output had it.
        self._old_bare = len({t.flow.old.schema for t in tables}) <= 1
        self._new_bare = len({t.flow.new.schema for t in tables}) <= 1
        title = f"{self._mode} - DATA MIGRATION" if self._mode else "DATA MIGRATION"
        return [
            RULER,
            title,
            RULER,
            *_WARNINGS[self._mode],
            "",
            f"Tables to migrate: {len(tables)}",
            f"Batch size: {self._options.batch_rows}",
        ]

    def _blocks(self) -> list[str]:
        lines: list[str] = []
        while self._printed < len(self._planned) and self._planned[self._printed].flow in self._done:
            lines += self._block(self._planned[self._printed])
            self._printed += 1
        return lines

    def _skipped(self, result: MigrationResult) -> list[str]:
        """Returns the blocks of tables that an earlier run copied and about which there was no event."""
        before = {
            (table.table, table.new_table, table.flow or ""): table
            for table in result.tables
            if table.already_migrated
        }
        for planned in self._planned[self._printed :]:
            flow = planned.flow
            table = before.get((str(flow.old), str(flow.new), flow.name))
            if table is not None and planned.flow not in self._done:
                done = TableDone(
                    planned.flow,
                    table.rows_read,
                    table.rows_migrated,
                    table.rows_failed,
                    table.rows_already_there,
                    table.rows_kept,
                    table.rows_updated,
                    table.rows_merged or 0,
                    already_migrated=True,
                )
                self._done[planned.flow] = done
        return self._blocks()

    def _block(self, planned: PlannedTable) -> Iterator[str]:
        done = self._done[planned.flow]
        mark = f"[{self._mode}] " if self._mode else ""
        yield ""
        yield f"{mark}Migrating table: {self._title(planned)}"
        if done.already_migrated:
            yield "  ✓ already migrated: nothing to do"
            return
        yield f"  Old columns: {planned.old_columns}, New columns: {planned.new_columns}"
        rows = self._rows.get(planned.flow, done.read)
        yield f"  Total rows to migrate: {rows}{_made_of(planned.flow, done)}"
        arrived = done.read - done.rejected
        yield f"  ✓ Processed: {done.read}, Success: {arrived}, Failed: {done.rejected}"
        if done.old is not None:
            yield from _old_rows(done.old)
        if done.already_there:
            yield f"  Of these already there: {done.already_there} (NEW held equal rows before the run)"
        if done.kept:
            yield f"  Of these kept: {done.kept} (NEW's rows stay as they are)"
        if done.updated:
            yield f"  Of these updated: {done.updated} (OLD's values replace those of NEW's rows)"
        for constraint, rows in done.tolerated:
            yield shown(f"  Of these tolerated: {rows} (they break {constraint}, NOT VALID as in OLD)")
        if done.merged:
            yield f"  Of these merged: {done.merged} (another row with the same key stands for them)"

    def _title(self, planned: PlannedTable) -> str:
        if planned.flow.name:
            return shown(planned.flow.name)
        before, after = planned.flow.old, planned.flow.new
        old = shown(before.name if self._old_bare else str(before))
        new = shown(after.name if self._new_bare else str(after))
        return old if before.name == after.name else f"{old} -> {new}"


def _estimate(result: MigrationResult) -> list[str]:
    """Returns how long the live run will take, as far as the last one or a sample of rows tells."""
    seconds, sample = result.estimated_seconds, result.sample
    if seconds is not UNSET:
        return ["", f"A live run takes {about(seconds)}, if it is as quick as the last one."]
    if sample is UNSET or not sample.rows:
        return []
    seconds = sample.seconds * result.stats.rows_read / sample.rows
    measured = f"as measured on {count_of(sample.rows, 'row')} of {shown(sample.table)}"
    return [
        "",
        f"Reading alone takes {about(seconds)} in one stream, {measured}. --rehearse measures the whole run.",
    ]


def _locks(result: MigrationResult) -> list[str]:
    """Returns the locks of the live run: those that stop others by themselves, the usual ones in a line."""
    if result.locks is UNSET or not result.locks:
        return []
    lines = ["Locks of the live run:"]
    for lock in result.locks:
        count = len(lock.tables)
        tables = ", ".join(map(shown, lock.tables)) if count <= _FEW_TABLES else f"{count} tables"
        lines.append(f"  {lock.side.upper()}, {lock.mode} on {tables} {shown(lock.why)}")
    return lines


_FEW_TABLES = 3
"""Tables of one lock that are named on the terminal."""


def _totals(stats: Stats) -> list[str]:
    return [
        RULER,
        "MIGRATION SUMMARY",
        RULER,
        f"Tables processed: {stats.tables_processed}",
        f"Total rows migrated: {stats.rows_migrated}",
        f"Total rows failed: {stats.rows_failed}",
        f"Duration: {stats.duration_seconds:.2f} seconds",
    ]


def _by_table(result: MigrationResult) -> list[str]:
    """Returns a table of the counts of all tables; nothing where there is one."""
    if len(result.tables) < _FEWEST_TABLES:
        return []
    columns = result_columns(result)
    rows = [
        [table.label, *counts]
        for table, counts in zip(result.tables, zip(*columns.values(), strict=True), strict=True)
    ]
    return aligned(["Table", *columns], rows)


_FEWEST_TABLES = 2
"""Tables from which on their counts are shown as a table."""


def _made_of(flow: FlowId, done: TableDone) -> str:
    """Returns what the rows of a flow are that reads no row of OLD for each, in brackets; else nothing."""
    if done.old is None or done.old.read or not done.read:
        return ""
    if flow.adds_values:
        return shown(f" (values that rows look up: {flow.new.name} gets those that it lacks)")
    return " (rows that the query of the flow makes)"


def _old_rows(old: OldRows) -> Iterator[str]:
    """Returns what became of the old rows of a flow that does not make one row of each."""
    if old.read:
        none = f", without items: {old.without_items}" if old.without_items else ""
        yield f"  Old rows read: {old.read}, left out: {old.left_out}{none}"


def _left_out(result: MigrationResult) -> list[str]:
    lines = [f"  [{shown(table)}] {rows}" for table, rows in result.left_out.items()]
    for table in result.tables:
        followed = table.rows_left_with_parent or 0
        # Rejected rows that are moved later may have been deleted in OLD meanwhile; the count is of both.
        later = table.rejects_of or table.again is not UNSET
        itself = "no longer in OLD, or by its filter" if later else "by its filter"
        reasons = {itself: table.rows_left_out - followed, "with their parent": followed}
        lines += [f"  [{shown(table.label)}] {why}: {rows}" for why, rows in reasons.items() if rows]
    return ["Rows left out:", *lines] if lines else []


def _time(result: MigrationResult) -> list[str]:
    return [shown(line) for line in time_lines(result.profile or ())]


def _verification(result: MigrationResult) -> list[str]:
    stats = result.stats
    arrived = _arrived(result)
    beside = (
        (stats.rows_already_there, "already there"),
        (stats.rows_kept, "kept"),
        (stats.rows_updated, "updated"),
        (stats.rows_merged or 0, "merged"),
    )
    there = "".join(f" + {rows} {word}" for rows, word in beside if rows)
    read = f"Accounted for: {stats.rows_read} read{read_again(result.tables)}"
    lines = [f"{read} = {arrived} + {stats.rows_left_out} left out{there}"]
    if stats.rows_made is not UNSET:
        used = stats.rows_read - stats.rows_left_out
        none = f" ({stats.rows_without_items} of them made none)" if stats.rows_without_items else ""
        lines = [
            f"{read} = {used} used{none} + {stats.rows_left_out} left out",
            f"Rows made: {stats.rows_made} = {arrived}{there}",
        ]
    if result.mode != "live":
        return lines
    lines += [*_verdicts(result.tables), *before_lines(result.tables)]
    lines += opinion_lines(result.tables)
    return lines + [line for table in result.tables for line in difference_lines(table.differences)]


def _arrived(result: MigrationResult) -> str:
    """Returns how many rows are written and rejected; of a dry run those of earlier runs by themselves."""
    written, rejected = result.stats.rows_migrated, result.stats.rows_failed
    if result.mode != "dryrun":
        return f"{written} written + {rejected} rejected"
    before = sum(table.rows_written_before or 0 for table in result.tables)
    refused = sum(table.rows_failed for table in result.tables if table.already_migrated)
    done = f"{before} written before + {refused} rejected before" if before or refused else ""
    left = f"{written - before} would be written + {rejected - refused} would be rejected"
    nothing_left = done and all(table.already_migrated for table in result.tables)
    return " + ".join(filter(None, (done, "" if nothing_left else left)))


def _verdicts(tables: Sequence[TableResult]) -> Iterator[str]:
    """Yields what is known of the tables' rows in NEW, each verdict once with its tables."""
    words = [(table.label, _verdict(table)) for table in tables]
    for said in dict.fromkeys(said for _, said in words):
        names = [shown(name) for name, other in words if other == said]
        which = "all tables" if len(names) == len(words) else ", ".join(names)
        yield f"{said} ({which})"


def _verdict(table: TableResult) -> str:
    match table.verified:
        case True:
            return "Verified"
        case False:
            return f"DIFFERS: {shown(table.verified_why)}"
        case None:
            return f"Not verified: {shown(table.verified_why)}"
        case words:
            return f"Verified {shown(words)}"


def _files(result: MigrationResult, path: str) -> list[str]:
    """Returns the names of the files that a run left."""
    lines = [f"Result: {path}"]
    if isinstance(result.page_file, str):
        lines.append(f"The same as a page: {result.page_file}")
    if result.rejects_file:
        lines.append(f"Rejected rows: {result.rejects_file}{part_of_rejects(result)}")
    if isinstance(result.merged_file, str):
        lines.append(f"Merged rows: {result.merged_file}")
    return lines
