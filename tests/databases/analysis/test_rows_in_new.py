"""What NEW holds already is said; an empty OLD beside a full NEW, files of the other direction
and one database twice are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair

RunCli = Callable[..., CliResult]

SHAPE = """
CREATE TABLE colour (id int PRIMARY KEY, title text NOT NULL UNIQUE);
CREATE TABLE chair (id int PRIMARY KEY, colour_id int REFERENCES colour);
"""
OLD = f"""
{SHAPE}
INSERT INTO colour VALUES (1, 'red'), (2, 'green'), (3, 'blue'), (4, 'grey');
INSERT INTO chair VALUES (1, 1);
"""
NEW = f"""
{SHAPE}
CREATE TABLE flag (id int PRIMARY KEY);
CREATE TABLE hat (id int PRIMARY KEY);
INSERT INTO flag SELECT g FROM generate_series(1, 7) AS g;
INSERT INTO colour VALUES (1, 'red'), (2, 'blue'), (3, 'green'), (9, 'black');
"""


def _report(folder: Path) -> str:
    return (folder / "results/migration_report.txt").read_text(encoding="utf-8")


async def test_rows_of_new_are_told_with_what_old_shares(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    assert run_cli("analyze", pair.config(tmp_path)).status == 0
    report = _report(tmp_path)
    assert "public.colour of NEW holds 4 rows already" in report
    assert "OLD has 3 of their keys: 1 equal row, 2 differing rows" in report
    assert "NEW holds 2 of OLD's values of title under other ids" in report
    assert "public.chair of NEW holds" not in report
    assert "1 question needs an answer" in report
    assert "can be moved as it is" not in report
    assert "Stays as it is (7 rows)" in report
    assert report.count("Stays empty") == 1


async def test_names_under_other_ids_are_one_question_with_the_answer_that_the_names_speak_for(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    assert run_cli("analyze", pair.config(tmp_path)).status == 0
    for _ in range(2):
        assert run_cli("resolve", "generate", "results/migration_changes.json").status == 0
        written = json.loads((tmp_path / "results/manual_resolutions.json").read_text(encoding="utf-8"))
        (entry,) = written["resolutions"]["colour"]
        assert entry["action"] == "SPECIFY_ACTION"
        suggested = entry["_suggestion"]
        assert (suggested["action"], suggested["key"], suggested["rows"]) == ("existing", ["title"], "same")
        assert suggested["repoint_children"] is True
    for mode in ((), ("--live",)):
        refused = run_cli("migrate", tmp_path / "config.json", *mode)
        assert (refused.status, "TS301 public.colour" in refused.stderr) == (3, True)


async def test_ids_that_nothing_refers_to_are_no_question(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    alone = "CREATE TABLE colour (id int PRIMARY KEY, title text NOT NULL UNIQUE); INSERT INTO colour VALUES"
    pair = await make_pair(f"{alone} (1, 'red'), (2, 'green')", f"{alone} (2, 'red')")
    assert run_cli("analyze", pair.config(tmp_path)).status == 0
    assert "Not as it is: NEW holds values of OLD under other ids (public.colour)." in _report(tmp_path)
    assert run_cli("migrate", tmp_path / "config.json").status == 1


async def test_what_a_run_wrote_is_no_seed(make_pair: MakePair, run_cli: RunCli, tmp_path: Path) -> None:
    pair = await make_pair(OLD, SHAPE)
    config = pair.config(tmp_path)
    assert run_cli("migrate", config, "--live").status == 0
    await pair.old.run("UPDATE colour SET title = 'pink' WHERE id = 1")
    assert run_cli("migrate", config, "--live").status == 0


async def test_an_empty_old_beside_a_full_new_is_refused_before_anything_is_written(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(SHAPE, OLD)
    config = pair.config(tmp_path)
    for mode in ((), ("--live",)):
        refused = run_cli("migrate", config, *mode)
        assert refused.status == 3
        assert "TS386" in refused.stderr
        assert "--allow-empty-old" in refused.stderr
    assert await pair.new.value("SELECT count(*) FROM pg_namespace WHERE nspname = '_tranship'") == 0
    for verb in ("ping", "analyze"):
        warned = run_cli(verb, config)
        assert warned.status == 0
        assert "⚠ TS386 OLD (" in warned.stdout + warned.stderr
    assert run_cli("migrate", config, "--live", "--allow-empty-old").status == 0
    # What a run of the journal has read is known to be the old one.
    for verb in ("ping", "analyze"):
        known = run_cli(verb, config)
        assert "TS386" not in known.stdout + known.stderr


async def test_a_full_new_is_told_beside_what_is_to_be_decided(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(f"{SHAPE}; ALTER TABLE colour ADD COLUMN alone int", OLD)
    refused = run_cli("migrate", pair.config(tmp_path))
    assert refused.status == 3
    assert "TS300" in refused.stderr
    assert "TS386 OLD (" in refused.stderr
    assert "are they swapped?" in refused.stderr


async def test_an_old_that_may_not_be_read_is_not_told_as_empty(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, OLD)
    await pair.old.run("CREATE ROLE reads_none LOGIN PASSWORD 'secret'")
    try:
        told = run_cli("ping", pair.config(tmp_path, old={"username": "reads_none", "password": "secret"}))
        assert "SELECT" in told.stdout + told.stderr
        assert "TS386" not in told.stdout + told.stderr
    finally:
        await pair.old.run("DROP ROLE reads_none")


async def test_seeds_beside_an_empty_old_are_no_swap(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    more = (
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
        " CREATE TABLE c (id int PRIMARY KEY);"
    )
    pair = await make_pair(f"{SHAPE} {more}", f"{SHAPE} {more} INSERT INTO colour VALUES (1, 'red');")
    assert run_cli("migrate", pair.config(tmp_path)).status == 0


async def test_a_changes_file_of_the_other_direction_says_so(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path)
    assert run_cli("analyze", config).status == 0
    document = json.loads(config.read_text(encoding="utf-8"))
    document["old_database"], document["new_database"] = document["new_database"], document["old_database"]
    config.write_text(json.dumps(document), encoding="utf-8")
    refused = run_cli("migrate", config)
    assert refused.status == 3
    assert "opposite direction" in refused.stderr
    assert refused.stderr.count("TS3") == 1


async def test_decisions_of_the_other_direction_say_so_and_nothing_else(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(f"{OLD}; CREATE TABLE gone (id int)", NEW)
    config = pair.config(tmp_path)
    assert run_cli("analyze", config).status == 0
    changes, decisions = "results/migration_changes.json", "results/manual_resolutions.json"
    assert run_cli("resolve", "generate", changes).status == 0
    document = json.loads(config.read_text(encoding="utf-8"))
    document["old_database"], document["new_database"] = document["new_database"], document["old_database"]
    config.write_text(json.dumps(document), encoding="utf-8")
    assert run_cli("analyze", config).status == 0
    checked = run_cli("resolve", "validate", decisions, changes)
    assert checked.status == 1
    assert [line[:5] for line in checked.stdout.splitlines() if line.startswith("TS")] == ["TS303"]
    refused = run_cli("migrate", config, "--resolutions", decisions)
    assert refused.status == 3
    assert "opposite direction: its OLD is now the other database" in refused.stderr
    assert refused.stderr.count("TS3") == 1


async def test_analyze_refuses_one_database_as_both(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path, old=pair.new.endpoint(), new=pair.new.endpoint())
    refused = run_cli("analyze", config)
    assert (refused.status, "TS361" in refused.stderr) == (3, True)
    assert not (tmp_path / "results").exists()


KINDS_OF_KEYS = {
    "composite": (
        "CREATE TABLE composite (a int, b text, v int, PRIMARY KEY (a, b)); INSERT INTO composite VALUES"
        " (1, 'x', 1), (1, 'y', 2), (2, 'x', 3)",
        "CREATE TABLE composite (b text, a bigint, v int, PRIMARY KEY (b, a)); INSERT INTO composite VALUES"
        " ('x', 1, 1), ('y', 1, 9), ('y', 2, 3)",
        "OLD has 2 of their keys: 1 equal row, 1 differing row",
    ),
    "renamed": (
        "CREATE TABLE renamed (renamed_id int PRIMARY KEY, v text); INSERT INTO renamed VALUES (1, 'a'), (2, 'b')",
        "CREATE TABLE renamed (id int PRIMARY KEY, v text); INSERT INTO renamed VALUES (1, 'a'), (2, 'c'), (7, 'd')",
        "OLD has 2 of their keys: 1 equal row, 1 differing row",
    ),
    "retyped": (
        "CREATE TABLE retyped (id int PRIMARY KEY, v text); INSERT INTO retyped VALUES (1, 'a'), (2, 'b')",
        "CREATE TABLE retyped (id text PRIMARY KEY, v text); INSERT INTO retyped VALUES ('1', 'a'), ('02', 'b')",
        "OLD has 1 of their keys: 1 equal row, 0 differing rows",
    ),
    "keyless": (
        "CREATE TABLE keyless (v text); INSERT INTO keyless VALUES ('a')",
        "CREATE TABLE keyless (v text); INSERT INTO keyless VALUES ('a'), ('b')",
        "",
    ),
}


async def test_keys_of_every_kind_are_compared(make_pair: MakePair, run_cli: RunCli, tmp_path: Path) -> None:
    sides = (";".join(kind[side] for kind in KINDS_OF_KEYS.values()) for side in (0, 1))
    pair = await make_pair(*sides)
    assert run_cli("analyze", pair.config(tmp_path)).status == 0
    report = _report(tmp_path)
    lines = report.splitlines()
    for name, (_, _, said) in KINDS_OF_KEYS.items():
        (at,) = [n for n, line in enumerate(lines) if f"public.{name} of NEW holds" in line]
        assert said in "\n".join(lines[at : at + 3]), report


async def test_what_a_role_may_not_read_is_not_told_as_empty(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    shape = "CREATE TABLE hidden (id int PRIMARY KEY); CREATE TABLE barred (id int PRIMARY KEY);"
    rows = "INSERT INTO hidden VALUES (1), (2); INSERT INTO barred VALUES (1)"
    pair = await make_pair(f"{shape} {rows}", f"{shape} {rows}")
    await pair.new.run(
        "CREATE ROLE reads_some LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA public TO reads_some;"
        " GRANT SELECT ON hidden TO reads_some; ALTER TABLE hidden ENABLE ROW LEVEL SECURITY"
    )
    try:
        new = {"username": "reads_some", "password": "secret"}
        found = run_cli("analyze", pair.config(tmp_path, new=new))
        report = _report(tmp_path)
        assert found.status == 0
        assert "public.hidden of NEW holds" not in report
        assert "can be moved as it is" not in report
        for name in ("hidden", "barred"):
            assert f"how many rows public.{name} of NEW holds" in found.stdout + found.stderr
        assert "2 questions to the data had no answer" in report
    finally:
        await pair.new.run("DROP OWNED BY reads_some; DROP ROLE reads_some")
