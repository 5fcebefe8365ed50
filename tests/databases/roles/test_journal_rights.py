"""The journal's own commands for a role that may not read it: a sentence, no traceback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support import CliResult, MakePair
from support.runs import migrate

TABLE = "CREATE TABLE t (id int PRIMARY KEY)"


async def test_default_privileges_let_nobody_in(make_pair: MakePair, tmp_path: Path) -> None:
    """It holds rejected rows whole."""
    pair = await make_pair(TABLE, TABLE)
    role = f'"re{{port}}ing {pair.new.name}"'
    await pair.new.run(f"CREATE ROLE {role}; ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {role}")
    await pair.new.run(
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role};"
        " ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"
    )
    await migrate(pair, tmp_path)
    grants = (
        "SELECT relname::text, relacl::text FROM pg_class"
        " WHERE relnamespace = '_tranship'::regnamespace AND relacl::text ~ 'ing|=r/'"
    )
    assert await pair.new.fetch(grants) == []
    assert (
        await pair.new.fetch(
            "SELECT 1 FROM pg_namespace WHERE nspname = '_tranship' AND nspacl::text ~ 'ing'"
        )
        == []
    )


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["verify"],
        ["doctor"],
        ["doctor", "--restore"],
        ["rollback"],
        ["rollback", "--live"],
        ["purge"],
    ],
)
async def test_told_in_words(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, command: list[str]
) -> None:
    pair = await make_pair(TABLE, TABLE)
    await migrate(pair, tmp_path)
    role = f"stranger_{pair.new.name}"
    await pair.new.run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    config = pair.config(tmp_path, new={"username": role, "password": "secret"})
    told = await asyncio.to_thread(run_cli, command[0], config, *command[1:])
    assert told.status == 3, told
    assert "TS367 the journal schema _tranship in NEW belongs to postgres" in told.stderr
    assert f'GRANT USAGE ON SCHEMA "_tranship" TO "{role}"' in told.stderr
    assert "TS900" not in told.stderr
    assert "File " not in told.stderr
