"""Keys WITHOUT OVERLAPS (PostgreSQL 18): a plain key of OLD over the same columns promises nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from support import MakePair, run_here

OLD = """create extension btree_gist; create table t (a int, r daterange, n int primary key, unique (a, r));
insert into t values (1, '[2020-01-01,2020-02-01)', 1), (1, '[2020-01-15,2020-03-01)', 2),
    (2, '[2020-01-15,2020-03-01)', 3)"""
NEW = (
    "create extension btree_gist;"
    " create table t (a int, r daterange, n int primary key,"
    " unique (a, r without overlaps))"
)


def test_the_dry_run_foresees_overlaps(make_pair: MakePair, tmp_path: Path) -> None:
    pair = asyncio.run(make_pair(OLD, NEW, majors=(17, 18), template=False))
    path = pair.config(tmp_path)
    seen = []
    for mode, options in (("dryrun", ()), ("live", ("--live",))):
        done = run_here("migrate", path, *options, cwd=tmp_path)
        (result,) = (tmp_path / "results").glob(f"*_result_{mode}_*.json")
        (table,) = json.loads(result.read_text())["tables"]
        seen.append((done.status, table["rows_migrated"], table["rejects_by_reason"]))
    assert seen[0] == seen[1] == (1, 2, {"23P01 t_a_r_key": 1})
