"""All wrong entries of a resolutions file are named at once, whoever can tell what is wrong with each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair

RunCli = Callable[..., CliResult]
OLD = "CREATE TABLE t (id int PRIMARY KEY, a text, b text, c text, d text); INSERT INTO t VALUES (1, 'x', 'y', 'z', 'w');"
NEW = """
CREATE DOMAIN short AS text CHECK (length(VALUE) < 3);
CREATE TABLE t (id int PRIMARY KEY, n inet NOT NULL, s short NOT NULL, e text, f text, g text);
"""
BY_SERVERS = [
    {"action": "default", "new_column": "n", "default_value": "no address"},
    {"action": "transform", "old_column": "a", "new_column": "e", "transform_sql": "nowhere(old.a)"},
]
ENTRIES = [
    *BY_SERVERS,
    {"action": "default", "new_column": "s", "default_value": ["a", "b"]},
    {"action": "ignore", "old_column": "nope"},
    {"action": "ignor", "old_column": "b"},
]
NAMED = ["t[0] (t.n)", "transform_sql 'nowhere(old.a)'", "t[2].default_value", "t[3] (t.nope)", "t[4] (t.b)"]
"""How each of them is named, by its place or by its SQL."""


@pytest.mark.parametrize("call", ["migrate", "preview"])
async def test_a_run_names_all_wrong_entries_at_once(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path, call: str
) -> None:
    pair = await make_pair(OLD, NEW, template=False)
    config = pair.config(tmp_path)
    rest = [{"action": "ignore", "old_column": name} for name in "cd"]
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"t": [*ENTRIES, *rest]}}), encoding="utf-8")
    said = run_cli(call, config, "--resolutions", "r.json")
    assert said.status == 3
    assert [said.stderr.count(name) for name in NAMED] == [1] * len(NAMED), said.stderr


async def test_values_and_expressions_are_refused_beside_open_questions(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW, template=False)
    config = pair.config(tmp_path)
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"t": BY_SERVERS}}), encoding="utf-8")
    said = run_cli("migrate", config, "--resolutions", "r.json")
    assert said.status == 3
    assert "no address" in said.stderr and "nowhere(old.a)" in said.stderr
    assert "TS300" in said.stderr and "TS301 public.t.b" in said.stderr
