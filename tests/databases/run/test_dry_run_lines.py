"""What a dry run tells of single rows that would be rejected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair


async def test_rows_without_a_key_are_told_once_and_counted(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(
        "CREATE TABLE line (n int); INSERT INTO line SELECT n FROM generate_series(1, 9) n",
        "CREATE TABLE line (n int CONSTRAINT small CHECK (n < 4))",
    )
    told = run_cli("migrate", pair.config(tmp_path))
    lines = (told.stdout + told.stderr).splitlines()
    assert len([line for line in lines if "a row without a key" in line]) == 1, told
    assert any(line.startswith("rejected [public.line] 6 rows in all") for line in lines), told
