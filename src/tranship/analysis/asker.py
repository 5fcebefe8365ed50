"""Questions to the data within a time limit: each statement in a read-only transaction of its own; what has
no answer is recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import asyncpg
from msgspec.json import decode, encode

from tranship.model.names import Side
from tranship.server.trouble import is_lost, spoken
from tranship.sql.casts import ANSWER, GIVE, refused_texts
from tranship.sql.evidence import bounded_transaction

Rows = Sequence[Mapping[str, object]]


class Asker:
    """Puts statements to both servers until a common time limit is reached."""

    def __init__(self, conns: Mapping[Side, asyncpg.Connection], seconds: float) -> None:
        self._conns = conns
        self._seconds = seconds
        self._end = asyncio.get_running_loop().time() + seconds
        self._not_asked: list[str] = []

    @property
    def not_asked(self) -> tuple[str, ...]:
        """What was left without an answer, each once, with the reason."""
        return tuple(dict.fromkeys(self._not_asked))

    @property
    def failures(self) -> int:
        """How many questions had no answer so far."""
        return len(self._not_asked)

    def leave(self, what: str, why: str) -> None:
        """Records a question that is not put, with the reason."""
        self._not_asked.append(f"{what}: {why}")

    async def ask(
        self,
        side: Side,
        what: str,
        text: str,
        *arguments: object,
        refused: list[asyncpg.PostgresError] | None = None,
    ) -> Rows | None:
        """Returns the rows of one statement, or None where there is no answer; ``what`` then stands in
        ``not_asked`` with the reason.

        What the server says to the values themselves goes to ``refused`` where that is given.
        """
        return await self._bounded(side, what, lambda conn: conn.fetch(text, *arguments), refused)

    async def refused(
        self, side: Side, what: str, type_text: str, texts: Sequence[str]
    ) -> Sequence[int] | None:
        """Returns the positions, from 0, of the texts that are no values of a type; None where there is no
        answer.

        ``type_text`` is the type as ``format_type`` prints it.
        """

        async def tried(conn: asyncpg.Connection) -> Rows:
            await conn.fetch(GIVE, encode(texts).decode())
            await conn.execute(refused_texts(type_text))
            rows: Rows = await conn.fetch(ANSWER)
            return rows

        rows = await self._bounded(side, what, tried)
        if rows is None:
            return None
        (answer,) = rows[0].values()
        return [at for at, _ in decode(str(answer), type=list[tuple[int, str]])]

    async def _bounded(
        self,
        side: Side,
        what: str,
        action: Callable[[asyncpg.Connection], Awaitable[Rows]],
        refused: list[asyncpg.PostgresError] | None = None,
    ) -> Rows | None:
        left = min(self._end - asyncio.get_running_loop().time(), max(self._seconds / 4, 1.0))
        if left <= 0:
            self._not_asked.append(f"{what}: the time limit of {self._seconds:g} s was reached")
            return None
        try:
            return await self._within(self._conns[side], left, action)
        except asyncpg.QueryCanceledError:
            self._not_asked.append(f"{what}: took longer than {left:.0f} s")
        except asyncpg.DataError as error:
            if refused is not None:
                refused.append(error)
            else:
                self._not_asked.append(f"{what}: {side.value.upper()} says: {spoken(error)}")
        except (asyncpg.PostgresError, UnicodeDecodeError) as error:
            if is_lost(error):
                raise
            self._not_asked.append(f"{what}: {side.value.upper()} says: {spoken(error)}")
        return None

    async def _within(
        self,
        conn: asyncpg.Connection,
        left: float,
        action: Callable[[asyncpg.Connection], Awaitable[Rows]],
    ) -> Rows:
        # One round trip begins the transaction and bounds it: over 10 ms of latency each further one would
        # cost a third of the questions.
        await conn.execute(bounded_transaction(max(int(left * 1000), 1)))
        try:
            return await action(conn)
        finally:
            if not conn.is_closed():
                await conn.execute("ROLLBACK")
