"""What the benchmarks of whole runs have in common: two embedded servers, a database ``load`` on each, a
configuration of both, and processes whose seconds and CPU are measured.

Wall time of a machine that others use, too, says little. The CPU of all processes that take part (the
client's and both servers') says more: it is what a machine has to spend, whoever else waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import asyncpg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from tranship.demo.servers import Installation, Server, installations  # noqa: E402

TRANSHIP = f"{sys.executable} -m tranship"
_TICKS = os.sysconf("SC_CLK_TCK")
_ENDING = 0.2
"""Seconds that a server needs to end a session after its client has gone."""


@dataclass(frozen=True)
class Taken:
    """What one process, or one script of processes, needed. All values are seconds."""

    wall: float
    client: float
    """CPU of the processes outside of the servers."""
    old: float
    """CPU of OLD's server."""
    new: float
    """CPU of NEW's server."""

    @property
    def cpu(self) -> float:
        """Returns the CPU of all that took part."""
        return self.client + self.old + self.new


Measure = Callable[[Taken], float]
WALL: Measure = lambda taken: taken.wall  # noqa: E731
CPU: Measure = lambda taken: taken.cpu  # noqa: E731


@dataclass(frozen=True)
class Ground:
    """Two running servers and a folder for files."""

    old: Server
    new: Server
    programs: Installation
    """Where psql and the like are."""
    folder: Path
    majors: tuple[int, int]

    def psql(self, server: Server, *commands: str) -> str:
        """Returns a shell command that runs SQL commands, one after the other."""
        asked = " ".join(f"-c {quoted(command)}" for command in commands)
        return f"{self.programs.bindir / 'psql'} -qX -v ON_ERROR_STOP=1 {server.url('load')} {asked}"

    def pipe(self, select: str, *target: str, form: str = "text") -> str:
        """Returns a shell command that copies the rows of a SELECT; the last of ``target`` is the table."""
        read = self.psql(self.old, f"COPY ({select}) TO STDOUT (FORMAT {form})")
        *before, table = target
        return f"{read} | {self.psql(self.new, *before, f'COPY {table} FROM STDIN (FORMAT {form})')}"

    def write(self, name: str, content: Mapping[str, object]) -> Path:
        """Writes a JSON file that nobody else may read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(content))
        return path

    def configure(self, **more: object) -> Path:
        """Writes tranship's configuration of the two databases, with more entries."""
        sides = {"old_database": self.old, "new_database": self.new}
        ends = {side: {"url": server.url("load"), "sslmode": "disable"} for side, server in sides.items()}
        return self.write("config.json", {**ends, **more})

    def databases(self, old: Sequence[str], new: Sequence[str]) -> None:
        """Makes both databases anew, with these statements in each."""
        for server, statements in ((self.old, old), (self.new, new)):
            execute(server, "DROP DATABASE IF EXISTS load", "CREATE DATABASE load", database="postgres")
            execute(server, *statements, "VACUUM ANALYZE", "CHECKPOINT")

    def empty(self, *statements: str) -> None:
        """Brings NEW into the state before a contender starts: no journal, and what the statements do."""
        execute(self.new, "DROP SCHEMA IF EXISTS _tranship CASCADE", *statements, "CHECKPOINT")

    def timed(self, command: str) -> Taken:
        """Returns what a shell command needed; one that fails ends the benchmark."""
        # As a user's is: compiled once. Without it each start compiles every module.
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPATH"] = str(ROOT / "src")
        before, began = (_client(), _server(self.old), _server(self.new)), time.monotonic()
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")
        time.sleep(_ENDING)
        after = (_client(), _server(self.old), _server(self.new))
        client, old, new = (then - now for then, now in zip(after, before, strict=True))
        return Taken(wall, client, old, new)

    def about(self, rounds: int) -> str:
        """Returns one line about the servers, the machine and its load."""
        load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
        return (
            f"PostgreSQL {self.majors[0]} -> {self.majors[1]}, Python {platform.python_version()},"
            f" {os.cpu_count()} cores, load {load} before the start, median of {rounds} rounds"
        )


