"""A server that ends a session while it is asked: the message says what the server said, of which database, and
what to do. The end of the transaction, which the driver can no longer reach, must not hide that.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from support import MakePair
from support.runs import migrate
from tranship import api
from tranship.analysis import reached, sides
from tranship.config import load_config
from tranship.errors import ConnectError
from tranship.model.names import Side
from tranship.model.resolution import Problem
from tranship.server.connect import connect

analyze = sys.modules["tranship.api.analyze"]
SCHEMA = "CREATE TABLE t (id int PRIMARY KEY, name text)"
ENDING = "SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()), pg_catalog.pg_sleep(5)"
SAID = "terminating connection due to administrator command (SQLSTATE 57P01)"


def ends_before(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *databases: str) -> None:
    """Has the session end itself before it is asked what a function of ``module`` asks, in some databases; the first
    argument of that function is the connection, or both.
    """
    real = getattr(module, name)

    async def ended(open_: Any, *more: Any, **named: Any) -> Any:
        conn = getattr(open_, "old", open_)
        if await conn.fetchval("SELECT pg_catalog.current_database()") in databases:
            await conn.execute(ENDING)
        return await real(open_, *more, **named)

    monkeypatch.setattr(module, name, ended)


async def test_a_transaction_does_not_hide_why_it_ended(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(SCHEMA, SCHEMA)
    conn = await connect(load_config(pair.config(tmp_path)).old)
    with pytest.raises(asyncpg.ConnectionDoesNotExistError, match="administrator"):
        async with conn.transaction(), conn.transaction():
            await conn.execute(ENDING)
    conn = await connect(load_config(pair.config(tmp_path)).old)
    with pytest.raises(ZeroDivisionError):
        async with conn.transaction():
            conn.terminate()
            raise ZeroDivisionError
    conn = await connect(load_config(pair.config(tmp_path)).old)
    with pytest.raises(asyncpg.InterfaceError):
        # Nothing else says that the block's work is lost.
        async with conn.transaction():
            conn.terminate()


@pytest.mark.parametrize(("module", "name"), [(sides, "read_catalog"), (analyze, "gather")])
async def test_analyze(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    pair = await make_pair(SCHEMA, SCHEMA)
    ends_before(monkeypatch, module, name, pair.old.name)
    config = load_config(pair.config(tmp_path))
    with pytest.raises(ConnectError) as caught:
        await api.analyze(config, results_dir=str(tmp_path))
    told(caught.value.problems[0], config.old.display)


@pytest.mark.parametrize("live", [False, True])
async def test_migrate(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    pair = await make_pair(SCHEMA, SCHEMA)
    ends_before(monkeypatch, sides, "read_catalog", pair.old.name)
    with pytest.raises(ConnectError) as caught:
        await migrate(pair, tmp_path, live=live)
    told(caught.value.problems[0], load_config(pair.config(tmp_path)).old.display)


async def test_ping(make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = await make_pair(SCHEMA, SCHEMA)
    ends_before(monkeypatch, reached, "read_catalog", pair.old.name, pair.new.name)
    config = load_config(pair.config(tmp_path))
    found = await api.ping(config)
    assert (found.old, found.new, found.exit_status) == (None, None, 2)
    for problem, end in zip(found.problems, (config.old, config.new), strict=True):
        told(problem, end.display, end.side)


async def test_ping_between_the_sides(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(SCHEMA, SCHEMA)
    ends_before(monkeypatch, reached, "refuse_same_database", pair.old.name)
    config = load_config(pair.config(tmp_path))
    found = await api.ping(config)
    told(found.problems[0], config.old.display)


def told(problem: Problem, place: str, side: Side = Side.OLD) -> None:
    assert problem.code == "TS202" and SAID in problem.message
    assert problem.message.startswith(f"{side.value.upper()} database {place}: ")
    assert "run the same command again" in problem.hint and "report" not in problem.hint
