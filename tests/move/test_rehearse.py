"""A rehearsal says what the live run will say, and leaves NEW as it was."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from faults.scene import NEW, OLD, contents, definitions
from move.test_live import owned_by_a_plain_role
from support import MakePair
from tranship import api
from tranship.config import load_config
from tranship.model.options import MigrateOptions


@pytest.mark.parametrize("plain", [False, True])
async def test_a_rehearsal_equals_the_live_run_and_leaves_nothing(make_pair: MakePair, tmp_path: Path, plain: bool) -> None:
    pair = await make_pair(OLD, NEW + "CREATE TABLE counted (n serial, line text);")
    await pair.old.run("CREATE TABLE counted (line text); INSERT INTO counted SELECT 'x' FROM generate_series(1, 250)")
    config = load_config(pair.config(tmp_path, new=await owned_by_a_plain_role(pair) if plain else None))
    before, held = await definitions(pair.new), await contents(pair.new)

    async def run(**chosen: Any) -> list[object]:
        result, _ = await api.migrate(config, MigrateOptions(results_dir=str(tmp_path), batch_size=100, jobs=2, **chosen))
        assert result.exit_status == 1
        rejects = (await asyncio.to_thread(Path(str(result.rejects_file)).read_text)).splitlines()
        counts = [(t.table, t.rows_read, t.rows_migrated, t.rows_failed, t.rejects_by_reason) for t in result.tables]
        return [sorted(rejects), counts, result.sequences]

    rehearsed = await run(rehearse=True)
    assert await contents(pair.new) == held
    assert await definitions(pair.new) == before
    assert await pair.new.fetch("SELECT last_value, is_called FROM counted_n_seq") == [(1, False)]
    assert await pair.new.value("SELECT count(*) FROM pg_namespace WHERE nspname = '_tranship'") == 0
    assert await run(live=True) == rehearsed
