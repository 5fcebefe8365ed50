"""Schemas, inheritance children, parents and triggers that the comparison knows by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import CliResult, MakePair

RunCli = Callable[..., CliResult]


async def _look(
    make_pair: MakePair, run_cli: RunCli, folder: Path, old: str, new: str
) -> tuple[str, dict[str, Any]]:
    """The report, and the entries of the resolutions file by table."""
    pair = await make_pair(old, new)
    assert run_cli("analyze", pair.config(folder)).status == 0
    assert run_cli("resolve", "generate", "results/migration_changes.json").status == 0
    path = folder / "results/manual_resolutions.json"
    entries = json.loads(path.read_text(encoding="utf-8"))["resolutions"] if path.exists() else {}
    return (folder / "results/migration_report.txt").read_text(encoding="utf-8"), entries


async def test_schemas_that_differ_by_separators_correspond(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = (
        "CREATE SCHEMA webshop; CREATE TABLE webshop.item (id int PRIMARY KEY);"
        " CREATE TABLE public.t (id int PRIMARY KEY);"
    )
    new = (
        "CREATE SCHEMA web_shop; CREATE TABLE web_shop.item (id int PRIMARY KEY);"
        " CREATE TABLE public.t (id int PRIMARY KEY);"
    )
    report, entries = await _look(make_pair, run_cli, tmp_path, old, new)
    assert entries == {}
    assert "Breaking (manual required): 0" in report


async def test_children_of_the_old_style_flow_into_the_one_table_and_others_are_asked(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = """
    CREATE TABLE vote (id int NOT NULL, who int);
    CREATE TABLE vote_1 (CHECK (who % 2 = 1)) INHERITS (vote);
    CREATE TABLE vote_more (why text) INHERITS (vote);
    INSERT INTO vote_1 VALUES (1, 1); INSERT INTO vote_more VALUES (2, 2, 'x'), (3, 3, 'y');
    """
    report, entries = await _look(
        make_pair, run_cli, tmp_path, old, "CREATE TABLE vote (id int PRIMARY KEY, who int);"
    )
    assert "Table 'vote_1' flows into 'vote'" in report
    assert entries.keys() == {"vote_more"}
    evidence = "\n".join(entries["vote_more"][0]["_evidence"])
    assert "inherits from public.vote" in evidence
    assert "all its rows (2 rows) would be left behind" in evidence


async def test_a_value_that_the_parent_holds_is_looked_up(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    base = """
    CREATE TABLE firm (id int PRIMARY KEY);
    CREATE TABLE branch (id int PRIMARY KEY, firm_id int NOT NULL REFERENCES firm);
    """
    old = f"""
    {base} CREATE TABLE desk (id int PRIMARY KEY, branch_id int NOT NULL REFERENCES branch);
    CREATE TABLE lamp (id int PRIMARY KEY, branch_id int REFERENCES branch);
    INSERT INTO firm VALUES (1), (2); INSERT INTO branch VALUES (10, 1), (20, 2);
    INSERT INTO desk VALUES (1, 10), (2, 20); INSERT INTO lamp VALUES (1, NULL);
    """
    new = f"""
    {base} CREATE TABLE desk (id int PRIMARY KEY, branch_id int NOT NULL REFERENCES branch,
        firm_id int NOT NULL REFERENCES firm);
    CREATE TABLE lamp (id int PRIMARY KEY, branch_id int REFERENCES branch,
        firm_id int NOT NULL REFERENCES firm);
    """
    _, entries = await _look(make_pair, run_cli, tmp_path, old, new)
    (desk,), (lamp,) = entries["desk"], entries["lamp"]
    assert (desk["action"], desk["old_column"], desk["new_column"]) == ("transform", "branch_id", "firm_id")
    assert desk["lookup_table"]["table"] == "branch"
    assert lamp["action"] != "transform"


async def test_a_trigger_of_new_that_would_fill_a_column_is_said(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    new = """
    CREATE TABLE note (id int PRIMARY KEY, body text, slug text NOT NULL, search tsvector);
    CREATE FUNCTION fill_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER fills BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION fill_note();
    """
    report, entries = await _look(
        make_pair, run_cli, tmp_path, "CREATE TABLE note (id int PRIMARY KEY, body text);", new
    )
    assert report.count("NEW's BEFORE INSERT trigger 'fills' does not fire") == 2
    assert any("'fills'" in line for line in entries["note"][0]["_evidence"])
