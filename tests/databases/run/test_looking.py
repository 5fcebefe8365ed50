"""Commands that only look take no lock that a run may need in that moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

from support import MakePair
from support.runs import migrate
from tranship.config import load_config
from tranship.execution.resilience.writer_lock import lock_number
from tranship.execution.upkeep.doctor import examine
from tranship.execution.upkeep.status import status
from tranship.model.names import TableName
from tranship.model.undo import TriggerDisabled
from tranship.server.journal import Journal, Run
from tranship.sql.session import TRY_LOCK, UNLOCK

TABLE = "CREATE TABLE t (id int PRIMARY KEY)"


async def test_status_and_doctor_leave_the_writer_lock_alone(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(TABLE, TABLE)
    await migrate(pair, tmp_path)
    async with pair.new.connect() as conn:
        ran = await conn.fetchval("SELECT id FROM _tranship.run")
        off = TriggerDisabled(TableName("public", "t"), "none", "O")
        await Journal("_tranship").write_undo(conn, ran, off)
    config = load_config(pair.config(tmp_path))
    (state,) = await status(config)
    run: Run = state.run
    key, looks = lock_number(run.old_identity, run.new_identity), 40
    looking = [asyncio.create_task(_often(command, config, looks)) for command in (status, examine)]
    refused = 0
    async with pair.new.connect() as conn:
        while not all(task.done() for task in looking):
            if await conn.fetchval(TRY_LOCK, key):
                await conn.fetchval(UNLOCK, key)
            else:
                refused += 1
        assert refused == 0
        assert not state.running
        await conn.fetchval(TRY_LOCK, key)
        assert [s.running for s in await status(config)] == [False], (
            "another process holds it: this run is over"
        )
        await conn.execute("UPDATE _tranship.run SET state = 'running', finished = NULL")
        assert [s.running for s in await status(config)] == [True]
        assert [d.running for d in await examine(config)] == [True]
    await asyncio.gather(*looking)


async def _often(command: object, config: object, looks: int) -> None:
    for _ in range(looks):
        await command(config)  # type: ignore[operator]
