"""Property: a shop's rows, moved from its first day's schema into its last day's, are what thirty migrations
of its own made of them.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from long.properties.history import History, history
from support import Database, MakePair
from tranship import api
from tranship.config import load_config
from tranship.model.options import MigrateOptions


@pytest.mark.parametrize("seed", range(4))
async def test_rows_arrive_as_the_shop_made_them(make_pair: MakePair, tmp_path: Path, seed: int) -> None:
    await check(make_pair, tmp_path, history(seed, swaps=True))


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1000, 1100))
async def test_rows_of_many_shops(make_pair: MakePair, tmp_path: Path, seed: int) -> None:
    await check(make_pair, tmp_path, history(seed, swaps=True))


async def check(make_pair: MakePair, folder: Path, told: History) -> None:
    """The shop itself is evolved with its rows; OLD keeps the first day, NEW gets the last day's schema
    and the tables of reference.
    """
    evolved = "\n".join(told.statements)
    pair = await make_pair(told.creation + told.rows, told.creation + evolved)
    shop = (await make_pair(told.creation + told.rows + evolved, "")).old
    for table in told.reference:
        rows = await shop.value(f"SELECT jsonb_agg(t)::text FROM {table} t")
        await pair.new.fetch(
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)",
            rows,
        )
    config = load_config(pair.config(folder))
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"resolutions": told.decisions}))
    analysis = await api.analyze(config, results_dir=str(folder))
    assert [
        p for p in await asyncio.to_thread(api.validate, answers, analysis.changes_path) if not p.warning
    ] == []
    for live in (False, True):
        result, _ = await api.migrate(
            config, MigrateOptions(live=live, resolutions=str(answers), results_dir=str(folder))
        )
        assert (result.exit_status, result.stats.rows_failed) == (0, 0)
    for table in told.tables:
        assert await contents(pair.new, table) == await contents(shop, table), table


async def contents(database: Database, table: str) -> list[tuple[Any, ...]]:
    """Rows by their key, columns by name: their places differ where one was dropped."""
    return await database.fetch(f"SELECT to_jsonb(t) FROM {table} t ORDER BY id")
