"""``analyze`` asks the data about the tables that an existing resolutions file pairs, and leaves the file alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import CliResult, MakePair

RunCli = Callable[..., CliResult]
OLD = """
CREATE TABLE aa (k int PRIMARY KEY, full_name text, state text, w_kg int);
INSERT INTO aa SELECT g, 'n' || g, (ARRAY['on', 'off'])[1 + g % 2], 70000 + g FROM generate_series(1, 200) g;
"""
NEW = """
CREATE TABLE zz (nr int PRIMARY KEY, name text, active boolean, made date);
CREATE TABLE yy (k int PRIMARY KEY, full_name text, state text, w_kg int);
"""
FILE = "results/manual_resolutions.json"


async def test_the_data_of_tables_paired_by_hand_is_asked(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW, template=False)
    config = pair.config(tmp_path)
    first = run_cli("analyze", config)
    assert "as your resolutions file pairs them" not in first.stdout
    assert run_cli("resolve", "generate", "results/migration_changes.json").status == 0
    path = tmp_path / FILE
    document = json.loads(path.read_text(encoding="utf-8"))
    document["resolutions"] = {"aa": [{"action": "rename_table", "new_table": "zz", "_mine": "kept"}]}
    path.write_text(json.dumps(document), encoding="utf-8")
    before = path.read_bytes()

    again = run_cli("analyze", config)
    assert (again.status, path.read_bytes()) == (0, before)
    assert "Asked as your resolutions file pairs them: public.aa → public.zz" in again.stdout
    assert run_cli("resolve", "generate", "results/migration_changes.json").status == 0
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["resolutions"]["aa"]
    assert entries[0] == {"action": "rename_table", "new_table": "zz", "_mine": "kept"}
    named = next(entry for entry in entries if entry.get("old_column") == "full_name")
    assert "OLD: 200 of 200 rows hold a value" in str(named["_evidence"]), named
    assert "not looked at" not in str(entries)


async def test_a_resolutions_file_that_cannot_be_read_is_a_warning(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW, template=False)
    config = pair.config(tmp_path)
    (tmp_path / "results").mkdir(exist_ok=True)
    (tmp_path / FILE).write_text('{"resolutions": {', encoding="utf-8")
    said = run_cli("analyze", config)
    assert said.status == 0
    assert "manual_resolutions.json" in said.stderr
    assert (tmp_path / FILE).read_text(encoding="utf-8") == '{"resolutions": {'
