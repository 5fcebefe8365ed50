"""Values and names that would leave a comment, a quoted name or a line:
what people run stays what it says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from support.cases.stage import ask
from support.desk import Desk

ENDS = ("\r", "\n", "\x0b", "\x0c", "\x1b", "\x85", "\u2028", "\u2029", "\u061c", "\u202e", "\u200b", "\\")
BREAKOUTS = ", ".join(f"(U&'\\{ord(end):04x}'')" + f";DROP TABLE kept;--{n}')" for n, end in enumerate(ENDS))
OLD = f"""
CREATE TABLE t (id int PRIMARY KEY, town text);
INSERT INTO t SELECT n, 'Town ' || n % 30 FROM generate_series(1, 300) n;
INSERT INTO t SELECT 1000 + row_number() OVER (), v FROM (VALUES {BREAKOUTS}) AS bad(v);
"""


KIND = '"a*/;DROP TABLE kept;/*b"'


@pytest.mark.parametrize("needed", ["", ", code int NOT NULL", f", kind {KIND} NOT NULL"])
def test_missing_lookup_rows_are_only_what_they_say(desk_of: Callable[[str, str], Desk], needed: str) -> None:
    desk = desk_of(
        OLD,
        f"""
        CREATE TYPE {KIND} AS (a int);
        CREATE TABLE towns (id serial PRIMARY KEY, name text NOT NULL UNIQUE{needed});
        INSERT INTO towns (name{", code" if "code" in needed else ""}{", kind" if "kind" in needed else ""})
          SELECT v{", 1" if "code" in needed else ""}{f", ROW(1)::{KIND}" if "kind" in needed else ""}
          FROM (SELECT 'Town ' || n FROM generate_series(0, 29) n) AS known(v);
        CREATE TABLE t (id int PRIMARY KEY, town_id int REFERENCES towns);
        CREATE TABLE kept (a int);
        """,
    )
    desk.config()
    assert desk.type("tranship analyze config/my-config.json").status == 0
    shown = desk.type("tranship resolve generate results/migration_changes.json --show-values").stdout
    assert all(line.isprintable() for line in shown.splitlines())
    raw = (desk.folder / "results/missing_lookups.sql").read_bytes().decode()
    lines = raw.removesuffix("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    assert all(line.startswith("--" if needed else "INSERT INTO ") for line in lines)
    # Whatever the session believes of backslashes.
    for setting in ("on", "off"):
        said = ask(
            desk.pair.new,
            f"BEGIN; SET standard_conforming_strings = {setting};\n{raw}\nTABLE kept; ROLLBACK;",
        )
        assert "ERROR" not in said
    ask(desk.pair.new, "\n".join(line for line in lines if line.startswith("INSERT")))
    if not needed:
        missing = "SELECT count(*) FROM towns"
        assert desk.new(missing) == [(30 + len(ENDS),)]
    else:
        bare = "\n".join(line.removeprefix("-- ") for line in lines[1:])
        ask(desk.pair.new, bare)
    assert desk.new("SELECT to_regclass('kept') IS NOT NULL") == [(True,)]


def test_a_grant_for_a_nasty_name_runs_as_it_is_shown(desk_of: Callable[[str, str], Desk]) -> None:
    name = 't\r\u202e\\x"; DROP TABLE kept;--\n'
    quoted = '"' + name.replace('"', '""') + '"'
    made = f"CREATE TABLE {quoted} (id int PRIMARY KEY); CREATE TABLE kept (a int)"
    desk = desk_of(made, made)
    role = f"plain_{desk.pair.old.name}"
    desk.run_old(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    desk.config(old={"username": role, "password": "secret"}, tables=[name])
    refused = desk.type("tranship migrate config/my-config.json")
    assert refused.status == 3, refused
    assert all(line.isprintable() for line in refused.stderr.splitlines())
    grant = next(line for line in refused.stderr.splitlines() if "GRANT" in line)
    ask(desk.pair.old, grant[grant.index("GRANT") :])
    assert desk.type("tranship migrate config/my-config.json").status == 0
    assert asyncio.run(desk.pair.old.value("SELECT to_regclass('kept') IS NOT NULL"))


def test_answers_for_programs_are_json_on_lines_that_break_nowhere_else(
    desk_of: Callable[[str, str], Desk],
) -> None:
    odd = "v\x7f\x85\u2028\u202e"
    desk = desk_of(
        f"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, '{odd}')",
        "CREATE TABLE t (id int PRIMARY KEY, v text CHECK (length(v) < 2))",
    )
    desk.config()
    told = desk.type("tranship migrate config/my-config.json --format json --show-values")
    assert json.loads(told.stdout)["result"]["stats"]["rows_failed"] == 1
    assert all(line.isprintable() for line in told.stdout.splitlines())
    (rejects,) = [name for name in desk.files() if name.endswith(".jsonl")]
    (line,) = desk.read(f"results/{rejects}").splitlines()
    assert json.loads(line)["row"]["v"] == odd
    missing = desk.type(f'tranship status "no{odd}.json" --format json')
    assert json.loads(missing.stdout)["exit_status"] == 2
