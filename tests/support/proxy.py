"""A TCP proxy in front of a server that fails at a chosen moment, once, and is transparent before
and after.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

COMMITS = (b"Q\x00\x00\x00\x0bCOMMIT\x00", b"Q\x00\x00\x00\x0cCOMMIT;\x00")
BACKEND = b"K\x00\x00\x00\x0c"
"""How the message begins that tells the process id."""
FAULTS = (
    "commit request",
    "commit answer",
    "close after",
    "close in copy",
    "reset down",
    "reset up",
    "stall",
)
HEAD = 5
"""Bytes before a message's body: its type and its length."""


@dataclass
class CopyData:
    """Counts the bytes of COPY data in a stream of the server's messages,
    however they are cut into chunks.
    """

    counted: int = 0
    _head: bytes = b""
    _left: int = 0
    _kind: int = 0

    def feed(self, data: bytes) -> None:
        """The next chunk."""
        while data:
            if self._left == 0:
                take = HEAD - len(self._head)
                self._head, data = self._head + data[:take], data[take:]
                if len(self._head) < HEAD:
                    return
                self._kind, self._left = self._head[0], int.from_bytes(self._head[1:], "big") - 4
                self._head = b""
            body, data = data[: self._left], data[self._left :]
            self._left -= len(body)
            self.counted += len(body) if self._kind == ord("d") else 0


@dataclass
class Proxy:
    """Between tranship and ``host:port``; ``fault`` strikes once, the first time it applies to a connection.

    ``commit request``: the k-th COMMIT never arrives · ``commit answer``: it arrives,
    its answer does not · ``close after``: an orderly close once k bytes went down to the client · ``close
    in copy``: the same once k bytes of COPY data did · ``reset down``, ``reset up``:
    a TCP reset once k bytes went that way · ``stall``: silence both ways once k bytes went down.
    ``delay`` seconds are added to every chunk, always. ``lingers``: a server's last words arrive,
    that it closed the connection does not, until the client ends it. ``alias``:
    the process id that clients are told in place of the server's, as poolers do. ``announces``:
    settings that the server announces to clients in other words, or (None) not at all.
    """

    host: str
    port: int
    fault: str = ""
    k: int = 1
    delay: float = 0.0
    lingers: bool = False
    alias: int = 0
    announces: Mapping[str, str | None] = field(default_factory=dict)
    seen: int = 0
    """COMMITs so far."""
    struck: bool = False
    _links: list[_Link] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for link in self._links:
            link.end(reset=False)

    @property
    def address(self) -> dict[str, object]:
        """For an endpoint."""
        assert self._server is not None
        return {"host": "127.0.0.1", "port": self._server.sockets[0].getsockname()[1]}

    def strike(self, fault: str, *, reached: bool) -> bool:
        """True for the one caller to whom the fault happens now."""
        if self.struck or self.fault != fault or not reached:
            return False
        self.struck = True
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.close()
            return
        link = _Link(self, reader, writer, up_reader, up_writer)
        self._links.append(link)
        await link.run()


@dataclass
class _Link:
    """One connection through the proxy."""

    proxy: Proxy
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    mute: bool = False
    """The next thing the server says is the last it says, and nobody hears it."""
    named: bool = False
    """The client was told which process serves it."""
    fatal: bool = False
    """The server said why it ends the session."""

    async def run(self) -> None:
        """Until either side ends or the fault does."""
        up, _ = tasks = [asyncio.ensure_future(way) for way in (self._up(), self._down())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if self.proxy.lingers and self.fatal:
            await asyncio.wait([up])
        for task in tasks:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        self.end(reset="reset" in found)

    def end(self, *, reset: bool) -> None:
        """Closes both sides, in order or with a reset."""
        for writer in (self.to_client, self.to_server):
            sock = writer.get_extra_info("socket")
            if reset and sock is not None:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()

    async def _up(self) -> str:
        passed = 0
        proxy = self.proxy
        with contextlib.suppress(ConnectionError):
            while data := await self.client.read(65536):
                await asyncio.sleep(proxy.delay)
                passed += len(data)
                commits = any(commit in data for commit in COMMITS)
                proxy.seen += commits
                if proxy.strike("reset up", reached=passed >= proxy.k):
                    return "reset"
                if proxy.strike("commit request", reached=commits and proxy.seen >= proxy.k):
                    return "reset"
                self.mute = self.mute or proxy.strike(
                    "commit answer", reached=commits and proxy.seen >= proxy.k
                )
                self.to_server.write(data)
                await self.to_server.drain()
        return ""

    async def _down(self) -> str:
        passed, copied = 0, CopyData()
        proxy = self.proxy
        with contextlib.suppress(ConnectionError):
            while data := await self.server.read(65536):
                if self.mute:
                    return "reset"
                await asyncio.sleep(proxy.delay)
                data = self._announced(self._renamed(data))
                passed += len(data)
                copied.feed(data)
                self.fatal = self.fatal or b"VFATAL\x00" in data
                if proxy.strike("reset down", reached=passed >= proxy.k):
                    return "reset"
                if proxy.strike("close in copy", reached=copied.counted >= proxy.k) or proxy.strike(
                    "close after", reached=passed >= proxy.k
                ):
                    self.to_client.write(data[: len(data) // 2])
                    return ""
                if proxy.strike("stall", reached=passed >= proxy.k):
                    await asyncio.Event().wait()
                self.to_client.write(data)
                await self.to_client.drain()
        return ""

    def _announced(self, data: bytes) -> bytes:
        for name, words in self.proxy.announces.items():
            at = data.find(name.encode() + b"\x00") - HEAD
            if at < 0 or data[at : at + 1] != b"S":
                continue
            end = at + 1 + int.from_bytes(data[at + 1 : at + HEAD], "big")
            body = b"" if words is None else name.encode() + b"\x00" + words.encode() + b"\x00"
            told = b"S" + (len(body) + 4).to_bytes(4, "big") + body if words is not None else b""
            data = data[:at] + told + data[end:]
        return data

    def _renamed(self, data: bytes) -> bytes:
        at = data.find(BACKEND) if self.proxy.alias and not self.named else -1
        if at < 0:
            return data
        self.named = True
        number = at + len(BACKEND)
        return data[:number] + self.proxy.alias.to_bytes(4, "big") + data[number + 4 :]