def quoted(text: str) -> str:
    """Returns a text as one word of the shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """Returns what reads the options of a benchmark of whole runs, with those that all of them have."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument(
        "--pair", type=int, nargs=2, metavar=("OLD", "NEW"), help="major versions; else the two newest"
    )
    return parser


@contextmanager
def ground(*programs: str, pair: Sequence[int] | None = None) -> Iterator[Ground]:
    """Two servers of a pair of major versions, else of the two newest, with these client programs beside
    the server's.
    """
    there = installations()
    clients = [one for one in there.values() if all((one.bindir / name).is_file() for name in programs)]
    if len(there) < 2 or not clients:
        raise SystemExit(f"two major versions are needed, and {', '.join(programs)} of one of them")
    older, newer = pair or sorted(there)[-2:]
    if not {older, newer} <= there.keys():
        raise SystemExit(f"the servers at hand are of the versions {', '.join(map(str, sorted(there)))}")
    with (
        Server(there[older], name="old") as old,
        Server(there[newer], name="new") as new,
        tempfile.TemporaryDirectory(prefix="tranship-bench-") as folder,
    ):
        made = Ground(old, new, clients[-1], Path(folder), (older, newer))
        made.configure()
        made.timed(f"{sys.executable} -m compileall -q {ROOT / 'src'}")
        yield made


def _client() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _server(server: Server) -> float:
    """Returns the CPU of a server and of all sessions that it has and had."""
    used, ended = cpu_of(server.pid)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii").split()
    return used + ended + sum(cpu_of(int(child))[0] for child in children)


def cpu_of(pid: int) -> tuple[float, float]:
    """Returns the CPU seconds of a process and of its children which have ended; 0 when it has just ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    own_user, own_system, user, system = (int(field) / _TICKS for field in fields[11:15])
    return own_user + own_system, user + system


def execute(server: Server, *statements: str, database: str = "load") -> None:
    """Runs statements as superuser."""
    asyncio.run(_all(server, database, statements))


def fetch(server: Server, statement: str) -> tuple[object, ...]:
    """Returns the first row of a query in ``load``."""
    return tuple(asyncio.run(_all(server, "load", [statement])) or ())


async def _all(server: Server, database: str, statements: Iterable[str]) -> Sequence[object] | None:
    conn = await asyncpg.connect(server.url(database))
    try:
        found: Sequence[object] | None = None
        for statement in statements:
            found = await conn.fetchrow(statement)
        return found
    finally:
        await conn.close()


def counts(server: Server, tables: Sequence[str]) -> tuple[object, ...]:
    """Returns the number of rows of each table."""
    return fetch(server, f"SELECT {', '.join(f'(SELECT count(*) FROM {table})' for table in tables)}")


def ratio(mine: Sequence[Taken], reference: Sequence[Taken], of: Measure) -> str:
    """Returns the median of the ratios within one round, and the smallest and largest of several."""
    found = [of(one) / of(other) for one, other in zip(mine, reference, strict=True)]
    spread = f" ({min(found):.2f} – {max(found):.2f})" if len(found) > 1 else ""
    return f"{statistics.median(found):.2f}{spread}"


def middle(taken: Sequence[Taken], of: Measure) -> float:
    """Returns the median, in seconds."""
    return statistics.median(of(one) for one in taken)


HEADING = "time, × pipe | CPU, × pipe | wall, s | CPU client + OLD + NEW, s |\n|---|---:|---:|---:|---:|"


def line(name: str, mine: Sequence[Taken], reference: Sequence[Taken]) -> str:
    """Returns a row below ``HEADING``."""
    parts = " + ".join(
        f"{middle(mine, of):.2f}" for of in (lambda t: t.client, lambda t: t.old, lambda t: t.new)
    )
    ratios = f"{ratio(mine, reference, WALL)} | {ratio(mine, reference, CPU)}"
    return f"| {name} | {ratios} | {middle(mine, WALL):.1f} | {parts} |"


def resources(on: Ground, options: tuple[str, ...]) -> tuple[int, float]:
    """Returns the megabytes that a run needed at most, and the seconds of CPU of its process."""
    command = [sys.executable, "-m", "tranship", "migrate", "config.json", *options]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        command, cwd=on.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return used.ru_maxrss // 1024, used.ru_utime + used.ru_stime
