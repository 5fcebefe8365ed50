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
    assert "NEW holds 2 of OLD's names (title) under other ids" in report
    assert "public.chair of NEW holds" not in report
    assert "1 change needs a decision" in report
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
    assert "Not as it is: NEW holds names of OLD under other ids (public.colour)." in _report(tmp_path)
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
    assert run_cli("migrate", config, "--live", "--allow-empty-old").status == 0


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


async def test_analyze_refuses_one_database_as_both(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    config = pair.config(tmp_path, old=pair.new.endpoint(), new=pair.new.endpoint())
    refused = run_cli("analyze", config)
    assert (refused.status, "TS361" in refused.stderr) == (3, True)
    assert not (tmp_path / "results").exists()
