"""What a minor release notes for itself in the catalogs is no difference of the schemas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair

TABLE = "CREATE TABLE reading (id integer PRIMARY KEY, meter text, amount numeric);"
NOTED = """
SET allow_system_table_mods = on;
UPDATE pg_attribute SET attoptions = coalesce(attoptions, '{}') || ('pg_attver=' || (attnum * 1000 + 7))
  WHERE attrelid = 'reading'::regclass AND attnum > 0;
"""


async def test_notes_of_the_server_are_not_told_and_real_options_are(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(
        f"{TABLE} ALTER TABLE reading ALTER meter SET (n_distinct = 40); {NOTED}", TABLE, template=False
    )
    done = run_cli("analyze", pair.config(tmp_path))
    report = (tmp_path / "results/migration_report.txt").read_text(encoding="utf-8")
    assert done.status == 0
    assert "pg_attver" not in report
    assert "n_distinct=40" in report
    assert report.count("Storage") == 1, report
