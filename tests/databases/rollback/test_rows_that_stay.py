"""What a rollback says of the rows that stay in NEW, and what comes next."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair, Pair
from support.runs import migrate

Run = Callable[..., CliResult]

TABLES = """
CREATE TABLE deal (no int, part text, worth int, PRIMARY KEY (no, part));
CREATE TABLE loose (line text);
"""
ROWS = """
INSERT INTO deal SELECT n, 'p', n FROM generate_series(1, 20) n;
INSERT INTO loose SELECT 'line ' || n FROM generate_series(1, 10) n;
"""


async def moved(make_pair: MakePair, folder: Path, since: str) -> Pair:
    """A pair with a finished run, and what others did in NEW since."""
    pair = await make_pair(TABLES + ROWS, TABLES)
    await pair.new.run("INSERT INTO deal VALUES (100, 'before', 1)")
    await migrate(pair, folder)
    await pair.new.run(since)
    return pair


def staying(folder: Path) -> list[tuple[str, dict[str, str]]]:
    """The rows that the one file of the folder names."""
    (file,) = (folder / "results").glob("rollback_stays_*.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [(line["table"], line["row"]) for line in lines]


async def test_only_rows_that_are_there_are_counted_as_staying(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await moved(
        make_pair,
        tmp_path,
        "UPDATE deal SET worth = 0 WHERE no IN (3, 4); DELETE FROM deal WHERE no = 5;"
        " INSERT INTO deal VALUES (50, 'theirs', 1); DELETE FROM loose WHERE line = 'line 1';"
        " UPDATE loose SET line = 'changed' WHERE line = 'line 2'",
    )
    told = run_cli("rollback", pair.config(tmp_path), "--live")
    assert told.status == 1, told
    first, *lines = told.stdout.splitlines()
    assert first.endswith(" deleted; 4 rows that others wrote or changed since stay.")
    assert (
        "  public.deal: 17 rows deleted; 3 rows of the run were changed or deleted by others since" in lines
    )
    assert (
        "  public.loose: 8 rows deleted; 2 rows of the run were changed or deleted by others since" in lines
    )
    assert lines[-4].startswith("In a table without a key a further run writes rows a second time"), told
    assert lines[-3] == "public.loose."
    # An entry without a key is refused where the primary key gets new values.
    assert '"new_key"' in lines[-5] and '"key": ["column", …]' in lines[-5], told
    keys = [{"no": no, "part": part} for no, part in (("3", "p"), ("4", "p"), ("50", "theirs"))]
    ((place,),) = await pair.new.fetch("SELECT ctid::text FROM loose")
    assert staying(tmp_path) == [
        ("public.deal", keys[0]),
        ("public.deal", keys[1]),
        ("public.deal", keys[2]),
        ("public.loose", {"ctid": place}),
    ]
    assert await pair.new.fetch("SELECT no FROM deal ORDER BY no") == [(3,), (4,), (50,), (100,)]


async def test_a_rollback_of_which_nothing_stays_says_what_comes_next(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await moved(make_pair, tmp_path, "DELETE FROM deal WHERE no = 5")
    config = pair.config(tmp_path)
    told = run_cli("rollback", config, "--live")
    assert told.status == 0, told
    first, *lines = told.stdout.splitlines()
    assert first.endswith("deleted; none of its rows is left.")
    assert "  public.deal: 19 rows deleted; 1 row of the run was deleted by others since" in lines
    run = first.split()[4]
    assert lines[-2].startswith(f"To move the rows of run {run} again: tranship migrate ")
    assert lines[-1] == (
        f"The journal, schema _tranship, stays in NEW until you remove it: tranship purge {config}"
    )
    assert not list((tmp_path / "results").glob("rollback_stays_*"))


async def test_rows_of_others_are_named_where_the_run_lacks_none(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await moved(make_pair, tmp_path, "INSERT INTO deal VALUES (50, 'theirs', 1)")
    looked = run_cli("rollback", pair.config(tmp_path))
    assert looked.status == 0, looked
    assert "1 row that others wrote or changed since stays. Nothing is changed yet." in looked.stdout
    assert staying(tmp_path) == [("public.deal", {"no": "50", "part": "theirs"})]
    named = run_cli("rollback", pair.config(tmp_path), "--prefix", "p", "--results-dir", "there")
    (command,) = re.findall(r"Next: tranship rollback \S+ (.*)", named.stdout)
    assert re.fullmatch(r"--prefix p --results-dir there --run \w+ --live", command), command


async def test_rows_of_another_flow_are_not_rows_of_others(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    """Two old tables fill one new table, in transactions of their own."""
    pair = await make_pair(
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 5);"
        "CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b SELECT generate_series(11, 15);",
        "CREATE TABLE c (id int PRIMARY KEY);",
    )
    answers = tmp_path / "answers.json"
    renamed = [{"action": "rename_table", "new_table": "c"}]
    answers.write_text(json.dumps({"resolutions": {"a": renamed, "b": renamed}}), encoding="utf-8")
    await migrate(pair, tmp_path, resolutions=str(answers))
    await pair.new.run("UPDATE c SET id = 99 WHERE id = 3")
    told = run_cli("rollback", pair.config(tmp_path), "--live")
    assert told.status == 1, told
    assert staying(tmp_path) == [("public.c", {"id": "99"})]
    assert told.stdout.count("written or changed by others since") == 1


async def test_commands_after_a_rollback_say_that_there_was_one(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await moved(make_pair, tmp_path, "UPDATE deal SET worth = 0 WHERE no = 3")
    config = pair.config(tmp_path)
    assert run_cli("rollback", config, "--live").status == 1
    for command in ("verify", "report", "rollback"):
        told = run_cli(command, config)
        assert told.status == 2, told
        assert "was rolled back on " in told.stderr
        assert "1 row of its tables that others wrote or changed meanwhile was left" in told.stderr
        assert "move the rows again: tranship migrate " in told.stderr
        assert f"remove the journal from NEW: tranship purge {config}" in told.stderr
    told = run_cli("status", config)
    assert " UTC, and 1 row that others wrote or changed was left. Move the rows again: " in told.stdout
    assert told.stdout.rstrip().endswith(f"remove the journal: tranship purge {config}")
    told = run_cli("purge", config)
    assert " UTC, and 1 row that others wrote or changed was left. Nothing left to do." in told.stdout
    assert run_cli("purge", config).stdout.startswith("There is no journal _tranship in ")


async def test_a_run_after_a_rollback_is_the_one_on_record(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await moved(make_pair, tmp_path, "SELECT 1")
    config = pair.config(tmp_path)
    told = run_cli("rollback", config, "--live")
    assert told.status == 0, told
    gone = told.stdout.split()[4]
    await migrate(pair, tmp_path)
    assert run_cli("verify", config).status == 0
    told = run_cli("verify", config, "--run", gone)
    assert f"run {gone} was rolled back on " in told.stderr
    assert run_cli("rollback", config, "--live").status == 0


async def test_rows_that_refer_to_rows_of_the_run_are_named(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    tables = (
        "CREATE TABLE town (id int PRIMARY KEY);"
        "CREATE TABLE person (id int PRIMARY KEY, town int CONSTRAINT lives REFERENCES town, age int);"
    )
    rows = (
        "INSERT INTO town VALUES (1), (2); INSERT INTO person SELECT n, 1, 5 FROM generate_series(1, 15) n;"
    )
    pair = await make_pair(tables + rows, tables)
    await migrate(pair, tmp_path)
    await pair.new.run("UPDATE person SET age = 6 WHERE id <> 2")
    for live in ((), ("--live",)):
        told = run_cli("rollback", pair.config(tmp_path), *live)
        assert told.status == 3, told
        named = "; ".join(f"id={n}" for n in (1, *range(3, 12)))
        changed = (
            "14 rows of public.person that others changed after the run wrote them, or that others wrote"
        )
        assert (
            f"{changed} ({named} and 4 more) refer to rows of public.town that the run wrote" in told.stderr
        )
        assert "nothing proves any more that the run wrote it" in told.stderr
    await pair.new.run("DELETE FROM person WHERE id <> 2")
    assert run_cli("rollback", pair.config(tmp_path)).status == 0


async def test_rows_of_others_that_refer_to_rows_of_a_whole_run_are_not_called_changed(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    tables = (
        "CREATE TABLE town (id int PRIMARY KEY);"
        "CREATE TABLE person (id int PRIMARY KEY, town int CONSTRAINT lives REFERENCES town);"
    )
    pair = await make_pair(tables + "INSERT INTO town VALUES (1); INSERT INTO person VALUES (1, 1)", tables)
    await migrate(pair, tmp_path)
    await pair.new.run("INSERT INTO person VALUES (2, 1)")
    told = run_cli("rollback", pair.config(tmp_path))
    assert told.status == 3, told
    assert "1 row of public.person that this run did not write (id=2) refers to rows" in told.stderr
    assert "changed" not in told.stderr


async def test_a_changed_row_of_an_earlier_run_is_not_one_to_be_deleted(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    """The second run moves what the first one rejected, and misses none of its own rows."""
    old = "CREATE TABLE deal (no int PRIMARY KEY, worth int); INSERT INTO deal SELECT n, n FROM generate_series(1, 9) n"
    new = "CREATE TABLE deal (no int PRIMARY KEY, worth int CONSTRAINT little CHECK (worth < 8))"
    pair = await make_pair(old, new)
    await migrate(pair, tmp_path)
    await pair.new.run("ALTER TABLE deal DROP CONSTRAINT little")
    await migrate(pair, tmp_path, rejects_only=True)
    await pair.new.run("UPDATE deal SET worth = 0 WHERE no = 5")
    told = run_cli("rollback", pair.config(tmp_path), "--live")
    assert told.status == 0, told
    first, *lines = told.stdout.splitlines()
    assert first.startswith("2 rows of run ")
    assert first.endswith(" deleted; none of its rows is left.")
    assert [line for line in lines if "no=5" in line] == [
        "    not of this run (of another run on record and changed by others, or written by others), stays: no=5"
    ]
    assert "delete that one" not in told.stdout
    assert lines[-4:-2] == [
        "public.deal: up to 1 row that stays was written by another run on record and changed by others since.",
        "Do not delete a row of that run: that run stays, and no further run moves its rows again.",
    ]
    assert staying(tmp_path) == [("public.deal", {"no": "5"})]


async def test_an_unfinished_run_names_what_resumes_it(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await make_pair(TABLES + ROWS, TABLES)
    config = pair.config(tmp_path)
    run_cli("migrate", config, "--live", env={"TRANSHIP_FAILPOINT": "batch.committed:1:kill"})
    resume = f"tranship migrate {config} --live"
    told = run_cli("verify", config)
    assert f"cannot be compared yet. Resume it: {resume}\n" in told.stdout, told
    assert f"  resume: {resume}\n" in run_cli("status", config).stdout
    assert f"hint: resume it: {resume}; or roll it back: " in run_cli("purge", config).stderr


async def test_hints_of_a_result_name_the_databases_of_the_call(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    """What a killed run left switched off is a problem in the answer of `verify`, which is no error."""
    pair = await make_pair(TABLES + ROWS, TABLES + "CREATE INDEX by_worth ON deal (worth)")
    config = pair.config(tmp_path)
    always = ("--live", "--rebuild-indexes", "always")
    run_cli("migrate", config, *always, env={"TRANSHIP_FAILPOINT": "batch.committed:1:kill"})
    told = run_cli("verify", config)
    assert f"\n  hint: tranship doctor {config} --restore\n" in told.stdout, told
    assert "CONFIG" not in told.stdout


async def test_rights_to_a_partitioned_table_are_enough(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    """Without a right to its partitions: the server checks none where a statement names the parent."""
    pair = await make_pair(
        TABLES + ROWS,
        "CREATE TABLE deal (no int, part text, worth int, PRIMARY KEY (no, part)) PARTITION BY RANGE (no);"
        " CREATE TABLE deal_low PARTITION OF deal FOR VALUES FROM (0) TO (10);"
        " CREATE TABLE deal_high PARTITION OF deal FOR VALUES FROM (10) TO (99);"
        " CREATE TABLE loose (line text);",
    )
    role = f"mover_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; CREATE SCHEMA _tranship AUTHORIZATION {role};"
        f" GRANT SELECT, INSERT, DELETE ON deal, loose TO {role}"
    )
    config = pair.config(tmp_path, new={"username": role, "password": "secret"})
    assert run_cli("migrate", config, "--live").status == 0
    assert len(await pair.new.fetch("SELECT no FROM deal")) == 20
    told = run_cli("rollback", config, "--live")
    assert told.status == 0, told
    assert await pair.new.fetch("SELECT no FROM deal") == []
