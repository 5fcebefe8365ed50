"""The classic workflow, command by command, on real databases."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from support.desk import Desk

DeskOf = Callable[[str, str], Desk]
RULER = "=" * 80

SAME = """
CREATE TABLE parent_table (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE child_table (id int PRIMARY KEY, parent_id int REFERENCES parent_table, v numeric(10,2));
CREATE TABLE a_child (id int PRIMARY KEY, child_id int REFERENCES child_table);
"""
SAME_ROWS = """
INSERT INTO parent_table SELECT g, 'n' || g FROM generate_series(1, 30) g;
INSERT INTO child_table SELECT g, 1 + g % 30, g FROM generate_series(1, 200) g;
INSERT INTO a_child SELECT g, g FROM generate_series(1, 10) g;
"""

OLD = """
CREATE TABLE users (id int PRIMARY KEY, user_name varchar(50) NOT NULL, email varchar(100), status text,
    legacy text);
INSERT INTO users SELECT g, 'u' || g, g::text, CASE WHEN g % 2 = 0 THEN 'active' ELSE 'gone' END,
    'x' FROM generate_series(1, 100) g;
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total numeric(10,2));
INSERT INTO orders SELECT g, 1 + g % 100, g FROM generate_series(1, 300) g;
CREATE TABLE scrap (x int);
INSERT INTO scrap SELECT generate_series(1, 7);
"""
NEW = """
CREATE TABLE users (id bigint PRIMARY KEY, username varchar(50) NOT NULL, email int, status int NOT NULL,
                    created_at timestamptz DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE orders (id int PRIMARY KEY, user_id bigint REFERENCES users, total numeric(12,2));
CREATE TABLE audit (id int);
"""
DECISIONS = {
    "resolutions": {
        "users": [
            {
                "action": "transform",
                "old_column": "email",
                "new_column": "email",
                "description": "ids in truth",
            },
            {
                "action": "transform",
                "old_column": "status",
                "new_column": "status",
                "value_mapping": {"active": 1, "gone": 0},
            },
            {"action": "ignore", "old_column": "legacy", "because": "nobody reads it"},
        ],
        "scrap": [{"action": "drop_table"}],
    }
}


def test_identical_schemas(desk_of: DeskOf) -> None:
    desk = desk_of(SAME + SAME_ROWS, SAME)
    told = desk.type("python scripts/db_migration_tool.py config/my-config.json --prefix same")
    assert told.status == 0, told
    assert (
        "Total Changes: 0\n  - Safe (auto-handled): 0\n  - Transformable (auto-converted): 0\n"
        "  - Breaking (manual required): 0\n" in told.stdout
    )
    assert "CHANGES (" not in told.stdout
    dry = desk.type("python scripts/data_migrator.py config/my-config.json --prefix same")
    assert dry.status == 0, dry
    assert desk.new("SELECT count(*) FROM child_table") == [(0,)]
    live = desk.type("python scripts/data_migrator.py config/my-config.json --prefix same --live")
    assert live.status == 0, live
    assert desk.new("SELECT count(*), sum(v) FROM child_table") == [(200, 20100)]
    order = re.findall(r"^Migrating table: (.*)$", live.stdout, re.MULTILINE)
    assert order == ["parent_table", "child_table", "a_child"]
    again = desk.type("python scripts/data_migrator.py config/my-config.json --prefix same --live")
    assert again.status == 0, again
    assert "already migrated" in again.stdout
    assert desk.new("SELECT count(*) FROM child_table") == [(200,)]


def test_report_to_the_letter(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    told = desk.type("python scripts/db_migration_tool.py config/my-config.json --prefix p")
    assert told.status == 0
    report = desk.read("results/p_migration_report.txt")
    assert told.stdout.startswith(report.rstrip("\n"))
    after = told.stdout.removeprefix(report.rstrip("\n"))
    assert "results/p_migration_report.txt" in after
    assert "results/p_migration_changes.json" in after
    assert report.startswith(f"{RULER}\nDATABASE MIGRATION ANALYSIS REPORT\n{RULER}\n")
    changes = desk.json("results/p_migration_changes.json")
    summary = changes["summary"]
    assert (
        f"Total Changes: {summary['total']}\n  - Safe (auto-handled): {summary['safe']}\n"
        f"  - Transformable (auto-converted): {summary['transformable']}\n"
        f"  - Breaking (manual required): {summary['breaking']}\n"
    ) in report
    for literal in (
        "SAFE CHANGES (Can be handled automatically):\n",
        "\n  [users] Column 'created_at' only exists in new DB\n"
        "    → Action: Default in new DB: CURRENT_TIMESTAMP\n",
        "TRANSFORMABLE CHANGES (Can be converted automatically):\n",
        "\n  [users] Column 'user_name' likely renamed to 'username' in new DB\n"
        "    → Action: Rename column\n",
        "BREAKING CHANGES (MANUAL INTERVENTION REQUIRED):\n",
        "\n  [users] Column 'email' type mismatch: current(varchar(100)) vs new(integer)\n"
        "    ⚠ Manual action required!\n",
    ):
        assert literal in report, literal
    assert (
        report.index("SAFE CHANGES (")
        < report.index("TRANSFORMABLE CHANGES (")
        < report.index("BREAKING CHANGES (")
    )
    changed = report.split("\nNEW CONSTRAINTS (")[0]
    actions = [line for line in changed.splitlines() if line.startswith("    → Action: ")]
    assert len(actions) == summary["safe"] + summary["transformable"]
    assert report.count("    ⚠ Manual action required!\n") == summary["breaking"]
    breaking = [change for change in changes["changes"] if change["type"] == "breaking"]
    assert all(change["requires_manual"] for change in breaking)


def test_breaking_changes_with_resolutions(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    assert desk.type("python scripts/db_migration_tool.py config/my-config.json --prefix prod").status == 0
    for mode in ("", " --live"):
        refused = desk.type(f"python scripts/data_migrator.py config/my-config.json --prefix prod{mode}")
        assert refused.status == 3, refused
        breaking = desk.json("results/prod_migration_changes.json")["summary"]["breaking"]
        assert f"Breaking changes detected: {breaking}" in refused.stderr
        assert (
            refused.stderr.rstrip()
            .splitlines()[-1]
            .endswith(
                "python scripts/manual_resolutions.py generate results/prod_migration_changes.json"
                " --prefix prod"
            )
        )
        for name in ("users.email", "users.status", "users.legacy", "scrap"):
            assert name in refused.stderr
    generated = desk.type(
        "python scripts/manual_resolutions.py generate results/prod_migration_changes.json --prefix prod"
    )
    assert generated.status == 0, generated
    assert re.findall(r"^(\d+)\. ", generated.stdout, re.MULTILINE) == [
        str(n) for n in range(1, breaking + 1)
    ]
    assert "results/prod_manual_resolutions.json" in generated.stdout
    assert (
        "python scripts/manual_resolutions.py validate results/prod_manual_resolutions.json"
        " results/prod_migration_changes.json" in generated.stdout
    )
    written = desk.json("results/prod_manual_resolutions.json")
    assert next(iter(written)) == "_instructions"
    assert "SPECIFY_ACTION" in desk.read("results/prod_manual_resolutions.json")
    validate = (
        "python scripts/manual_resolutions.py validate results/prod_manual_resolutions.json"
        " results/prod_migration_changes.json"
    )
    assert desk.type(validate).status == 1
    unpassed = desk.type("python scripts/data_migrator.py config/my-config.json --prefix prod")
    assert unpassed.status == 3
    assert unpassed.stderr.rstrip().endswith(
        "hint: results/prod_manual_resolutions.json was not passed and decides nothing. With it:"
        " python scripts/data_migrator.py config/my-config.json --prefix prod"
        " --resolutions results/prod_manual_resolutions.json"
    ), unpassed
    desk.write("results/prod_manual_resolutions.json", {**written, **DECISIONS})
    checked = desk.type(validate)
    assert checked.status == 0, checked
    migrate = (
        "python scripts/data_migrator.py config/my-config.json --prefix prod --resolutions"
        " results/prod_manual_resolutions.json"
    )
    dry = desk.type(migrate)
    assert dry.status == 0, dry
    live = desk.type(f"{migrate} --live")
    assert live.status == 0, live
    assert desk.new(
        "SELECT id, username, email, status, created_at IS NOT NULL FROM users WHERE id < 3 ORDER BY id"
    ) == [
        (1, "u1", 1, 0, True),
        (2, "u2", 2, 1, True),
    ]
    assert "[public.scrap] 7" in live.stdout
    (result,) = [
        name
        for name in desk.files()
        if "result_live" in name and desk.json(f"results/{name}")["status"] == "done"
    ]
    told = desk.json(f"results/{result}")
    assert told["stats"]["rows_migrated"] == 400
    assert told["resolutions_file"] == "results/prod_manual_resolutions.json"
    assert len(told["resolutions_sha256"]) == 64
    assert all(table["sql"].startswith("SELECT") for table in told["tables"])


def test_console_to_the_letter(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    answers = desk.write("answers.json", DECISIONS)
    dry = desk.type(f"python scripts/data_migrator.py config/my-config.json --resolutions {answers}").stdout
    assert dry.startswith(
        f"{RULER}\nDRY RUN - DATA MIGRATION\n{RULER}\n⚠ Running in DRY RUN mode - no data will be written\n\n"
        "Tables to migrate: 2\nBatch size: 50000\n\n"
        "[DRY RUN] Migrating table: users\n  Old columns: 5, New columns: 5\n  Total rows to migrate: 100\n"
        "  ✓ Processed: 100, Success: 100, Failed: 0\n\n"
        "[DRY RUN] Migrating table: orders\n  Old columns: 3, New columns: 3\n  Total rows to migrate: 300\n"
        "  ✓ Processed: 300, Success: 300, Failed: 0\n\n"
        f"{RULER}\nMIGRATION SUMMARY\n{RULER}\nTables processed: 2\nTotal rows migrated: 400\n"
        "Total rows failed: 0\nDuration: "
    )
    assert re.search(r"^Duration: \d+\.\d\d seconds$", dry, re.MULTILINE)
    live = desk.type(
        f"python scripts/data_migrator.py config/my-config.json --resolutions {answers}"
        " --live --batch-size=7 --jobs 3"
    ).stdout
    assert "DRY RUN" not in live
    assert "⚠" not in live.split("MIGRATION SUMMARY")[0]
    assert live.startswith(
        f"{RULER}\nDATA MIGRATION\n{RULER}\n\nTables to migrate: 2\nBatch size: 7\n\n"
        "Migrating table: users\n  Old columns: 5, New columns: 5\n"
        "  Total rows to migrate: 100\n  ✓ Processed: 100, Success: 100, Failed: 0\n\n"
        "Migrating table: orders\n"
    )


def test_paired_tables_and_ascii_terminal(desk_of: DeskOf) -> None:
    desk = desk_of(
        "CREATE TABLE users (id int); INSERT INTO users VALUES (1)", "CREATE TABLE app_users (id int)"
    )
    desk.config(table_mapping={"users": "app_users"})
    told = desk.type(
        "python scripts/data_migrator.py config/my-config.json",
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert told.status == 0, told
    assert "[DRY RUN] Migrating table: users -> app_users\n" in told.stdout
    assert "! Running in DRY RUN mode - no data will be written" in told.stdout
    assert "  ok Processed: 1, Success: 1, Failed: 0" in told.stdout


def test_two_environments_by_prefix(desk_of: DeskOf) -> None:
    desk = desk_of(SAME + SAME_ROWS, SAME)
    desk.config(name="config/staging-config.json", tables=["parent_table"])
    for prefix, config in (("staging", "config/staging-config.json"), ("prod", "config/my-config.json")):
        assert desk.type(f"python scripts/db_migration_tool.py {config} --prefix {prefix}").status == 0
        assert desk.type(f"python scripts/data_migrator.py {config} --prefix {prefix}").status == 0
    names = desk.files()
    for prefix in ("staging", "prod"):
        own = [name.removeprefix(f"{prefix}_") for name in names if name.startswith(prefix)]
        assert {"migration_report.txt", "migration_changes.json"} <= set(own)
        assert any(re.fullmatch(r"migration_result_dryrun_\d{8}_\d{6}\.json", name) for name in own)
    assert all(name.startswith(("staging_", "prod_")) for name in names)
    assert len(desk.json("results/staging_migration_changes.json")["tables"]) == 1
    one = desk.type("python scripts/data_migrator.py config/staging-config.json --prefix staging --live")
    assert (one.status, desk.new("SELECT count(*) FROM child_table")) == (0, [(0,)])
    rest = desk.type("python scripts/data_migrator.py config/my-config.json --prefix prod --live")
    assert rest.status == 0, rest
    assert desk.new("SELECT (SELECT count(*) FROM parent_table), (SELECT count(*) FROM child_table)") == [
        (30, 200)
    ]


@pytest.mark.parametrize(
    "line",
    [
        "python scripts/data_migrator.py config/my-config.json --prefix p --batch-size 10 --jobs 1",
        "python scripts/data_migrator.py --prefix p --batch-size 10 --jobs 1 config/my-config.json",
        "python scripts/data_migrator.py --prefix=p config/my-config.json --jobs=1 --batch-size=10",
        "tranship migrate --prefix=p config/my-config.json --jobs=1 --batch-size=10",
    ],
)
def test_options_before_and_after(desk_of: DeskOf, line: str) -> None:
    desk = desk_of(SAME + SAME_ROWS, SAME)
    told = desk.type(line)
    assert told.status == 0, told
    assert "Batch size: 10\n" in told.stdout
    assert all(name.startswith(("p_migration_result_dryrun_", "p_dryrun_")) for name in desk.files())


def test_without_prefix(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    assert desk.type("python scripts/db_migration_tool.py config/my-config.json").status == 0
    assert (
        desk.type("python scripts/manual_resolutions.py generate results/migration_changes.json").status == 0
    )
    assert desk.files() == [
        "manual_resolutions.json",
        "migration_changes.json",
        "migration_report.html",
        "migration_report.txt",
    ]
    answers = desk.write("answers.json", DECISIONS)
    for _ in range(3):
        assert (
            desk.type(f"python scripts/data_migrator.py config/my-config.json --resolutions {answers}").status
            == 0
        )
    results = [name for name in desk.files() if "result" in name]
    assert len(results) == 3
    assert all(re.fullmatch(r"migration_result_dryrun_\d{8}_\d{6}(_\d+)?\.json", name) for name in results)
    assert all((desk.folder / "results" / name).stat().st_mode & 0o777 == 0o600 for name in desk.files())


def test_generate_keeps_decisions(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    desk.type("python scripts/db_migration_tool.py config/my-config.json")
    desk.write("results/manual_resolutions.json", DECISIONS)
    nothing = desk.type("python scripts/manual_resolutions.py generate results/migration_changes.json")
    assert nothing.status == 0
    assert desk.json("results/manual_resolutions.json") == DECISIONS
    desk.run_old("ALTER TABLE users ADD COLUMN extra text; ALTER TABLE users DROP COLUMN legacy")
    stale = desk.type(
        "python scripts/data_migrator.py config/my-config.json --resolutions results/manual_resolutions.json"
    )
    assert stale.status == 3, stale
    assert "results/migration_changes.json" in stale.stderr
    assert "extra" in stale.stderr
    desk.type("python scripts/db_migration_tool.py config/my-config.json")
    again = desk.type("python scripts/manual_resolutions.py generate results/migration_changes.json")
    assert again.status == 0, again
    kept = desk.json("results/manual_resolutions.json")["resolutions"]
    told = json.dumps(kept)
    assert '"active"' in told
    assert "ids in truth" in told
    assert "extra" in told
    assert not any(entry.get("old_column") == "legacy" for entry in kept["users"])
    fresh = desk.type("python scripts/manual_resolutions.py generate results/migration_changes.json --fresh")
    assert fresh.status == 0
    assert "ids in truth" not in desk.read("results/manual_resolutions.json")


def test_generate_with_nothing_open(desk_of: DeskOf) -> None:
    desk = desk_of(SAME, SAME)
    desk.type("python scripts/db_migration_tool.py config/my-config.json")
    told = desk.type("python scripts/manual_resolutions.py generate results/migration_changes.json")
    assert told.status == 0
    assert "Nothing is open: no resolutions file is needed, and none was written." in told.stdout
    assert "manual_resolutions.json" not in desk.files()


def test_rejects_are_told_and_counted(desk_of: DeskOf) -> None:
    desk = desk_of(
        "CREATE TABLE t (id int PRIMARY KEY, v text);"
        "INSERT INTO t SELECT g, CASE WHEN g > 80 THEN 'hidden-' || g ELSE g::text END"
        " FROM generate_series(1, 100) g",
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
    )
    answers = desk.write(
        "a.json", {"resolutions": {"t": [{"action": "transform", "old_column": "v", "new_column": "v"}]}}
    )
    for mode, name in (("", "dryrun"), (" --live", "live")):
        told = desk.type(
            f"python scripts/data_migrator.py config/my-config.json --resolutions {answers}{mode}"
        )
        assert told.status == 1, told
        assert "  ✓ Processed: 100, Success: 80, Failed: 20\n" in told.stdout
        assert "Total rows migrated: 80\nTotal rows failed: 20\n" in told.stdout
        assert "hidden-" not in told.stdout + told.stderr
        assert len([line for line in told.stderr.splitlines() if "id=" in line]) == 10
        assert "20 rows in all" in told.stderr
        (rejects,) = [file for file in desk.files() if file.startswith(f"migration_rejects_{name}_")]
        lines = [json.loads(line) for line in desk.read(f"results/{rejects}").splitlines()]
        assert len(lines) == 20
        assert lines[0]["table"] == "public.t"
        assert lines[0]["row"]["v"].startswith("hidden-")


def test_max_rejects(desk_of: DeskOf) -> None:
    desk = desk_of(
        "CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'x'), (2, '2')",
        "CREATE TABLE t (id int, v int)",
    )
    answers = desk.write(
        "a.json", {"resolutions": {"t": [{"action": "transform", "old_column": "v", "new_column": "v"}]}}
    )
    told = desk.type(
        f"python scripts/data_migrator.py config/my-config.json --resolutions {answers}"
        " --live --max-rejects 0"
    )
    assert told.status in (3, 4), told
    assert desk.new("SELECT count(*) FROM t") == [(0,)]


def test_answers_as_json(desk_of: DeskOf) -> None:
    desk = desk_of(SAME + SAME_ROWS, SAME)
    told = desk.type("tranship analyze config/my-config.json --format json")
    assert json.loads(told.stdout)["result"]["summary"]["total"] == 0
    told = desk.type("tranship migrate config/my-config.json --live --format json --log-format json")
    answer = json.loads(told.stdout)
    assert (answer["command"], answer["exit_status"], answer["result"]["status"]) == ("migrate", 0, "done")
    events = [json.loads(line) for line in told.stderr.splitlines()]
    assert "RunStarted" in [event["event"] for event in events]
    assert {event["table"] for event in events if event["event"] == "TableDone"} == {
        "public.parent_table",
        "public.child_table",
        "public.a_child",
    }


def test_exit_code_of_analyze(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    assert desk.type("tranship analyze config/my-config.json --exit-code").status == 1
    assert desk.type("tranship analyze config/my-config.json").status == 0
