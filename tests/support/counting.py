"""A proxy that counts what a client asks of a server, and that makes the way to it as long as a network's.

Round trips are counted, not guessed from a time: one begins when the client sends something after the server has answered. So
rows that stream through COPY count once, however many packets they are, and statements that are sent together count once, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

_CHUNK: Final = 1 << 16
_IN_FLIGHT: Final = 64
"""Chunks on their way in one direction; a network holds about as much before its sender waits."""
_HEAD: Final = 5
"""Bytes before a message's body: its type and its length."""
_SHOWN: Final = 100
"""Characters of a statement by which it is known."""
_NAMES: Final = re.compile(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'|\b\d+\b|--[^\n]*')
_SPACE: Final = re.compile(r"\s+")


def kind(statement: str) -> str:
    """Returns the beginning of a statement without its names and values: statements that differ in these alone are of one kind."""
    return _SPACE.sub(" ", _NAMES.sub("…", statement)).strip()[:_SHOWN]


@dataclass
class Counts:
    """What all connections through a proxy asked."""

    connections: int = 0
    statements: Counter[str] = field(default_factory=Counter)
    """By kind; a statement counts each time it is parsed."""
    trips: Counter[str] = field(default_factory=Counter)
    """Round trips, by the kind of the statement for which they were needed."""

    @property
    def round_trips(self) -> int:
        """Returns the round trips of all connections."""
        return sum(self.trips.values())

    def table(self, most: int = 25) -> str:
        """Returns the kinds that needed the most round trips, a line each."""
        lines = [
            f"{trips:7d} {self.statements[name]:7d}  {name}" for name, trips in self.trips.most_common(most)
        ]
        return "\n".join([f"{self.round_trips} round trips, {self.connections} connections", *lines])


class _Requests:
    """Reads the statements out of what a client sends, however it is cut into chunks."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._pending = b""
        self._skip = 0
        self._started = False
        self.last = "(connect)"

    def feed(self, data: bytes) -> None:
        """Takes the next chunk."""
        if self._skip >= len(data):
            self._skip -= len(data)
            return
        self._pending += data[self._skip :]
        self._skip = 0
        while len(self._pending) >= _HEAD:
            if not self._started:
                length, self._started = int.from_bytes(self._pending[:4], "big"), True
                self._drop(length)
                continue
            code, length = self._pending[:1], 1 + int.from_bytes(self._pending[1:_HEAD], "big")
            if code in b"QP":
                if len(self._pending) < length:
                    return
                self._statement(code, self._pending[_HEAD:length])
            self._drop(length)

    def _drop(self, length: int) -> None:
        self._skip = max(0, length - len(self._pending))
        self._pending = self._pending[length:]

    def _statement(self, code: bytes, body: bytes) -> None:
        parts = body.split(b"\0")
        self.last = kind(parts[0 if code == b"Q" else 1].decode(errors="replace"))
        self._counts.statements[self.last] += 1


class CountingProxy:
    """Stands between clients and ``host:port`` in a thread of its own, from ``with`` to its end.

    ``round_trip``: seconds that a request and its answer need together for the way, besides the server's own time.
    """

    def __init__(self, host: str, port: int, *, round_trip: float = 0.0) -> None:
        self.counts = Counts()
        self._to = (host, port)
        self._delay = round_trip / 2
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def address(self) -> dict[str, object]:
        """Returns host and port for an endpoint of a configuration."""
        return {"host": "127.0.0.1", "port": self.port}

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        links: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            links.add(task)
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await self._link(reader, writer)
            links.discard(task)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in links:
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _link(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(*self._to)
        self.counts.connections += 1
        requests, answered = _Requests(self.counts), [True]

        def asked(data: bytes) -> None:
            requests.feed(data)
            if answered[0]:
                self.counts.trips[requests.last] += 1
            answered[0] = False

        def answers(_: bytes) -> None:
            answered[0] = True

        ways = [
            asyncio.ensure_future(way)
            for way in (
                self._forward(client, to_server, asked),
                self._forward(server, to_client, answers),
            )
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_client.close()
            to_server.close()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Callable[[bytes], None]
    ) -> None:
        """Passes on what arrives, each chunk after the delay, and chunks on their way at the same time."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_IN_FLIGHT)

        async def deliver() -> None:
            while True:
                when, data = await queue.get()
                if not data:
                    return
                left = when - self._loop.time()
                if left > 0:
                    await asyncio.sleep(left)
                writer.write(data)
                await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            while data := await reader.read(_CHUNK):
                seen(data)
                await queue.put((self._loop.time() + self._delay, data))
            await queue.put((0.0, b""))
            await delivering
        finally:
            delivering.cancel()
