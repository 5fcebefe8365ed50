"""Sessions of a simulated NEW: transactions with row locks, answers that get lost, backends
that outlive their client.

It understands exactly the statements that the engine sends, by their text, and refuses any other.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from long.simulation.world import Row, Transaction, Violation, World
from tranship.model.locator import Locator
from tranship.sql import session as statements
from tranship.sql.ctid import page_and_line, parse, render
from tranship.sql.queries import query

LETTERS = {
    "set": "s",
    "fence": "f",
    "claim": "c",
    "copy": "p",
    "constraints": "k",
    "reject": "r",
    "count": "n",
    "triggers": "t",
}
ORDER = re.compile("bs+fcp?kr?tn")
"""A batch transaction from BEGIN to before its COMMIT, a letter a statement. Nothing is copied where no row of
the batch arrives.
"""
ANY_ORDER = re.compile(".*")
"""For the broken twins, which the invariants alone are to catch."""
LOCK_TIMEOUT = 3.0
_NAME = '{"schema": "public", "name": "t"}'
SHARED_TASK = {"old_table": _NAME, "new_table": _NAME, "flow_name": "", "replica": False, "exports": []}
"""The one flow of the run."""


class Session:
    """One backend of NEW and the client's end of its connection:
    what asyncpg's Connection is to the engine.
    """

    def __init__(self, world: World, client: str, alive: Callable[[], bool]) -> None:
        self.world = world
        self.client = client
        self.alive = alive
        self.gone = False
        self.closed = False
        self.work: Transaction | None = None
        self.pid = len(world.sessions) + 1
        world.sessions.append(self)

    def end(self) -> None:
        """The backend ends; its open transaction is rolled back."""
        self.gone = self.closed = True
        self.work = None
        self.world.release(self)

    def is_closed(self) -> bool:
        """As asyncpg says it."""
        return self.closed

    def terminate(self) -> None:
        """The client closes; a backend notices in its own time."""
        if self.alive():
            self._cut()

    def get_server_pid(self) -> int:
        """Of the backend."""
        return self.pid

    def _cut(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_later(
                self.world.rng.uniform(0, self.world.faults.latest_zombie), self.end
            )

    async def execute(self, sql: str, *values: Any) -> str:
        """Statements without rows; several of them are one message."""

        async def apply() -> None:
            for part in sql.split("; "):
                await self._statement(part, values)

        await self._call(sql, apply)
        return ""

    async def fetchval(self, sql: str, *values: Any) -> Any:
        """The first value, or None."""
        return await self._call(sql, lambda: self._statement(sql, values))

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        """The first row."""
        return await self._call(sql, lambda: self._statement(sql, values))

    async def fetch(self, sql: str, *values: Any) -> Any:
        """All rows."""
        return await self._call(sql, lambda: self._statement(sql, values))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """As asyncpg's, without nesting."""
        await self.execute(statements.BEGIN_BATCH)
        try:
            yield
        except BaseException:
            if not self.closed and self.alive():
                await self.execute("ROLLBACK")
            raise
        await self.execute("COMMIT")

    async def copy_to_table(self, table: str, *, source: AsyncIterator[bytes], **_: object) -> str:
        """COPY FROM STDIN, of rows or of the journal's rejects: what the source gives until it ends; a source that fails makes it fail."""
        rows: list[Locator] = []

        async def take() -> str:
            async for chunk in source:
                rows.extend(Locator(0, tuple(map(int, line.split(b",")))) for line in chunk.splitlines())
            return f"COPY {len(rows)}"

        said = await take()

        async def apply() -> str:
            work = self._open("reject" if table == "reject" else "copy")
            if table == "reject":
                work.rejects += rows
                return said
            if self.world.faults.fits is not None and len(rows) > self.world.faults.fits:
                raise asyncpg.QueryCanceledError("canceling statement due to user request")
            work.rows += rows
            return said

        return str(await self._call("COPY", apply))

    def _open(self, said: str) -> Transaction:
        if self.work is None:
            raise Violation(f"{said} outside a transaction")
        self.work.said += LETTERS[said]
        return self.work

    async def _call(self, _: str, apply: Callable[[], Awaitable[Any]]) -> Any:
        """Request, work, answer; each may be lost, and the client may be dead before any of them."""
        world, rng = self.world, self.world.rng
        await asyncio.sleep(rng.uniform(0.0005, 0.004))
        if not self.alive():
            await asyncio.Event().wait()
        if self.closed:
            raise asyncpg.InterfaceError("connection is closed")
        if rng.random() < world.faults.lost_request:
            self._cut()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        lost = rng.random() < world.faults.lost_answer
        serving = asyncio.ensure_future(self._serve(apply))
        try:
            answer = await asyncio.shield(serving)
        except asyncio.CancelledError:
            serving.add_done_callback(_heard)
            raise
        if lost or self.closed:
            self._cut()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        if not self.alive():
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _serve(self, apply: Callable[[], Awaitable[Any]]) -> Any:
        await asyncio.sleep(self.world.rng.uniform(0, 0.002))
        if self.gone:
            return asyncpg.ConnectionDoesNotExistError("server closed the connection unexpectedly")
        try:
            return await apply()
        except asyncpg.PostgresError as error:
            return error
        except Violation as violation:
            self.world.violations.append(str(violation))
            raise

    async def _statement(self, sql: str, values: tuple[Any, ...]) -> Any:
        """One of the engine's statements."""
        world = self.world
        match sql:
            case statements.BEGIN_BATCH:
                if self.work is not None:
                    raise Violation("BEGIN inside a transaction")
                self.work = Transaction(said="b")
            case "COMMIT":
                work, self.work = self.work, None
                assert work is not None
                if work.batch is not None and work.counts is not None and not ORDER.fullmatch(work.said):
                    raise Violation(f"a batch transaction went {work.said}")
                world.commit(work, self.client)
                world.release(self)
            case "ROLLBACK":
                self.work = None
                world.release(self)
            case statements.CONSTRAINTS_NOW:
                self._open("constraints")
            case statements.AS_LOGIN_ROLE | statements.AS_DEFAULT_ROLE:
                pass
            case _ if sql.startswith("SET LOCAL "):
                self._open("set")
            case _:
                return await self._work_on(sql, values)
        return None

    async def _work_on(self, sql: str, values: tuple[Any, ...]) -> Any:
        """What waits for locks and changes something, or looks in the middle of that."""
        world, known = self.world, self.world.sql
        match sql:
            case _ if sql == query("triggers_firing"):
                self._open("triggers")
                return []
            case known.fence:
                self._open("fence")
                await world.lock(self, "run", "S", LOCK_TIMEOUT)
                if world.store.epoch != values[1]:
                    return None
                self._work().epoch = values[1]
                return values[1]
            case known.claim_batch:
                self._open("claim")
                number = values[2]
                await world.lock(self, f"batch {number}", "X", LOCK_TIMEOUT)
                row = world.batch(number)
                ends = tuple(render(end) if end is not None else None for end in (row.lo, row.hi))
                if row.state != "todo" or ends != values[3:]:
                    return None
                work = self._work()
                work.batch, work.epoch = number, work.epoch if work.epoch is not None else self._unfenced()
                return number
            case known.count_batch:
                work = self._open("count")
                work.counts = values[3:]
                return [len(world.history)]
            case known.shorten_batch:
                return await self._shorten(*values[2:6])
            case known.raise_epoch:
                await world.lock(self, "run", "X", None)
                raised = world.store.epoch + 1
                if self.work is None:
                    try:
                        world.commit(Transaction(raised=raised), self.client)
                    finally:
                        world.release(self)
                return raised
            case known.end_run:
                await world.lock(self, "run", "X", None)
                if world.store.epoch == values[1]:
                    self._work().ended = values[2]
                return None
            case _:
                return self._question(sql, values)

    def _question(self, sql: str, values: tuple[Any, ...]) -> Any:
        """What the journal holds, and who is connected."""
        world, known = self.world, self.world.sql
        match sql:
            case known.lost_batches:
                return sum(world.store.batches[number].state != "done" for number in values[2])
            case known.lost_ends:
                return 0
            case known.share_run | known.leave_worker:
                return None
            case known.share_present | known.enter_worker:
                return world.store.epoch == values[1] or None
            case known.workers_of_run | known.held_in:
                return []
            case known.shared_task:
                return dict(SHARED_TASK) if world.store.epoch == values[1] else None
            case known.rejects_of_batch:
                inside = world.batch(values[2])
                return [_rejected(row, values[2]) for row in sorted(world.store.rejects) if inside.holds(row)]
            case known.batch:
                return self._row(values[2])
            case known.batch_from:
                starts = [
                    n
                    for n, row in world.store.batches.items()
                    if row.lo is not None and render(row.lo) == values[3]
                ]
                return self._row(starts[0]) if starts else None
            case known.reserve_number:
                return world.reserve_number()
            case known.predicted_in:
                lowest, highest = values[3:5], values[5:7]
                return [
                    _predicted(row)
                    for row in sorted(world.rejected)
                    if lowest <= page_and_line(row) < highest
                ]
            case known.batches:
                return [self._row(number) for number in sorted(world.store.batches)]
            case _ if sql == query("terminate_backends"):
                ended = [
                    session for session in world.sessions if session.pid in values[0] and not session.gone
                ]
                for session in ended:
                    session.end()
                return ended
            case _:
                raise Violation(f"an unknown statement: {sql}")

    async def _shorten(self, number: int, rows_so_far: int, hi: str, rows: int) -> int | None:
        await self.world.lock(self, f"batch {number}", "X", LOCK_TIMEOUT)
        row = self.world.batch(number)
        if row.state != "todo" or row.count != rows_so_far:
            return None
        self._work().shortened = (number, parse(hi), rows)
        return number

    async def executemany(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Batches for the journal."""

        async def apply() -> None:
            assert sql == self.world.sql.insert_batch, sql
            for _, _, number, _, lo, hi, count, *_ in rows:
                await self.world.lock(self, f"batch {number}", "X", LOCK_TIMEOUT)
                if number in self.world.store.batches:
                    raise asyncpg.UniqueViolationError(f"batch {number} is there")
                self._work().added[number] = Row(parse(lo) if lo else None, parse(hi) if hi else None, count)

        await self._call("batches", apply)

    def _work(self) -> Transaction:
        assert self.work is not None
        return self.work

    def _unfenced(self) -> int:
        """The epoch that a session believes in when nobody asked: that of its client."""
        return self.world.believed[self.client]

    def _row(self, number: int) -> dict[str, Any]:
        row = self.world.batch(number)
        counts = row.counts or (None,) * 8
        return {
            "position": 0,
            "number": number,
            "source": 0,
            "lo": render(row.lo) if row.lo is not None else None,
            "hi": render(row.hi) if row.hi is not None else None,
            "row_count": row.count,
            "state": row.state,
            **dict(zip(("read", "written", "rejected", "bytes", "seconds"), counts[2:7], strict=True)),
            "xids": [],
            "hash0": None,
        }


def _predicted(row: Locator) -> dict[str, Any]:
    page, line = page_and_line(row)
    return {
        "source": 0,
        "page": page,
        "line": line,
        "rank": 0,
        "sqlstate": "23514",
        "column_name": None,
        "constraint_name": None,
        "message": b"no",
    }


def _rejected(row: Locator, batch: int) -> dict[str, Any]:
    return {**_predicted(row), "position": 0, "batch": batch, "old_key": None, "old_row": b"{}"}


def _heard(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
