"""A TCP proxy in front of a server that fails at a chosen moment, once, and is transparent before and after."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


@dataclass
class Proxy:
    """Between tranship and ``host:port``. ``fault`` is one of ``commit request`` (the k-th COMMIT never arrives), ``commit answer`` (it arrives,
    its answer does not), ``close after`` (an orderly close once k bytes went down to the client on one connection), ``stall`` (the same, but
    silence instead of a close)."""

    host: str
    port: int
    fault: str
    k: int
    seen: int = 0
    struck: bool = False
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()

    @property
    def address(self) -> dict[str, object]:
        """For an endpoint."""
        assert self._server is not None
        return {"host": "127.0.0.1", "port": self._server.sockets[0].getsockname()[1]}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(self.host, self.port)
        self._writers += [writer, up_writer]
        cut = asyncio.Event()
        mine: list[bool] = []
        ways = (self._up(reader, up_writer, cut, mine), self._down(up_reader, writer, cut, mine), cut.wait())
        tasks = [asyncio.ensure_future(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in (writer, up_writer):
            end.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event, mine: list[bool]) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if COMMIT in data and self.fault.startswith("commit"):
                    self.seen += 1
                    if self.seen == self.k and not self.struck:
                        self.struck = True
                        mine.append(True)
                        if self.fault == "commit answer":
                            writer.write(data)
                            await writer.drain()
                            await asyncio.sleep(0.3)
                        cut.set()
                        return
                writer.write(data)
                await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event, mine: list[bool]) -> None:
        passed = 0
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if mine:
                    await cut.wait()
                    return
                passed += len(data)
                if self.fault in ("close after", "stall") and passed >= self.k and not self.struck:
                    self.struck = True
                    if self.fault == "stall":
                        await asyncio.sleep(600)
                    cut.set()
                    return
                writer.write(data)
                await writer.drain()
