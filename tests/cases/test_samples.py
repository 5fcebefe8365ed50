"""Real databases in two versions, moved by the classic scripts as their users would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support import SHARED, CliResult, MakePair, Pair
from support.cases.stage import load

SAMPLES = SHARED / "samples"


async def _loaded(make_pair: MakePair, name: str) -> Pair:
    if not (SAMPLES / name).is_dir():
        pytest.skip(f"no sample database '{name}' beside this checkout")
    pair = await make_pair()
    load(pair.old, (SAMPLES / name / "old.sql").read_text(encoding="utf-8"))
    load(pair.new, (SAMPLES / name / "new.sql").read_text(encoding="utf-8"))
    return pair


def _stats(folder: Path) -> dict[str, int]:
    (path,) = (folder / "results").glob("s_migration_result_live_*.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    stats: dict[str, int] = document["stats"]
    assert document["status"] == "done"
    return stats


async def _assert_next_inserts_are_free(pair: Pair) -> None:
    """Every sequence that numbers a column, owned or in its default, stands at
    or past the column's highest value.
    """
    questions = await pair.new.fetch(
        "SELECT DISTINCT format('SELECT coalesce(max(%I), 0) <= (SELECT last_value FROM %s) FROM %s',"
        " a.attname, s.oid::regclass, a.attrelid::regclass)"
        " FROM pg_depend d JOIN pg_class s ON s.relkind = 'S' AND s.oid IN (d.objid, d.refobjid)"
        " LEFT JOIN pg_attrdef def ON d.classid = 'pg_attrdef'::regclass AND def.oid = d.objid"
        " JOIN pg_attribute a ON (a.attrelid, a.attnum::int) ="
        " (coalesce(def.adrelid, d.refobjid), coalesce(def.adnum::int, d.refobjsubid))"
        " WHERE a.attnum > 0"
    )
    assert len(questions) >= 10
    for (question,) in questions:
        assert await pair.new.value(question), question


async def test_chinook(make_pair: MakePair, run_script: Callable[..., CliResult], tmp_path: Path) -> None:
    """Every table and column renamed from CamelCase to snake_case: no decision about names."""
    pair = await _loaded(make_pair, "chinook")
    config = pair.config(tmp_path)
    analysis = run_script("db_migration_tool.py", config, "--prefix", "s")
    assert analysis.status == 0, analysis
    assert "Breaking (manual required): 0" in analysis.stdout
    live = run_script("data_migrator.py", config, "--prefix", "s", "--live")
    assert live.status == 0, live
    stats = _stats(tmp_path)
    assert (stats["rows_migrated"], stats["rows_failed"]) == (15607, 0)
    assert await pair.new.value("SELECT count(*) FROM track") == await pair.old.value(
        'SELECT count(*) FROM "Track"'
    )
    assert await pair.new.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'")
    await _assert_next_inserts_are_free(pair)


async def test_pagila(make_pair: MakePair, run_script: Callable[..., CliResult], tmp_path: Path) -> None:
    """Inheritance becomes partitioning, keys grow, store and staff refer to each other;
    the timestamps ask for bare transforms.
    """
    pair = await _loaded(make_pair, "pagila")
    config = pair.config(tmp_path)
    analysis = run_script("db_migration_tool.py", config, "--prefix", "s")
    assert analysis.status == 0, analysis
    changes = json.loads((tmp_path / "results" / "s_migration_changes.json").read_text(encoding="utf-8"))[
        "changes"
    ]
    answers: dict[str, list[dict[str, str]]] = {}
    for change in (c for c in changes if c["type"] == "breaking"):
        assert change["old_column"] == change["new_column"], change
        entry = {
            "action": "transform",
            "old_column": change["old_column"],
            "new_column": change["new_column"],
        }
        answers.setdefault(change["table"], []).append(entry)
    decided = tmp_path / "answers.json"
    decided.write_text(json.dumps({"resolutions": answers}), encoding="utf-8")
    live = run_script("data_migrator.py", config, "--prefix", "s", "--resolutions", decided, "--live")
    assert live.status == 0, live
    stats = _stats(tmp_path)
    assert (stats["rows_migrated"], stats["rows_failed"]) == (46273, 0)
    assert await pair.new.value("SELECT count(*) FROM payment") == 16049
    assert await pair.new.value("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'")
    await _assert_next_inserts_are_free(pair)
