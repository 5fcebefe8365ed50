"""The two databases of a case: loading, asking and fingerprinting them with the servers' own psql and pg_dump."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from support import CliResult, Database, Pair, Servers, run_here
from support.cases.case import ONLY_ON, Case

_NOT_BUILT = re.compile(
    r"unsupported XML feature|ICU is not supported|extension .* is not available|could not open extension control file"
)
_NOISE = re.compile(r"^(--|\\(un)?restrict )")
JOURNAL = "_tranship"


class NotBuilt(Exception):
    """This server lacks a feature that the case needs."""


def _program(
    database: Database, program: str, arguments: Sequence[str], **env: str
) -> subprocess.CompletedProcess[str]:
    server = database.server
    login = {
        "PGHOST": str(server.socket_folder),
        "PGPORT": str(server.port),
        "PGUSER": server.user,
        "PGDATABASE": database.name,
    }
    return subprocess.run(
        [server.installation.bindir / program, *arguments],
        env={
            **os.environ,
            **login,
            "PGCLIENTENCODING": "UTF8",
            "PGOPTIONS": "-c client_min_messages=warning",
            **env,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def load(database: Database, script: Path) -> None:
    """Runs a case's script, psql commands included.

    Raises:
        NotBuilt: the server was built without something it asks for.
    """
    done = _program(database, "psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)])
    if done.returncode != 0:
        if _NOT_BUILT.search(done.stdout):
            raise NotBuilt(done.stdout.strip().splitlines()[-1])
        raise RuntimeError(f"{script}: {done.stdout}")


def ask(database: Database, script: Path) -> str:
    """What psql prints, errors included."""
    return _program(database, "psql", ["-A", "-t", "-X", "-f", str(script)], PGOPTIONS="").stdout


def fingerprint(database: Database) -> str:
    """A hash of schema and rows, the journal apart; equal before and after means untouched."""
    done = _program(database, "pg_dump", ["--no-comments", "--exclude-schema", JOURNAL])
    if done.returncode != 0:
        raise RuntimeError(done.stdout)
    lines = (line for line in done.stdout.splitlines() if not _NOISE.match(line))
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


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


def make_pair(case: Case, servers: Servers, majors: tuple[int, int] | None = None) -> Pair:
    """The loaded pair on ``majors``; without, on the default ones or, where these lack a feature, on others at hand.

    Raises:
        NotBuilt: no server here has it.
    """
    only = ONLY_ON.get(case.name)
    if only is not None and (only not in servers.installed or majors not in (None, (only, only))):
        raise NotBuilt(f"its expectation holds on PostgreSQL {only} alone")
    old, new = (only, only) if only else servers.default_majors
    choices = dict.fromkeys(
        [majors] if majors else [(old, new), (old, old), *((major, major) for major in servers.installed)]
    )
    for number, choice in enumerate(choices, 1):
        made = []
        try:
            for side, major in zip(("old", "new"), choice, strict=True):
                made.append(asyncio.run(servers.create(major, encoding=case.encoding(side), template=False)))
                load(made[-1], case.folder / f"{side}.sql")
                asyncio.run(_try_xml(made[-1]))
        except NotBuilt:
            for database in made:
                asyncio.run(servers.drop(database))
            if number == len(choices):
                raise
        else:
            return Pair(*made)
    raise NotBuilt("no PostgreSQL on this machine")


def write_config(case: Case, pair: Pair, folder: Path, *, new_login: Mapping[str, str] | None = None) -> Path:
    """The configuration of the case; ``new_login`` replaces its own user for NEW."""

    def endpoint(login: Mapping[str, str]) -> dict[str, object]:
        keys = {"username": login.get("user"), "password": login.get("password")}
        return {key: text.replace("${", "$${") for key, text in keys.items() if text}

    return pair.config(folder, old=endpoint(case.login("old")), new=endpoint(new_login or case.login("new")))


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


@dataclass(frozen=True)
class Commands:
    """The commands of one run in a folder of their own."""

    folder: Path
    config: Path
    resolutions: Path | None

    def analyze(self) -> CliResult:
        return self._tranship("analyze", str(self.config), "--prefix", "case")

    def validate(self) -> CliResult:
        return self._tranship(
            "resolve", "validate", str(self.resolutions), "results/case_migration_changes.json"
        )

    def migrate(self, *options: str, undecided: bool = False, resolutions: Path | None = None) -> CliResult:
        decided = None if undecided else resolutions or self.resolutions
        given = ["--resolutions", str(decided)] if decided else []
        return self._tranship("migrate", str(self.config), "--prefix", "case", *given, *options)

    def has_analysis(self) -> bool:
        """Whether analyze wrote its two files."""
        return all(
            (self.folder / "results" / f"case_migration_{name}").is_file()
            for name in ("report.txt", "changes.json")
        )

    def changes(self) -> dict[str, object]:
        """The changes file."""
        document: dict[str, object] = json.loads(
            (self.folder / "results" / "case_migration_changes.json").read_text(encoding="utf-8")
        )
        return document

    def report(self) -> str:
        """The report's text."""
        return (self.folder / "results" / "case_migration_report.txt").read_text(encoding="utf-8")

    def _tranship(self, *arguments: str) -> CliResult:
        return run_here(*arguments, cwd=self.folder)
