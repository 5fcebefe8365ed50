"""Servers and proxies that announce their version in other words, or not at all."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import pytest

from support import MakePair, Pair
from support.proxy import Proxy
from support.runs import migrate
from tranship.config import load_config
from tranship.errors import ConnectError
from tranship.server import connect as connecting
from tranship.server.connect import connect


@pytest.mark.parametrize(
    "announced", ["17.2 (Distribution 17.2-1.pgdg120+1)", "10devel", "Fork 2.1", "18beta1"]
)
async def test_a_version_in_other_words_is_asked_for_as_a_number(
    make_pair: MakePair, tmp_path: Path, announced: str
) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 500)",
        "CREATE TABLE t (id bigint PRIMARY KEY)",
    )
    server = pair.old.server
    async with Proxy(server.host, server.port, announces={"server_version": announced}) as proxy:
        result = await migrate(pair, tmp_path, old=proxy.address)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 500)
    assert result.old.server_version // 10000 == server.major


@pytest.mark.parametrize(
    ("announced", "words"),
    [
        (None, "does not say which version of PostgreSQL it is"),
        ("", "calls its version '', which is none of PostgreSQL"),
        ("devel", "calls its version 'devel', which is none of PostgreSQL"),
    ],
)
async def test_no_version_that_can_be_read(
    pair: Pair, tmp_path: Path, announced: str | None, words: str
) -> None:
    server = pair.old.server
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with Proxy(server.host, server.port, announces={"server_version": announced}) as proxy:
            config = load_config(pair.config(tmp_path, old=proxy.address))
            with pytest.raises(ConnectError) as refused:
                await connect(config.old)
        gc.collect()
    assert refused.value.code == "TS213"
    assert words in refused.value.message
    assert "connect to the server itself" in refused.value.hint


async def test_an_encoding_that_is_not_announced_is_asked_for(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'café')",
        "CREATE TABLE t (id bigint PRIMARY KEY, v text)",
        encodings=("SQL_ASCII", "UTF8"),
    )
    server = pair.old.server
    async with Proxy(server.host, server.port, announces={"server_encoding": None}) as proxy:
        assert (await migrate(pair, tmp_path, old=proxy.address)).exit_status == 0
    assert await pair.new.value("SELECT v FROM t") == "café"


async def test_a_server_that_is_too_old(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "OLDEST", 990000)
    config = load_config(pair.config(tmp_path))
    with pytest.raises(ConnectError, match="version 11 or newer is needed") as refused:
        await connect(config.new)
    assert refused.value.code == "TS213"
