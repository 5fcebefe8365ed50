"""A run that goes on names the rows that it rejects as an undisturbed one does: by a key, wherever one is known."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair

OLD = """
CREATE TABLE held (id integer PRIMARY KEY, n text);
CREATE TABLE bare (id integer, n text);
CREATE TABLE loose (n text);
INSERT INTO held SELECT n, CASE WHEN n IN (299, 300) THEN 'none' ELSE n::text END FROM generate_series(1, 300) n;
INSERT INTO bare TABLE held;
INSERT INTO loose SELECT n FROM held;
"""
NEW = """
CREATE TABLE held (id integer PRIMARY KEY, n integer);
CREATE TABLE bare (id integer PRIMARY KEY, n integer);
CREATE TABLE loose (n integer);
"""


async def test_rows_are_named_by_a_key(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    number = {"action": "transform", "old_column": "n", "new_column": "n"}
    decided = tmp_path / "answers.json"
    decided.write_text(json.dumps({"resolutions": {name: [number] for name in ("held", "bare", "loose")}}))
    config = pair.config(tmp_path)
    command = ("migrate", config, "--live", "--resolutions", decided, "--batch-size", "50", "--jobs", "1")
    killed = run_cli(*command, env={"TRANSHIP_FAILPOINT": "batch.committed:2:kill"})
    assert killed.status == -signal.SIGKILL, killed
    done = run_cli(*command)
    assert done.status == 1, done
    told = [line for line in done.stderr.splitlines() if line.startswith("rejected [")]
    for table in ("held", "bare"):
        assert [line for line in told if f"public.{table}] id=299: " in line], told
        assert [line for line in told if f"public.{table}] id=300: " in line], told
    # No key of either side tells these rows from others.
    assert [line for line in told if "public.loose] row (1," in line], told
