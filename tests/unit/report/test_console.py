"""The classic console output of ``migrate``, literal by literal."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from tranship.errors.codes.runs import FilledBefore
from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.options import MigrateOptions
from tranship.model.progress import (
    BatchDone,
    Event,
    OldRows,
    PlannedTable,
    RunStarted,
    TableDone,
    TableStarted,
)
from tranship.model.verdict import MigrationResult, Mode, RejectCause, Stats, Status, TableResult, TimeSpent
from tranship.report.console import Console
from tranship.report.verdict import verdict

USERS, ORDERS = (FlowId(name, name) for name in (TableName("public", "users"), TableName("public", "orders")))
RENAMED = FlowId(TableName("public", "old_name"), TableName("public", "new_name"))
EVENTS: list[Event] = [
    RunStarted(
        (
            PlannedTable(USERS, 5, 6),
            PlannedTable(RENAMED, 2, 2),
            PlannedTable(ORDERS, 3, 3),
        )
    ),
    TableStarted(ORDERS, 7, 1),
    TableStarted(USERS, 15234, 1),
    TableStarted(RENAMED, 0, 1),
    BatchDone(ORDERS, 0, 7, 6, 1, 100),
    TableDone(ORDERS, 7, 6, 1),
    TableDone(USERS, 15234, 15234, 0),
    TableDone(RENAMED, 0, 0, 0),
]

OPTIONS = MigrateOptions(databases=("config.json",), prefix="p", resolutions="r.json")
DRY = """\
================================================================================
DRY RUN - DATA MIGRATION
================================================================================
⚠ Running in DRY RUN mode - no data will be written

Tables to migrate: 3
Batch size: 50000

[DRY RUN] Migrating table: users
  Old columns: 5, New columns: 6
  Total rows to migrate: 15234
  ✓ Processed: 15234, Success: 15234, Failed: 0

[DRY RUN] Migrating table: old_name -> new_name
  Old columns: 2, New columns: 2
  Total rows to migrate: 0
  ✓ Processed: 0, Success: 0, Failed: 0

[DRY RUN] Migrating table: orders
  Old columns: 3, New columns: 3
  Total rows to migrate: 7
  ✓ Processed: 7, Success: 6, Failed: 1

15 240 rows would be written, 1 rejected. Read results/rejects.jsonl and correct the decisions, or accept it: tranship migrate config.json --prefix p --resolutions r.json --live

================================================================================
MIGRATION SUMMARY
================================================================================
Tables processed: 3
Total rows migrated: 15240
Total rows failed: 1
Duration: 1.23 seconds

  Table           Read  To write  Rejected  Left out
  public.orders      7         6         1         0
  public.users   15234     15234         0         0

Rejected rows by cause:
  [public.orders] NULL in note, which is NOT NULL (23502): 1 row
What can be done about 23502: tranship explain 23502

Rows left out:
  [public.scrap] 12

Accounted for: 15253 read = 15240 would be written + 1 would be rejected + 12 left out

