"""What the loop says of errors that nobody waits for."""

from __future__ import annotations

import asyncio
import gc

import asyncpg
import pytest

from tranship.cli.loop import run


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (asyncpg.ConnectionDoesNotExistError("closed in the middle"), False),
        (asyncpg.InterfaceError("x"), False),
        (ValueError("y"), True),
    ],
)
def test_connections_that_were_given_up_are_not_told(
    caplog: pytest.LogCaptureFixture, error: Exception, told: bool
) -> None:
    async def work(_: asyncio.Event) -> int:
        abandoned = asyncio.get_running_loop().create_future()
        abandoned.set_exception(error)
        del abandoned
        gc.collect()
        await asyncio.sleep(0)
        return 3

    assert run(work) == 3
    assert bool(caplog.records) is told
