"""The two databases of a case: making, loading, asking and fingerprinting them with the servers' own psql
and pg_dump.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from support import Database, Pair, Servers, connected
from support.cases.case import Case, Script, SideName
from tranship.demo.servers import Server
from tranship.sql.quote import ident, literal

_NOT_BUILT = re.compile(
    r"unsupported XML feature|ICU is not supported|extension .* is not available|could"
    r" not open extension control file"
)
_NOISE = re.compile(r"^(--|\\(un)?restrict )")
JOURNAL = "_tranship"


class NotBuilt(Exception):
    """This server lacks a feature that the case needs."""


def _program(
    database: Database, program: str, arguments: Sequence[str], script: str = "", **env: str
) -> subprocess.CompletedProcess[bytes]:
    server = database.server
    login = {
        "PGHOST": str(server.socket_folder),
        "PGPORT": str(server.port),
        "PGUSER": server.user,
        "PGDATABASE": database.name,
        "PGCLIENTENCODING": "UTF8",
        "PGOPTIONS": "-c client_min_messages=warning",
    }
    return subprocess.run(
        [server.installation.bindir / program, *arguments],
        env={**os.environ, **login, **env},
        input=_bytes(script),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def _text(output: bytes) -> str:
    return output.decode("utf-8", errors="surrogateescape")


def load(database: Database, script: str) -> None:
    """Runs a script of a case, psql commands included.

    Raises:
        NotBuilt: the server was built without something it asks for.
        RuntimeError: the script fails; the text is psql's.
    """
    done = _program(database, "psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], script)
    if done.returncode != 0:
        said = _text(done.stdout)
        if _NOT_BUILT.search(said):
            raise NotBuilt(said.strip().splitlines()[-1])
        raise RuntimeError(said)


def ask(database: Database, script: str) -> str:
    """Returns what psql prints, errors included."""
    return _text(_program(database, "psql", ["-A", "-t", "-X", "-f", "-"], script, PGOPTIONS="").stdout)


def fingerprint(database: Database) -> str:
    """Returns a hash of schema and rows, the journal apart; equal before and after means untouched."""
    # The bytes as they are: those of a SQL_ASCII database need not be text in any encoding.
    options = ["--no-comments", "--exclude-schema", JOURNAL]
    done = _program(database, "pg_dump", options, PGCLIENTENCODING="SQL_ASCII")
    if done.returncode != 0:
        raise RuntimeError(_text(done.stdout))
    lines = (line for line in _text(done.stdout).splitlines() if not _NOISE.match(line))
    return hashlib.sha256(_bytes("\n".join(lines))).hexdigest()


def has_journal(database: Database) -> bool:
    """Whether a run left its journal there."""
    return bool(
        asyncio.run(database.value("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", JOURNAL))
    )


async def _try_xml(database: Database) -> None:
    """A server without libxml makes tables with xml columns, and fails on their first value.

    Raises:
        NotBuilt: there are such columns and such a server.
    """
    if await database.value(
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE atttypid = 'xml'::regtype AND attrelid > 16383)"
    ):
        try:
            await database.value("SELECT '<a/>'::xml IS NULL")
        except asyncpg.FeatureNotSupportedError as error:
            raise NotBuilt(f"PostgreSQL {database.server.major}: {error}") from error


@contextmanager
def staged(case: Case, servers: Servers, majors: tuple[int, int] | None = None) -> Iterator[tuple[Pair, int]]:
    """Yields the pair of databases with the case's first scripts run, and how many steps these were.

    Without ``majors`` the servers are the default ones or, where these lack a feature, others at hand.
    The databases and the case's roles are dropped at the end.

    Raises:
        NotBuilt: no server here has it.
    """
    choices = _choices(case, servers, majors)
    opening = next((n for n, step in enumerate(case.steps) if not isinstance(step, Script)), len(case.steps))
    for number, choice in enumerate(choices, 1):
        made: dict[SideName, Database] = {}
        try:
            try:
                _make(case, servers, choice, made)
                for step in case.steps[:opening]:
                    assert isinstance(step, Script)
                    load(made[step.side], step.text)
                for database in made.values():
                    asyncio.run(_try_xml(database))
            except NotBuilt:
                if number == len(choices):
                    raise
                continue
            yield Pair(made["old"], made["new"]), opening
            return
        finally:
            for database in made.values():
                asyncio.run(servers.drop(database))
            for server in {database.server.port: database.server for database in made.values()}.values():
                asyncio.run(_drop_roles(server, case))
    raise NotBuilt("no PostgreSQL on this machine")


def _choices(case: Case, servers: Servers, majors: tuple[int, int] | None) -> list[tuple[int, int]]:
    """The pairs of versions to try, the first that has all features is taken."""
    only = case.only_on
    if only is not None:
        if only not in servers.installed or majors not in (None, (only, only)):
            raise NotBuilt(f"its expectation holds on PostgreSQL {only} alone")
        return [(only, only)]
    if majors is not None:
        missing = sorted(set(majors) - set(servers.installed))
        if missing:
            raise NotBuilt(f"no PostgreSQL {missing[0]} on this machine")
        return [majors]
    old, new = servers.default_majors
    return list(dict.fromkeys([(old, new), (old, old), *((one, one) for one in servers.installed)]))


def _make(case: Case, servers: Servers, majors: tuple[int, int], made: dict[SideName, Database]) -> None:
    """Makes both databases and the case's roles; each is in ``made`` as soon as it exists."""
    for name, major in (("old", majors[0]), ("new", majors[1])):
        side = case.databases.side(name)
        made[name] = asyncio.run(servers.create(major, encoding=side.encoding))
        asyncio.run(_make_roles(made[name].server, case))
        for setting, value in side.settings.items():
            target = f"ALTER DATABASE {ident(made[name].name)} SET {ident(setting)}"
            asyncio.run(made[name].run(f"{target} = {literal(value)}"))


async def _make_roles(server: Server, case: Case) -> None:
    async with connected(server) as conn:
        for role, attributes in case.databases.roles.items():
            if not await conn.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role):
                await conn.execute(f"CREATE ROLE {ident(role)} LOGIN PASSWORD 'secret' {attributes}")


async def _drop_roles(server: Server, case: Case) -> None:
    async with connected(server) as conn:
        for role in case.databases.roles:
            await conn.execute(f"DROP ROLE IF EXISTS {ident(role)}")


def write_config(case: Case, pair: Pair, folder: Path, keys: dict[str, object]) -> Path:
    """Writes the configuration of the case with further keys, and returns its path."""

    def endpoint(name: SideName) -> dict[str, object]:
        login = case.databases.login(name)
        words = {"username": login.user, "password": login.password} if login else {}
        return {key: text.replace("${", "$${") for key, text in words.items()}

    return pair.config(folder, old=endpoint("old"), new=endpoint("new"), **keys)


@contextmanager
def running(script: Path | None, database: Database, *arguments: str) -> Iterator[None]:
    """A shell script of the case in the background, psql on its PATH; nothing without one."""
    if script is None:
        yield
        return
    path = f"{database.server.installation.bindir}:{os.environ.get('PATH', os.defpath)}"
    child = subprocess.Popen(
        ["bash", str(script), *arguments], env={**os.environ, "PATH": path}, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()
