"""What the servers' statistics do to renames: kept in the changes file, read afresh by a run,
and only ever a reason to ask.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from tranship.api import analyze, migrate, suggest, validate
from tranship.config import load_config
from tranship.errors import Refused, TranshipError
from tranship.model.options import MigrateOptions

OLD = """
CREATE TABLE half (id int PRIMARY KEY, remark text, z int);
INSERT INTO half SELECT g, CASE WHEN g % 10 < 4 THEN 'r' || g END, g FROM generate_series(1, 500) g;
CREATE TABLE whole (id int PRIMARY KEY, remark text, z int);
INSERT INTO whole SELECT g, 'r' || g, g FROM generate_series(1, 500) g;
CREATE TABLE marks (id int PRIMARY KEY, fresh text, stale text);
INSERT INTO marks SELECT g, CASE WHEN g % 2 = 0 THEN 'Y' ELSE 'N' END,
    'text ' || g FROM generate_series(1, 500) g;
ANALYZE;
"""
NEW = """
CREATE TABLE half (id int PRIMARY KEY, note text NOT NULL, z int);
CREATE TABLE whole (id int PRIMARY KEY, note text NOT NULL, z int);
CREATE TABLE marks (id int PRIMARY KEY, first text CHECK (first IN ('Y', 'N')), second text);
"""


async def test_values_that_do_not_fit_are_asked_about(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pair = await make_pair(OLD, NEW)
    config = load_config(pair.config(tmp_path))
    found = await analyze(config)
    classes = {
        (c.table, c.new_column): c.cls.value for c in found.comparison.changes if c.kind == "column_renamed"
    }
    assert classes["public.whole", "note"] == "transformable"
    assert classes["public.half", "note"] == "breaking"
    told = json.loads(found.changes_path.read_text())
    kept = {
        (s["column"]["table"]["name"], s["column"]["column"]) for s in told["old"]["statistics"]["columns"]
    }
    assert kept == {("half", "remark"), ("whole", "remark"), ("marks", "fresh"), ("marks", "stale")}
    changes = [c for c in found.comparison.changes if c.table == "public.half" and c.requires_manual]
    assert any(
        "but 60% of the old values are NULL, which the new column refuses" in c.evidence for c in changes
    )
    with pytest.raises(Refused) as refused:
        await migrate(config, MigrateOptions())
    assert {p.object for p in refused.value.problems if p.code == "TS301"} >= {"public.half.remark"}
    assert "public.whole.remark" not in {p.object for p in refused.value.problems}

    made = await suggest(found.changes_path)
    assert made.path is not None
    answers = {
        "half": [
            {"action": "ignore", "old_column": "remark", "description": "left behind"},
            {"action": "default", "new_column": "note", "default_value": "none", "description": "a constant"},
        ],
        "marks": [
            {"action": "rename", "old_column": "fresh", "new_column": "first", "description": "Y and N"},
            {"action": "rename", "old_column": "stale", "new_column": "second", "description": "the rest"},
        ],
    }
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"resolutions": answers}))
    assert [p for p in validate(file, found.changes_path) if not p.warning] == []
    options = MigrateOptions(live=True, resolutions=str(file))
    result, _ = await migrate(config, options)
    assert result.status == "done", result
    assert await pair.new.value("SELECT count(*) FROM half WHERE note = 'none'") == 500
    assert await pair.new.value("SELECT count(*) FROM whole WHERE note = 'r' || id") == 500
    await pair.new.run("ANALYZE")
    again, _ = await migrate(config, options)
    assert again.status == "done" and again.stats.rows_migrated == result.stats.rows_migrated


async def test_a_run_that_began_keeps_its_plan(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observe: Observe
) -> None:
    """What it wrote so far looks unlike OLD's whole: the first rows have a remark, the others none."""
    monkeypatch.chdir(tmp_path)
    old = """
    CREATE TABLE t (id int PRIMARY KEY, remark text, z int);
    INSERT INTO t SELECT g, CASE WHEN g <= 200 THEN 'r' || g END, g FROM generate_series(1, 10000) g;
    ANALYZE;
    """
    pair = await make_pair(old, "CREATE TABLE t (id int PRIMARY KEY, note text, z int);")
    config = load_config(pair.config(tmp_path))
    options = MigrateOptions(live=True, batch_size=150, jobs=1)
    observe.fail("batch.committed")
    with pytest.raises(TranshipError):
        await migrate(config, options)
    written = await pair.new.value("SELECT count(*) FROM t")
    assert 0 < written < 10000
    await pair.new.run("ANALYZE")
    result, _ = await migrate(config, options)
    assert result.status == "done" and await pair.new.value("SELECT count(note) FROM t") == 200
