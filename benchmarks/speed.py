"""How fast rows move: ``benchmarks/speed.py [--rows N] [--rounds N]``, tranship beside plain pipes, as ratios
within one round.

Two embedded servers, loopback, ``fsync`` off on both. A narrow table whose types widen, and a wide one of
long texts. In every round each contender moves the same rows into the emptied table; its time is divided by
that of ``psql | psql`` (COPY out, COPY in, the same casts) in the same round, and the median of the ratios is
shown. tranship's time is that of the whole process: start, comparing, asking both servers for rows that would
be refused, counting, journal. ``client CPU`` is that of all processes outside the servers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from tranship.demo.servers import Installation, Server, installations  # noqa: E402

PIPE = "psql to psql"
DUMP = "pg_dump to pg_restore"


@dataclass(frozen=True)
class Load:
    """One table on both sides and what fills OLD's."""

    name: str
    old: str
    new: str
    rows: str
    columns: str
    share: float
    """Of the rows asked for."""


NARROW = Load(
    "narrow: 7 columns, types widen",
    "CREATE TABLE load (id integer PRIMARY KEY, customer integer NOT NULL, sku varchar(20), qty smallint,"
    " price numeric(10,2), at timestamp, ok boolean)",
    "CREATE TABLE load (id bigint PRIMARY KEY, customer bigint NOT NULL, sku text, qty integer,"
    " price numeric(12,2), at timestamp, ok boolean)",
    "SELECT n, n % 100000, 'sku-' || n % 5000, n % 50, (n % 10000) / 100.0,"
    " timestamp '2020-01-01' + n * interval '1 second', n % 3 = 0"
    " FROM generate_series(1, {rows}) n",
    "id, customer, sku, qty, price, at, ok",
    1.0,
)
WIDE = Load(
    "wide: texts of 2 KB",
    "CREATE TABLE load (id integer PRIMARY KEY, title varchar(200), body text)",
    "CREATE TABLE load (id bigint PRIMARY KEY, title text, body text)",
    "SELECT n, 'title ' || n, repeat(md5(n::text), 64) FROM generate_series(1, {rows}) n",
    "id, title, body",
    0.1,
)


@dataclass(frozen=True)
class Taken:
    """What one contender needed."""

    seconds: float
    cpu: float
    """Of the client, seconds."""


@dataclass(frozen=True)
class Ground:
    """The two servers and a folder for files."""

    old: Server
    new: Server
    programs: Installation
    folder: Path

    def contend(self, name: str, load: Load) -> Taken:
        """Lets one contender move the table."""
        return timed(self._commands(load)[name], self.folder)

    def _commands(self, load: Load) -> dict[str, str]:
        psql, dump, restore = (
            self.programs.bindir / program for program in ("psql", "pg_dump", "pg_restore")
        )
        old, new = self.old.url("load"), self.new.url("load")
        tranship = f"{sys.executable} -m tranship migrate {self.folder / 'config.json'} --live"
        copy = f"-c 'COPY (SELECT {load.columns} FROM load) TO STDOUT'"
        return {
            PIPE: f"{psql} -qX {old} {copy} | {psql} -qX {new} -c 'COPY load ({load.columns}) FROM STDIN'",
            DUMP: f"{dump} -Fc -Z0 -a -t load {old} | {restore} -a -d {new}",
            "tranship --jobs 1": f"{tranship} --jobs 1",
            "tranship --jobs 4": f"{tranship} --jobs 4",
        }

    def write_config(self) -> None:
        """For tranship."""
        sides = {"old_database": self.old.url("load"), "new_database": self.new.url("load")}
        text = json.dumps({side: {"url": url, "sslmode": "disable"} for side, url in sides.items()})
        (self.folder / "config.json").write_text(text)
        (self.folder / "config.json").chmod(0o600)


def timed(command: str, folder: Path) -> Taken:
    """Returns what a shell command needed; one that fails ends the benchmark."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")
    return Taken(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


async def run(server: Server, *statements: str, database: str = "load") -> object:
    """Runs statements as superuser and returns the first value of the last one."""
    conn = await asyncpg.connect(server.url(database))
    try:
        found: object = None
        for statement in statements:
            found = await conn.fetchval(statement)
        return found
    finally:
        await conn.close()


async def measure(ground: Ground, load: Load, rows: int, rounds: int) -> dict[str, list[Taken]]:
    """Every contender in every round, each into an empty table that holds all rows afterwards."""
    for server in (ground.old, ground.new):
        await run(server, "DROP DATABASE IF EXISTS load", "CREATE DATABASE load", database="postgres")
    await run(
        ground.old,
        load.old,
        f"INSERT INTO load {load.rows.format(rows=rows)}",
        "VACUUM ANALYZE load",
        "CHECKPOINT",
    )
    await run(ground.new, load.new)
    taken: dict[str, list[Taken]] = {}
    for _ in range(rounds):
        for name in (PIPE, DUMP, "tranship --jobs 1", "tranship --jobs 4"):
            await run(ground.new, "TRUNCATE load", "DROP SCHEMA IF EXISTS _tranship CASCADE", "CHECKPOINT")
            taken.setdefault(name, []).append(await asyncio.to_thread(ground.contend, name, load))
            there = await run(ground.new, "SELECT count(*) FROM load")
            if there != rows:
                raise SystemExit(f"{name}: {there} of {rows} rows arrived")
    return taken


def table(load: Load, rows: int, taken: dict[str, list[Taken]]) -> str:
    """Ratios as a Markdown table; the reference's own seconds in its row."""
    reference = taken[PIPE]
    lines = [f"{load.name}, {rows} rows", "", "| | time / psql | client CPU, s |", "|---|---:|---:|"]
    for name, mine in taken.items():
        ratio = statistics.median(
            one.seconds / other.seconds for one, other in zip(mine, reference, strict=True)
        )
        own = f" ({statistics.median(one.seconds for one in mine):.1f} s)" if mine is reference else ""
        lines.append(f"| {name} | {ratio:.2f}{own} | {statistics.median(one.cpu for one in mine):.2f} |")
    return "\n".join(lines)


def main() -> int:
    """Measures both loads and prints their tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rows", type=int, default=2_000_000, help="of the narrow table; the wide one has a tenth"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    there = installations()
    clients = [
        one
        for one in there.values()
        if all((one.bindir / program).is_file() for program in ("psql", "pg_dump", "pg_restore"))
    ]
    if len(there) < 2 or not clients:
        raise SystemExit("two major versions are needed, and psql, pg_dump and pg_restore of one of them")
    older, newer = sorted(there)[-2:]
    with (
        Server(there[older], name="old") as old,
        Server(there[newer], name="new") as new,
        tempfile.TemporaryDirectory(prefix="tranship-speed-") as folder,
    ):
        ground = Ground(old, new, clients[-1], Path(folder))
        ground.write_config()
        print(f"PostgreSQL {older} -> {newer}, {os.cpu_count()} cores, median of {options.rounds} rounds\n")
        for load in (NARROW, WIDE):
            rows = int(options.rows * load.share)
            print(
                table(load, rows, asyncio.run(measure(ground, load, rows, options.rounds))),
                end="\n\n",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
