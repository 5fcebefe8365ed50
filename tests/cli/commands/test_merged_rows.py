"""What status and the end of a run say of rows that were merged into others: the counts add up."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from support import MakePair, run_here

OLD = """
CREATE TABLE tag (id int PRIMARY KEY, name text); INSERT INTO tag VALUES (1, 'a'), (2, 'A'), (3, 'b');
CREATE TABLE thing (id int PRIMARY KEY, tag int REFERENCES tag); INSERT INTO thing VALUES (1, 2), (2, 3);
"""
NEW = """
CREATE TABLE tag (id int PRIMARY KEY, name text);
CREATE TABLE thing (id int PRIMARY KEY, tag int REFERENCES tag);
"""
MERGED = {"action": "merge", "key": ["lower(old.name)"], "repoint_children": True}


def test_what_became_of_the_rows_of_a_merge_adds_up(make_pair: MakePair, tmp_path: Path) -> None:
    pair = asyncio.run(make_pair(OLD, NEW))
    pair.config(tmp_path)
    (tmp_path / "decided.json").write_text(json.dumps({"resolutions": {"tag": [MERGED]}}))
    words = ("migrate", "config.json", "--resolutions", "decided.json")
    for more, written in (((), "To write"), (("--live",), "Written")):
        moved = run_here(*words, *more, cwd=tmp_path)
        assert moved.status == 0, moved
        lines = [line.split() for line in moved.stdout.splitlines()]
        assert ["Table", "Read", *written.split(), "Rejected", "Left", "out", "Merged"] in lines, moved
        assert ["public.tag", "3", "2", "0", "0", "1"] in lines, moved
    state = run_here("status", "config.json", cwd=tmp_path)
    assert "public.tag: done, 3 read = 2 written + 0 rejected + 1 merged\n" in state.stdout, state
    assert "public.thing: done, 2 read = 2 written + 0 rejected\n" in state.stdout, state