Result: results/r.json
Rejected rows: results/rejects.jsonl"""


def result(mode: Mode, status: Status) -> MigrationResult:
    orders = TableResult(
        "public.orders", "public.orders", 7, 6, 1, 0, 100, None, "dry run", {"23502 note": 1}, ()
    )
    orders = replace(orders, causes=(RejectCause("NullRefused", "23502", 1, "note"),))
    users = TableResult("public.users", "public.users", 15234, 15234, 0, 0, 100, True, "", {}, ())
    return MigrationResult(
        tool_version="1",
        run_id="r",
        mode=mode,
        status=status,
        exit_status=1,
        snapshot=None,
        started="",
        finished="",
        stats=Stats(
            tables_processed=3,
            rows_read=15253,
            rows_migrated=15240,
            rows_failed=1,
            rows_left_out=12,
            duration_seconds=1.2345,
        ),
        tables=(orders, users),
        rejects_file="results/rejects.jsonl",
        left_out={"public.scrap": 12},
    )


def lines(options: MigrateOptions, events: list[Event]) -> list[str]:
    console = Console(options)
    return [text for event in events for text in console.feed(event)]


def test_dry_run_to_the_letter() -> None:
    console = Console(OPTIONS)
    shown = [text for event in EVENTS for text in console.feed(event)]
    shown += console.finish(result("dryrun", "rejects"), "results/r.json")
    assert "\n".join(shown) == DRY


def test_the_counts_of_a_table_add_up() -> None:
    done = result("live", "rejects")
    orders = replace(
        done.tables[0], rows_read=17, rows_already_there=1, rows_kept=2, rows_updated=3, rows_merged=4
    )
    shown = Console(MigrateOptions(live=True)).finish(replace(done, tables=(orders, done.tables[1])), "r")
    at = next(n for n, line in enumerate(shown) if line.startswith("  Table "))
    heading = "Read  Written  Rejected  Left out  Already there  Kept  Updated  Merged"
    assert shown[at].split(maxsplit=1)[1].strip() == heading
    assert [*map(int, shown[at + 1].split()[1:])] == [17, 6, 1, 0, 1, 2, 3, 4]


def test_live_says_no_dry_run() -> None:
    console = Console(MigrateOptions(live=True, batch_size=10))
    shown = "\n".join(
        [text for event in EVENTS for text in console.feed(event)]
        + console.finish(result("live", "rejects"), "r")
    )
    assert "DRY RUN" not in shown
    assert "⚠" not in shown
    assert shown.startswith(
        "=" * 80
        + "\nDATA MIGRATION\n"
        + "=" * 80
        + "\n\nTables to migrate: 3\nBatch size: 10\n\nMigrating table: users\n"
    )
    assert "Not verified: dry run (public.orders)\nVerified (public.users)" in shown


def test_a_rehearsal_has_its_own_word_and_says_what_it_locks() -> None:
    console = Console(MigrateOptions(rehearse=True))
    shown = "\n".join(
        [text for event in EVENTS for text in console.feed(event)]
        + console.finish(result("rehearse", "rejects"), "r")
    )
    assert shown.startswith(
        "=" * 80
        + "\nREHEARSAL - DATA MIGRATION\n"
        + "=" * 80
        + "\n⚠ Running in REHEARSAL mode - everything will be rolled back\n"
    )
    assert "\n⚠ The tables stay locked until then: for a NEW database that nobody uses\n" in shown
    assert "\n[REHEARSAL] Migrating table: old_name -> new_name\n" in shown
    assert "DRY RUN" not in shown


def test_blocks_wait_for_their_turn() -> None:
    console = Console(MigrateOptions())
    shown = [console.feed(event) for event in EVENTS]
    assert shown[5] == []
    assert any("users" in text for text in shown[6])
    assert [text for text in shown[7] if "Migrating" in text] == [
        "[DRY RUN] Migrating table: old_name -> new_name",
        "[DRY RUN] Migrating table: orders",
    ]


def test_several_schemas_are_named() -> None:
    other = TableName("crm", "users")
    shown = lines(
        MigrateOptions(),
        [
            RunStarted((PlannedTable(USERS, 1, 1), PlannedTable(FlowId(other, USERS.new), 1, 1))),
            TableDone(USERS, 0, 0, 0),
        ],
    )
    assert "[DRY RUN] Migrating table: public.users" in shown


def test_already_migrated_and_hostile_names() -> None:
    hostile = FlowId(*[TableName("public", "a\n\x1b[31m")] * 2)
    shown = lines(
        MigrateOptions(live=True),
        [
            RunStarted((PlannedTable(hostile, 1, 1),)),
            TableDone(hostile, 9, 9, 0, already_migrated=True),
        ],
    )
    assert shown[-2:] == ["Migrating table: a\\n\\x1b[31m", "  ✓ already migrated: nothing to do"]


def test_a_flow_that_takes_rows_apart_has_both_equations() -> None:
    flow = FlowId(TableName("public", "orders"), TableName("public", "tags"), "orders -> tags")
    events: list[Event] = [
        RunStarted((PlannedTable(flow, 3, 2),)),
        TableStarted(flow, 12, 1),
        TableDone(flow, 12, 11, 1, old=OldRows(10, left_out=3, without_items=2, with_parent=1)),
    ]
    shown = lines(MigrateOptions(live=True), events)
    assert "Migrating table: orders -> tags" in shown
    assert "  Old rows read: 10, left out: 3, without items: 2" in shown
    table = TableResult(
        *("public.orders", "public.tags", 10, 11, 1, 3, 100, None, "", {}, ()),
        flow="orders -> tags",
        rows_made=12,
        rows_without_items=2,
        rows_left_with_parent=1,
    )
    stats = Stats(1, 10, 11, 1, 3, rows_made=12, rows_without_items=2)
    told = Console(MigrateOptions()).finish(
        replace(result("dryrun", "rejects"), stats=stats, tables=(table,), left_out={}), "r"
    )
    assert "Accounted for: 10 read = 7 used (2 of them made none) + 3 left out" in told
    assert "Rows made: 12 = 11 would be written + 1 would be rejected" in told
    assert "  [orders -> tags] by its filter: 2" in told
    assert "  [orders -> tags] with their parent: 1" in told
    later = replace(result("live", "done"), tables=(replace(table, rejects_of="0f3a"),), left_out={})
    told = Console(MigrateOptions(live=True)).finish(later, "r")
    assert "  [orders -> tags] no longer in OLD, or by its filter: 2" in told


def test_a_name_with_control_characters_stays_on_its_line() -> None:
    spent = (TimeSpent("copy", "", 1, 1.0), TimeSpent("copy", "rows of a\nb\x1b[2J", 1, 1.0))
    lines = Console(MigrateOptions()).finish(replace(result("dryrun", "done"), profile=spent), "r.json")
    (line,) = (line for line in lines if "rows of a" in line)
    assert line == "        1.00  rows of a\\nb\\x1b[2J"


def verdict_of(mode: Mode, status: Status, **changes: object) -> str:
    options = replace(OPTIONS, live=mode == "live")
    return verdict(replace(result(mode, status), **changes), options)


def test_the_first_line_of_the_end() -> None:
    clean = Stats(rows_read=5, rows_migrated=5)
    assert verdict_of("dryrun", "done", stats=clean) == (
        "5 rows would be written, 0 rejected. Next: tranship migrate config.json --prefix p --resolutions r.json --live"
    )
    proven = tuple(replace(t, verified=True) for t in result("live", "done").tables)
    assert verdict_of("live", "done", stats=clean, tables=proven) == (
        "Everything arrived: 5 rows, verified. Nothing left to do."
    )
    assert "contents not compared" in verdict_of("live", "done", stats=clean)
    assert verdict_of("live", "rejects") == (
        "15 240 rows arrived, 1 was rejected. Read results/rejects.jsonl and correct the decisions, then move only"
        " the rejected rows: tranship migrate config.json --prefix p --resolutions r.json --live --rejects-only"
    )
    there = Stats(rows_read=5, rows_migrated=0, rows_failed=1, rows_already_there=4)
    assert verdict_of("dryrun", "rejects", stats=there).startswith(
        "0 rows would be written, 4 are there already, 1 rejected. Read "
    )
    assert verdict_of("live", "rejects", stats=there).startswith(
        "0 rows arrived, 4 were there already, 1 was rejected. Read "
    )
    met = Stats(rows_read=5, rows_migrated=4, rows_already_there=1)
    assert verdict_of("live", "done", stats=met, tables=proven) == (
        "Everything arrived: 4 rows, 1 was there already, verified. Nothing left to do."
    )
    unasked = tuple(
        replace(t, not_asked=("foreign key t_p: NEW's role may not SELECT from p",)) for t in proven
    )
    assert verdict_of("live", "done", stats=clean, tables=unasked) == (
        "Everything arrived: 5 rows, verified. Look at what could not be asked beforehand, below."
    )
    held = tuple(
        replace(t, causes=(RejectCause("HeldByNew", "23505", 1),)) for t in result("live", "rejects").tables
    )
    assert verdict_of("live", "rejects", tables=held).startswith(
        "15 240 rows arrived, 1 was rejected. Choose below, at the causes, what becomes of rows"
        " that NEW holds, then move only the rejected rows: "
    )
    assert verdict_of("rehearse", "done", stats=Stats(rows_migrated=1)).startswith(
        "The rehearsal is rolled back: 1 row was written, 0 rejected. Next: "
    )
    assert verdict_of("dryrun", "refused").startswith("A live run would be refused for now")
    assert verdict_of("live", "differs", exit_status=5).startswith(
        "NEW does not hold what OLD's rows become."
    )
    before = tuple(replace(t, already_migrated=True) for t in proven)
    for mode, none in (("dryrun", "would be"), ("live", "was")):
        assert verdict_of(mode, "rejects", tables=before) == (
            f"No row {none} written: an earlier run moved 15 240 rows and rejected 1."
            " Read results/rejects.jsonl and correct the decisions, then move only the rejected rows:"
            " tranship migrate config.json --prefix p --resolutions r.json --live --rejects-only"
        )


def test_rows_of_earlier_runs_are_told_apart() -> None:
    """A run over tables of which one was moved before, and one that moves rejected rows only."""
    orders, users = (replace(t, verified=True, rows_failed=0) for t in result("live", "done").tables)
    users = replace(users, already_migrated=True, rows_written_before=15234)
    stats = Stats(rows_read=15240, rows_migrated=15240)
    assert verdict_of("live", "done", stats=stats, tables=(orders, users)) == (
        "Everything arrived: 6 rows by this run, 15 240 in all, verified. Nothing left to do."
    )
    assert verdict_of("live", "done", stats=stats, tables=(orders,), tables_not_chosen=15).endswith(
        "verified. Nothing left to do for the chosen tables; 15 other tables of OLD take no part in this run."
    )
    assert verdict_of("dryrun", "done", stats=stats, tables=(orders, users)).startswith(
        "6 rows would be written (earlier runs moved 15 234), 0 rejected. Next: "
    )
    again = replace(orders, rejects_of="0f3a")
    assert verdict_of("live", "done", stats=Stats(rows_migrated=6), tables=(again,)) == (
        "Everything arrived: 6 rows that were rejected before, verified. Nothing left to do."
    )
    later = replace(orders, rows_written_before=4, rejects_of="0f3a")
    failed = Stats(rows_read=15240, rows_migrated=15240, rows_failed=3)
    assert verdict_of("live", "rejects", stats=failed, tables=(later, users)).startswith(
        "2 rows arrived by this run, 15 240 in all, 3 were rejected. Read "
    )


def test_a_dry_run_accounts_for_rows_of_earlier_runs_by_themselves() -> None:
    orders, users = result("dryrun", "rejects").tables
    moved = replace(users, already_migrated=True, rows_written_before=users.rows_migrated)
    stats = Stats(rows_read=15241, rows_migrated=15240, rows_failed=1)

    def accounted(*tables: TableResult) -> str:
        made = replace(result("dryrun", "rejects"), stats=stats, tables=tables, left_out={})
        told = Console(MigrateOptions()).finish(made, "r")
        return next(line for line in told if line.startswith("Accounted for"))

    assert accounted(orders, moved) == (
        "Accounted for: 15241 read = 15234 written before + 0 rejected before + 6 would be written"
        " + 1 would be rejected + 0 left out"
    )
    again = replace(orders, already_migrated=True, rows_written_before=orders.rows_migrated)
    assert accounted(again, moved) == (
        "Accounted for: 15241 read = 15240 written before + 1 rejected before + 0 left out"
    )


def test_rows_that_two_flows_read_are_told() -> None:
    table = result("live", "done").tables[1]
    both = (table, replace(table, new_table="public.profiles", flow="users -> profiles", rows_migrated=5000))
    stats = Stats(rows_read=30468, rows_migrated=20234, rows_left_out=10234)
    told = Console(MigrateOptions()).finish(
        replace(result("dryrun", "done"), stats=stats, tables=both, left_out={}), "r"
    )
    assert (
        "Accounted for: 30468 read (15234 of them once more, for a further table) = 20234 would be written"
        " + 0 would be rejected + 10234 left out"
    ) in told


def test_rows_that_are_no_rows_of_old_are_named() -> None:
    adding = FlowId(TableName("", "values"), TableName("public", "cities"), "values looked up -> cities")
    made = FlowId(TableName("", "q"), TableName("public", "q"), "counted -> q")
    events: list[Event] = [
        RunStarted((PlannedTable(adding, 1, 2), PlannedTable(made, 1, 2))),
        TableStarted(adding, 378, 1),
        TableDone(adding, 378, 378, 0, old=OldRows(0)),
        TableDone(made, 9, 9, 0, old=OldRows(0)),
    ]
    assert [line for line in lines(MigrateOptions(), events) if "Total rows" in line] == [
        "  Total rows to migrate: 378 (values that rows look up: cities gets those that it lacks)",
        "  Total rows to migrate: 9 (rows that the query of the flow makes)",
    ]


def test_each_cause_says_what_can_be_done_about_it() -> None:
    causes = (
        RejectCause("NullRefused", "23502", 1, "note"),
        RejectCause("ParentNotThere", "23503", 9, "user_id", "orders_user"),
        RejectCause("ParentRejected", "23503", 70, "user_id", "orders_user", consequence=True),
        RejectCause("NullRefused", "23502", 2, "text"),
    )
    many = result("dryrun", "rejects")
    told = Console(OPTIONS).finish(
        replace(many, tables=tuple(replace(t, causes=causes[: t.rows_failed * 4]) for t in many.tables)), "r"
    )
    assert [line for line in told if line.startswith("What can be done")] == [
        "What can be done about 23503: tranship explain 23503",
        "What can be done about 23502: tranship explain 23502",
    ]


def test_a_dry_run_says_how_long_the_live_run_takes_and_what_its_file_holds() -> None:
    many = replace(result("dryrun", "rejects"), stats=Stats(rows_failed=1_100_000), estimated_seconds=187.2)
    told = Console(OPTIONS).finish(replace(many, rejects_in_file=30_000, rejects_file_bytes=12_000_000), "r")
    assert "A live run takes about 3:07 min, if it is as quick as the last one." in told
    quick = Console(OPTIONS).finish(replace(many, estimated_seconds=0.2), "r")
    assert "A live run takes less than 1 s, if it is as quick as the last one." in quick
    assert told[-1] == (
        "Rejected rows: results/rejects.jsonl (the first 10000 of each cause, 30000 of 1100000 rows in 12 MB;"
        " --all-rejects writes all, about 440 MB)"
    )


def test_a_classic_script_ends_as_it_did() -> None:
    options = replace(OPTIONS, invocation="python scripts")
    told = Console(options).finish(result("dryrun", "rejects"), "r.json")
    assert told[told.index("MIGRATION SUMMARY") + 5].startswith("Duration")
    assert "python scripts/data_migrator.py config.json" in told[told.index("MIGRATION SUMMARY") + 7]


def test_problems_of_many_tables_are_said_once() -> None:
    started = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    tables = [f"public.t{n}" for n in range(20)]
    problems = tuple(FilledBefore("r1", started, table, "tranship rollback").problem() for table in tables)
    lines = Console(OPTIONS).finish(replace(result("dryrun", "refused"), problems=problems), "r.json")
    (told,) = [place for place, line in enumerate(lines) if "TS390" in line]
    assert lines[told] == (
        "TS390 public.t0: the finished run r1 of 2026-01-02 03:04 moved its rows under other decisions"
    )
    assert lines[told + 1] == f"  the same for 19 more: {', '.join(tables[1:])}"
    assert lines[told + 2].startswith("  hint: roll it back and run again: tranship rollback; or ")
