"""URLs in place of a file, patterns of tables, `ping`, `init`, and what build servers read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from support import ROOT, Database
from support.desk import Desk

DeskOf = Callable[[str, str], Desk]
TABLES = "CREATE TABLE a (id int PRIMARY KEY{}); CREATE TABLE b (id int PRIMARY KEY{}); "
ROWS = "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2);"
ENV = {"OLD_PASSWORD": "", "NEW_PASSWORD": ""}


def url(database: Database, name: str) -> str:
    server = database.server
    return (
        f"postgresql://{server.user}:${{{name}}}@{server.host}:{server.port}/{database.name}?sslmode=disable"
    )


def urls(desk: Desk) -> str:
    return f"'{url(desk.pair.old, 'OLD_PASSWORD')}' '{url(desk.pair.new, 'NEW_PASSWORD')}'"


def passwords(desk: Desk) -> dict[str, str]:
    pair = desk.pair
    return {"OLD_PASSWORD": pair.old.server.password, "NEW_PASSWORD": pair.new.server.password}


def test_the_whole_way_with_urls(desk_of: DeskOf) -> None:
    desk = desk_of(TABLES.format("", "") + ROWS, TABLES.format("", ", note text"))
    env = passwords(desk)
    told = desk.type(f"tranship analyze {urls(desk)}", env)
    assert told.status == 0, told
    told = desk.type(f"tranship migrate {urls(desk)} --live", env)
    assert told.status == 0, told
    assert desk.new("SELECT count(*) FROM b") == [(2,)]
    told = desk.type(f"tranship status {urls(desk)}", env)
    assert "finished" in told.stdout
    written = "".join(desk.read(f"results/{name}") for name in desk.files())
    assert all(secret not in written + told.stdout for secret in env.values())


def test_hints_repeat_the_urls(desk_of: DeskOf) -> None:
    desk = desk_of("CREATE TABLE a (id int, gone int)", "CREATE TABLE a (id int)")
    told = desk.type(f"tranship migrate {urls(desk)}", passwords(desk))
    assert told.status == 3
    assert f"tranship analyze {urls(desk)}, then tranship resolve generate" in told.stderr
    desk.type(f"tranship analyze {urls(desk)} -t 'a*'", passwords(desk))
    told = desk.type("tranship resolve generate results/migration_changes.json")
    assert (
        f"tranship migrate {urls(desk)} -t 'a*' --resolutions results/manual_resolutions.json" in told.stdout
    )


def test_tables_are_chosen_by_pattern(desk_of: DeskOf) -> None:
    desk = desk_of(
        TABLES.format("", ", gone int") + ROWS.replace("(1), (2)", "(1, 1)"), TABLES.format("", "")
    )
    told = desk.type("tranship analyze config/my-config.json --fail-on breaking")
    assert told.status == 1, told
    told = desk.type("tranship analyze config/my-config.json --fail-on any -T b")
    assert (told.status, "[b]" in told.stdout) == (0, False), told
    assert desk.json("results/migration_changes.json")["never"] == ["b"]
    told = desk.type("tranship migrate config/my-config.json --live -t 'public.?' -T b")
    assert told.status == 0, told
    assert desk.new("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)") == [(1, 0)]
    told = desk.type("tranship migrate config/my-config.json -t 'c*'")
    assert (told.status, "TS136" in told.stderr) == (2, True)
    # What was moved under a pattern counts as moved without one.
    desk.run_new("ALTER TABLE b ADD gone int")
    desk.type("tranship analyze config/my-config.json")
    told = desk.type("tranship migrate config/my-config.json --live")
    assert told.status == 0, told
    assert "already migrated" in told.stdout
    assert desk.new("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)") == [(1, 1)]


def test_fail_on(desk_of: DeskOf) -> None:
    desk = desk_of("CREATE TABLE a (id int)", "CREATE TABLE a (id bigint)")
    line = "tranship analyze config/my-config.json"
    given = ("", " --fail-on breaking", " --fail-on any", " --exit-code")
    assert [desk.type(line + more).status for more in given] == [0, 0, 1, 1]


def test_ping(desk_of: DeskOf) -> None:
    desk = desk_of(TABLES.format("", ""), TABLES.format("", ""))
    told = desk.type("tranship ping config/my-config.json")
    assert told.status == 0, told
    first, *lines = told.stdout.splitlines()
    assert first.endswith("Next: tranship analyze config/my-config.json")
    assert any(line.startswith("OLD  ") for line in lines)
    assert any("2 tables in schema public" in line for line in lines)
    assert "The clocks of both servers agree within a second." in lines
    assert "The dry run names what triggers, sequences and indexes need in addition." in lines
    answer = json.loads(desk.type("tranship ping config/my-config.json --format json").stdout)
    assert (answer["command"], answer["problems"]) == ("ping", [])
    assert answer["result"]["new"]["tables"] == 2
    assert answer["result"]["old"]["latency_ms"] > 0


def test_ping_names_what_is_missing(desk_of: DeskOf) -> None:
    desk = desk_of(TABLES.format("", ""), TABLES.format("", ""))
    poor = f"poor_{desk.pair.new.name}"
    desk.run_new(f"CREATE ROLE {poor} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA public TO {poor};")
    desk.config(new={"username": poor, "password": "p"})
    told = desk.type("tranship ping config/my-config.json")
    desk.run_new(f"DROP OWNED BY {poor}; DROP ROLE {poor}")
    assert told.status == 3, told
    assert "3 things stand in the way of a live run" in told.stdout.splitlines()[0]
    assert f'GRANT SELECT, INSERT ON "public"."a" TO "{poor}";' in told.stdout
    assert 'CREATE SCHEMA "_tranship"' in told.stdout
    desk.config(new={"schema": "nowhere"})
    told = desk.type("tranship ping config/my-config.json")
    assert (told.status, "TS133" in told.stdout, "TS137" in told.stdout) == (2, True, False), told
    assert "     no schema that takes part" in told.stdout.splitlines()
    desk.config(old={"port": 1})
    told = desk.type("tranship ping config/my-config.json")
    assert (told.status, "NEW  " in told.stdout, "OLD  " in told.stdout) == (2, True, False), told
    desk.config(new=desk.pair.old.endpoint())
    told = desk.type("tranship ping config/my-config.json")
    assert (told.status, "OLD and NEW are the same database" in told.stdout) == (3, True), told


def test_ping_names_what_old_keeps_from_its_role(desk_of: DeskOf) -> None:
    tables = TABLES.format("", "")
    desk = desk_of(tables, tables)
    low = f"low_{desk.pair.old.name}"
    role = f"CREATE ROLE {low} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA public TO {low};"
    desk.run_old(f"{role} GRANT SELECT ON b TO {low}; ALTER TABLE b ENABLE ROW LEVEL SECURITY")
    desk.config(old={"username": low, "password": "p"})
    told = desk.type("tranship ping config/my-config.json")
    chosen = desk.type("tranship ping config/my-config.json -t a")
    desk.run_old(f"DROP OWNED BY {low}; DROP ROLE {low}")
    assert f"GRANT SELECT ON public.a TO {low};" in told.stdout, told
    assert "TS336" not in chosen.stdout, chosen
    assert "TS336" in told.stdout and "row-level security of OLD table public.b" in told.stdout


def test_init(desk_of: DeskOf) -> None:
    desk = desk_of(TABLES.format("", ""), TABLES.format("", ""))
    env = passwords(desk)
    plain = {name: value.replace(f":${{{name}}}", "") for name, value in zip(env, _both(desk), strict=True)}
    words = f"--old {plain['OLD_PASSWORD']} --new {plain['NEW_PASSWORD']} --new-schema public"
    ways = "--old-password variable:OLD_PASSWORD --new-password variable:NEW_PASSWORD"
    told = desk.type(f"tranship init made/c.json {words} {ways}", env)
    assert told.status == 0, told
    assert told.stdout == (
        "Configuration written to made/c.json; the connection works. Next: tranship analyze made/c.json\n"
    )
    assert desk.json("made/c.json") == {
        "old_database": {"url": plain["OLD_PASSWORD"], "password": "${OLD_PASSWORD}"},
        "new_database": {
            "url": plain["NEW_PASSWORD"],
            "password": "${NEW_PASSWORD}",
            "schema": ["public"],
        },
    }
    assert (desk.folder / "made/c.json").stat().st_mode & 0o777 == 0o600
    assert desk.type("tranship analyze made/c.json", env).status == 0
    again = desk.type(f"tranship init made/c.json {words}")
    assert (again.status, "is not overwritten" in again.stderr) == (2, True)


def test_init_names_tables_that_lack_the_same_right_in_one_line(desk_of: DeskOf) -> None:
    role = "CREATE ROLE low_init LOGIN PASSWORD 's'; EXCEPTION WHEN duplicate_object THEN NULL"
    more = "CREATE TABLE c (id int); CREATE TABLE d (id int); "
    made = f"{TABLES.format('', '')}{more}DO $do$ BEGIN {role}; END $do$"
    desk = desk_of(made, TABLES.format("", "") + more)
    old, new = (f"'{url(one, 'P').replace(':${P}', '')}'" for one in (desk.pair.old, desk.pair.new))
    old = old.replace(f"{desk.pair.old.server.user}@", "low_init@")
    ways = "--old-password variable:OLD_PASSWORD --new-password variable:NEW_PASSWORD"
    env = {**passwords(desk), "OLD_PASSWORD": "s"}
    told = desk.type(f"tranship init c.json --old {old} --new {new} {ways}", env)
    assert (told.status, told.stdout.count("\nTS311")) == (0, 1), told
    assert "the same for 3 more: public.b, public.c, public.d" in told.stdout


def _both(desk: Desk) -> tuple[str, str]:
    return url(desk.pair.old, "OLD_PASSWORD"), url(desk.pair.new, "NEW_PASSWORD")


def test_init_says_which_answer_to_change(desk_of: DeskOf) -> None:
    desk = desk_of("", "")
    old, new = (f"'{url(one, 'P').replace(':${P}', '')}'" for one in (desk.pair.old, desk.pair.new))
    missing = new.replace(f"/{desk.pair.new.name}", "/nowhere")
    assert missing != new
    ways = "--old-password variable:OLD_PASSWORD --new-password variable:NEW_PASSWORD"
    told = desk.type(f"tranship init c.json --old {old} --new {missing} {ways}", passwords(desk))
    assert (told.status, told.stderr[:5]) == (2, "TS205"), told
    assert "Write the right name of the database into the URL of this command: tranship init" in told.stderr
    assert "With the same answers" not in told.stderr


def test_init_writes_nothing_where_nobody_answers(desk_of: DeskOf) -> None:
    desk = desk_of("", "")
    line = "tranship init c.json --old postgresql://me@127.0.0.1:1/a --new postgresql://me@127.0.0.1:1/b"
    told = desk.type(line, {"PGPASSFILE": os.devnull})
    assert (told.status, told.stderr[:3]) == (2, "TS2"), told
    again = f"{line} ".replace(" --new", " --old-password pgpass --new") + "--new-password pgpass"
    way = "nothing is written (--no-connect writes it all the same). With the same answers: "
    assert f"{way}{again}\n" in told.stderr
    assert not (desk.folder / "c.json").exists()
    assert desk.type(f"{line} --no-connect").status == 0
    assert (desk.folder / "c.json").exists()


def test_init_refuses_one_database_as_both(desk_of: DeskOf) -> None:
    desk = desk_of("", "")
    env = passwords(desk)
    here = _both(desk)[0].replace(":${OLD_PASSWORD}", "")
    ways = "--old-password variable:OLD_PASSWORD --new-password variable:OLD_PASSWORD"
    told = desk.type(f"tranship init c.json --old {here} --new {here} {ways}", env)
    assert (told.status, told.stderr[:5]) == (2, "TS361"), told
    assert not (desk.folder / "c.json").exists()


def test_validate_for_build_servers(desk_of: DeskOf) -> None:
    desk = desk_of("CREATE TABLE a (id int, gone int)", "CREATE TABLE a (id int)")
    desk.type("tranship analyze config/my-config.json")
    desk.type("tranship resolve generate results/migration_changes.json")
    line = "tranship resolve validate results/manual_resolutions.json results/migration_changes.json --format"
    told = desk.type(f"{line} github")
    assert told.status == 1
    assert told.stdout.startswith("::error file=results/manual_resolutions.json,line=")
    told = desk.type(f"{line} junit")
    assert (told.status, ElementTree.fromstring(told.stdout).get("failures")) == (1, "1")
    told = desk.type(f"{line} json")
    answer = json.loads(told.stdout)
    assert (answer["command"], answer["exit_status"], len(answer["problems"])) == ("resolve validate", 1, 1)


def test_every_answer_has_one_envelope(desk_of: DeskOf, tmp_path: Path) -> None:
    desk = desk_of(TABLES.format("", "") + ROWS, TABLES.format("", ""))
    config = "config/my-config.json"
    commands = [
        f"ping {config}",
        f"analyze {config}",
        "resolve generate results/migration_changes.json",
        "resolve validate results/manual_resolutions.json results/migration_changes.json",
        f"migrate {config} --live",
        f"status {config}",
        f"doctor {config}",
        f"rollback {config}",
        "explain TS101",
        f"purge {config}",
    ]
    for command in commands:
        told = desk.type(f"tranship {command} --format json")
        answer = json.loads(told.stdout)
        assert list(answer) == [
            "format_version",
            "tool_version",
            "command",
            "exit_status",
            "problems",
            "result",
        ], command
        assert (answer["exit_status"], command.startswith(answer["command"])) == (told.status, True), told


def test_the_commands_of_the_readme_run_where_nothing_is_open(desk_of: DeskOf) -> None:
    desk = desk_of(TABLES.format("", "") + ROWS, TABLES.format("", ""))
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("## Use it")[1].split("```")[1]
    commands = [line[2:].partition("#")[0] for line in block.splitlines() if line.startswith("$ tranship")]
    # The first one asks a person; the configuration is there already.
    assert commands[0].startswith("tranship init ")
    assert len(commands) == 7
    told = [desk.type(command) for command in commands[1:]]
    assert [one.status for one in told] == [0] * 6, told
    # Each end names the next command.
    following = [one.stdout.split("Next: ")[1].splitlines()[0] for one in told[1:5:3]]
    assert following[0] == "tranship migrate config/my-config.json --prefix my"
    assert following[1] == commands[6].strip()
    assert "Everything arrived: 3 rows, verified. Nothing left to do." in told[5].stdout
    assert desk.json("results/my_manual_resolutions.json")["resolutions"] == {}
