"""The sums of a batch are computed on a connection of their own while its rows are copied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair
from support.observe import Observe
from support.runs import migrate

OLD = """
    CREATE TABLE item (id int PRIMARY KEY, v text);
    INSERT INTO item SELECT g, 'text ' || g FROM generate_series(1, 3000) g
"""
NEW = "CREATE TABLE item (id bigint PRIMARY KEY, v text)"


async def test_rows_are_copied_while_their_sums_are_computed(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    copied = asyncio.Event()
    passed: list[str] = []

    async def strike(place: str) -> None:
        if place == "batch.copied":
            copied.set()
        if place == "batch.hashing":
            # Were the sums computed first, the rows would wait for them, and they for the rows.
            await asyncio.wait_for(copied.wait(), 60)
        passed.append(place)

    observe(strike)
    result = await migrate(pair, tmp_path, batch_size=5000)
    assert (result.exit_status, result.tables[0].verified) == (0, True)
    assert passed.index("batch.copied") < passed.index("batch.hashing") < passed.index("batch.committed")


async def test_where_old_grants_no_further_connection_the_reader_hashes_them(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """The run has one session beside its snapshot, two that hold the snapshot, and a reader."""
    pair = await make_pair(OLD, NEW)
    role = f"four_{pair.old.name}"
    await pair.old.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret' CONNECTION LIMIT 4; GRANT SELECT ON item TO {role}"
    )
    result = await migrate(pair, tmp_path, old={"username": role, "password": "secret"}, batch_size=1500)
    assert (result.exit_status, result.tables[0].verified) == (0, True)
    assert await pair.new.value("SELECT count(*) FROM _tranship.batch WHERE hash0 IS NOT NULL") == 2


@pytest.mark.parametrize("what", ["kill", "raise"])
async def test_a_run_that_ends_while_rows_are_hashed_is_resumed(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, what: str
) -> None:
    pair = await make_pair(OLD, NEW)
    command = ["migrate", pair.config(tmp_path), "--live", "--batch-size", "1000"]
    struck = run_cli(*command, env={"TRANSHIP_FAILPOINT": f"batch.hashing:2:{what}"})
    assert struck.status not in (0, 1)
    result = await migrate(pair, tmp_path, batch_size=1000)
    assert (result.exit_status, result.tables[0].verified) == (0, True)
    assert await pair.new.value("SELECT count(*) FROM item") == 3000
