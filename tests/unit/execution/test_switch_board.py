"""What is said of switches when NEW is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from tranship.execution.switches.switch_board import SwitchBoard
from tranship.model.notes import NotRestored
from tranship.model.progress import Noted
from tranship.server.journal import Journal


class Losing:
    """A session that is lost after it was asked so many times; the journal holds no entry."""

    def __init__(self, answers: int) -> None:
        self.left = answers

    async def work(self, what: str, action: Callable[[Any], Awaitable[Any]]) -> Any:
        if self.left == 0:
            raise asyncpg.InterfaceError("connection is closed")
        self.left -= 1
        return ()


def board(told: list[Noted]) -> SwitchBoard:
    return SwitchBoard(Journal("_tranship"), "1", None, told.append)


async def test_nothing_is_said_where_nothing_was_off() -> None:
    told: list[Noted] = []
    switches, session = board(told), Losing(1)
    assert not await switches.anything_off(session)
    await switches.on_after_failure(session)
    assert told == []


async def test_what_may_be_off_is_told() -> None:
    told: list[Noted] = []
    await board(told).on_after_failure(Losing(0))
    assert [type(one.what) for one in told] == [NotRestored]
