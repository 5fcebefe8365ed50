"""Describes what a dry run predicts, or what a rehearsal did and took back: the page of a run as its result
file has it, with the same parts as that of a live run.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from msgspec import UNSET

from tranship.model.count import count_of
from tranship.model.options import MigrateOptions
from tranship.model.preview import ShownRows
from tranship.model.verdict import DatabaseInfo, MigrationResult, Stats, TableResult
from tranship.report.causes import RAISING
from tranship.report.describe.causes import cause_items, told_items
from tranship.report.describe.changed_values import changed_sections
from tranship.report.describe.rows import describe_rows
from tranship.report.describe.warnings import warning_items
from tranship.report.document import Banner, Block, Document, Facts, Item, Note, Section, Tone, Totals
from tranship.report.verdict import verdict
from tranship.report.verification import grouped

_TITLES = {"dryrun": "Dry run", "rehearse": "Rehearsal"}
_NOTHING = {
    "dryrun": "This is a dry run: it predicts, and nothing was written to either database.",
    "rehearse": "This is a rehearsal: everything was written to NEW and rolled back, and nothing remains.",
}


def describe_dry_run(
    result: MigrationResult,
    options: MigrateOptions,
    shown: ShownRows = ShownRows(),  # noqa: B008 - frozen
) -> Document:
    """Returns the page of a dry run or a rehearsal."""
    began = datetime.datetime.fromisoformat(result.started)
    title = f"{_TITLES[result.mode]} of {began:%Y-%m-%d %H:%M:%S} UTC"
    good = not result.stats.rows_failed and result.status == "done"
    blocks: list[Block] = [
        Banner((title,)),
        Banner((verdict(result, options), _NOTHING[result.mode]), Tone.GOOD if good else Tone.BAD),
        Facts(tuple(_facts(result, began))),
        Totals("rows", _made(result.stats), tuple(_totals(result))),
        Section("Warnings", tuple(warning_items(result.problems)), Tone.CHANGED),
        Section("Rejected rows by cause", _causes(result, consequences=False), Tone.BAD),
        Section("Rejected because of these", _causes(result, consequences=True), Tone.CHANGED),
        Section(RAISING, tuple(_raising(result)), Tone.BAD),
        Section("Could not be asked beforehand", tuple(_not_asked(result)), Tone.CHANGED),
        *changed_sections(result.tables, done=False),
        Section("Tables", tuple(_table(table, result) for table in result.tables), Tone.GOOD),
        Section("Left out by decision", tuple(_left_out(result)), Tone.PLAIN),
        Section("Locks of the live run", tuple(_locks(result)), Tone.PLAIN),
        *describe_rows(shown, options.databases),
    ]
    return Document(title, tuple(blocks), tuple(table.label for table in result.tables))


def _facts(result: MigrationResult, began: datetime.datetime) -> Iterator[tuple[str, str]]:
    for side, info in (("OLD", result.old), ("NEW", result.new)):
        if info is not None:
            yield side, _database(info)
    seconds = (datetime.datetime.fromisoformat(result.finished) - began).total_seconds()
    yield "Asked in", f"{seconds:.0f} s, tranship {result.tool_version}"
    decided = f"{result.resolutions_file}, SHA-256 {result.resolutions_sha256}"
    yield "Decisions", decided if result.resolutions_file else "none"
    if result.rejects_file:
        yield "Rejected rows", result.rejects_file
    yield "Plan", result.plan_hash


def _database(info: DatabaseInfo) -> str:
    return f"{info.host}:{info.port}/{info.database} as {info.user}"


def _made(stats: Stats) -> int:
    return stats.rows_made or stats.rows_read - stats.rows_left_out


def _totals(result: MigrationResult) -> Iterator[tuple[str, int]]:
    stats = result.stats
    yield _written(result), stats.rows_migrated
    yield "rejected", stats.rows_failed
    beside = {
        "already there": stats.rows_already_there,
        "kept": stats.rows_kept,
        "updated": stats.rows_updated,
        "merged": stats.rows_merged or 0,
        "old rows left out": stats.rows_left_out,
    }
    yield from ((word, rows) for word, rows in beside.items() if rows)


def _written(result: MigrationResult) -> str:
    return "to be written" if result.mode == "dryrun" else "written and rolled back"


def _causes(result: MigrationResult, *, consequences: bool) -> tuple[Item, ...]:
    causes = [(table.label, cause) for table in result.tables for cause in table.causes]
    causes.sort(key=lambda one: -one[1].rows)
    return cause_items(
        [(label, cause) for label, cause in causes if cause.consequence is consequences], live=False
    )


def _raising(result: MigrationResult) -> Iterator[Item]:
    found = [(table.label, words) for table in result.tables for words in table.raising_defaults or ()]
    yield from told_items(found)


def _not_asked(result: MigrationResult) -> Iterator[Item]:
    found = [(table.label, words) for table in result.tables for words in table.not_asked]
    yield from told_items(found)


def _table(table: TableResult, result: MigrationResult) -> Item:
    if table.already_migrated:
        return Item("an earlier run moved it", table.label)
    counts = {
        _written(result): table.rows_migrated,
        "rejected": table.rows_failed,
        "already there": table.rows_already_there,
        "kept": table.rows_kept,
        "updated": table.rows_updated,
        "merged": table.rows_merged or 0,
    }
    always = (_written(result), "rejected")
    counted = " + ".join(f"{grouped(rows)} {word}" for word, rows in counts.items() if rows or word in always)
    made = table.rows_made if table.rows_made is not UNSET else table.rows_read - table.rows_left_out
    out = f", {grouped(table.rows_left_out)} old rows left out" if table.rows_left_out else ""
    return Item(
        f"{grouped(made or 0)} rows = {counted}{out}", table.label, (Note(f"fills {table.new_table}"),)
    )


def _left_out(result: MigrationResult) -> Iterator[Item]:
    for table, rows in result.left_out.items():
        yield Item(count_of(rows, "row", write=grouped), table)


def _locks(result: MigrationResult) -> Iterator[Item]:
    for lock in result.locks or ():
        yield Item(f"{lock.mode} {lock.why}", lock.side.upper(), (Note(", ".join(lock.tables)),))
