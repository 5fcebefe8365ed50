"""A database that is renamed stays itself; one that was restored elsewhere is another,
and no row comes twice or goes for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, Database, MakePair, Pair, connected
from support.runs import migrate
from tranship.config import load_config
from tranship.errors import Refused
from tranship.execution.rollback.command import rollback

Run = Callable[..., CliResult]
OLD = "CREATE TABLE log (line text); INSERT INTO log SELECT 'line ' || n FROM generate_series(1, 300) n"
NEW = "CREATE TABLE log (line text)"


async def half(make_pair: MakePair, run_cli: Run, folder: Path) -> Pair:
    """A keyless table, half of which is moved: nothing in NEW would refuse it a second time."""
    pair = await make_pair(OLD, NEW)
    command = (run_cli, "migrate", pair.config(folder), "--live", "--batch-size", "50", "--jobs", "1")
    await asyncio.to_thread(*command, env={"TRANSHIP_FAILPOINT": "batch.committed:3:kill"})
    assert await pair.new.value("SELECT count(*) FROM log") == 150
    return pair


@pytest.mark.parametrize("side", ["old", "new"])
async def test_a_database_that_was_renamed_meanwhile(
    make_pair: MakePair, run_cli: Run, tmp_path: Path, side: str
) -> None:
    pair = await half(make_pair, run_cli, tmp_path)
    database: Database = getattr(pair, side)
    later = Database(database.server, f"{database.name}_renamed")
    renamed = Pair(later, pair.new) if side == "old" else Pair(pair.old, later)
    async with connected(database.server) as conn:
        await conn.execute(f'ALTER DATABASE "{database.name}" RENAME TO "{later.name}"')
        try:
            for _ in range(2):
                result = await migrate(renamed, tmp_path)
                assert (result.exit_status, result.stats.rows_migrated) == (0, 300)
            assert await renamed.new.fetch("SELECT count(*), count(DISTINCT line) FROM log") == [(300, 300)]
        finally:
            await conn.execute(f'ALTER DATABASE "{later.name}" RENAME TO "{database.name}"')


async def test_an_old_that_was_restored_elsewhere_meanwhile(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await half(make_pair, run_cli, tmp_path)
    moved = Pair((await make_pair(OLD, NEW)).old, pair.new)
    with pytest.raises(Refused) as refused:
        await migrate(moved, tmp_path)
    assert refused.value.code == "TS376"
    assert "rollback" in refused.value.hint
    assert await pair.new.value("SELECT count(*) FROM log") == 150
    await rollback(load_config(moved.config(tmp_path)), live=True)
    assert (await migrate(moved, tmp_path)).exit_status == 0
    assert await pair.new.fetch("SELECT count(*), count(DISTINCT line) FROM log") == [(300, 300)]


async def test_a_new_that_is_a_copy_takes_nothing_back(make_pair: MakePair, tmp_path: Path) -> None:
    """As a dump restored on another server stands: the journal came along, the numbers of its transactions
    are other rows' here.
    """
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    await pair.new.run("INSERT INTO log VALUES ('of somebody else')")
    await pair.new.run("UPDATE _tranship.run SET new_identity = '1/' || new_identity")
    await pair.new.run(
        "UPDATE _tranship.batch SET xids = ARRAY[(SELECT xmin::text::bigint FROM log WHERE line LIKE 'of%')]"
    )
    config = load_config(pair.config(tmp_path))
    for live in (False, True):
        with pytest.raises(Refused) as refused:
            await rollback(config, live=live)
        assert refused.value.code == "TS351"
    assert await pair.new.value("SELECT count(*) FROM log") == 301
