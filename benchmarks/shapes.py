"""How fast rows of several shapes move, tranship beside psql pipes and peers, as ratios within one round:
``benchmarks/shapes.py [--full] [--shape NAME] [--rows N] [--rounds N] [--jobs N]``.

Two embedded servers, loopback, ``fsync`` off on both. Every round lets each contender fill the emptied tables
with the same rows, one after the other, and divides its seconds by those of the psql pipes of the same round;
the median of the ratios is shown with the smallest and largest. tranship's time is that of the whole process:
start, comparing, data checks, counting, copying, foreign keys, journal. ``--full`` adds the shapes that take
long. pgcopydb takes part where it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))
sys.path.insert(0, str(ROOT / "benchmarks"))

from _shapes import FULL, SHORT, Copy, Shape  # noqa: E402

from tranship.demo.servers import Installation, Server, installations  # noqa: E402

PIPES = "psql pipes"
DUMP = "pg_dump to pg_restore"
PGCOPYDB = "pgcopydb copy table-data"
UNVERIFIED = "tranship --verify off"
VERIFIED = "tranship"


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
    jobs: int

    def contend(self, name: str, shape: Shape) -> Taken:
        """Lets one contender move the rows."""
        return _timed(self.commands(shape)[name], self.folder)

    def commands(self, shape: Shape) -> dict[str, str]:
        """Returns the shell command of each contender for a shape."""
        dump, restore = self.programs.bindir / "pg_dump", self.programs.bindir / "pg_restore"
        old, new = self.old.url("load"), self.new.url("load")
        decided = f" --resolutions {shape.name}.json" if shape.answers else ""
        tranship = f"{sys.executable} -m tranship migrate config.json --live --jobs {self.jobs}{decided}"
        commands = {PIPES: self._pipes(shape)}
        if not shape.answers:
            tables = " ".join(f"-t {table}" for table in shape.tables)
            restored = f"{restore} -a --disable-triggers -j {self.jobs} -d {new} dump"
            commands[DUMP] = (
                f"rm -rf dump; {dump} -Fd -j {self.jobs} -Z0 -a {tables} -f dump {old}; {restored}"
            )
            if shutil.which("pgcopydb"):
                there = f"--source {old} --target {new} --table-jobs {self.jobs}"
                commands[PGCOPYDB] = f"pgcopydb copy table-data --restart {there} --dir pgcopydb"
        return {**commands, UNVERIFIED: f"{tranship} --verify off", VERIFIED: tranship}

    def _pipes(self, shape: Shape) -> str:
        """Returns a script with as many pipes at a time as there are jobs, table by table, then the proof of
        the foreign keys.
        """
        lines = [self._side_by_side(copy) for copy in shape.copies]
        psql, new = self.programs.bindir / "psql", self.new.url("load")
        lines += [f"{psql} -qX {new} -c {_quoted(proof)} > proof.txt" for proof in shape.proofs]
        return "\n".join(["set -e", *lines])

    def _side_by_side(self, copy: Copy) -> str:
        psql, old, new = self.programs.bindir / "psql", self.old.url("load"), self.new.url("load")
        pipes = []
        for number in range(self.jobs):
            part = f"{copy.select} WHERE {copy.key} % {self.jobs} = {number}" if copy.key else copy.select
            read = f"{psql} -qX {old} -c {_quoted(f'COPY ({part}) TO STDOUT (FORMAT binary)')}"
            write = f"{psql} -qX {new} -c 'SET session_replication_role = replica'"
            pipes.append(
                f"{read} | {write} -c 'COPY {copy.table} FROM STDIN (FORMAT binary)' & pids=\"$pids $!\""
            )
            if not copy.key:
                break
        return "\n".join(["pids=", *pipes, "for pid in $pids; do wait $pid; done"])

    def write_files(self, shapes: Sequence[Shape]) -> None:
        """Writes the configuration and the decisions."""
        sides = {"old_database": self.old.url("load"), "new_database": self.new.url("load")}
        text = json.dumps({side: {"url": url, "sslmode": "disable"} for side, url in sides.items()})
        (self.folder / "config.json").write_text(text)
        (self.folder / "config.json").chmod(0o600)
        for shape in shapes:
            (self.folder / f"{shape.name}.json").write_text(json.dumps(shape.answers))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _timed(command: str, folder: Path) -> Taken:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    # As a user's is: compiled once. Without it each start compiles every module.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPATH": str(ROOT / "src"), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
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


async def _run(server: Server, *statements: str, database: str = "load") -> None:
    conn = await asyncpg.connect(server.url(database))
    try:
        for statement in statements:
            await conn.execute(statement)
    finally:
        await conn.close()


async def _rows(server: Server, tables: Sequence[str]) -> list[int]:
    conn = await asyncpg.connect(server.url("load"))
    try:
        return [await conn.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    finally:
        await conn.close()


async def measure(ground: Ground, shape: Shape, rows: int, rounds: int) -> dict[str, list[Taken]]:
    """Every contender in every round, each into empty tables that hold all rows afterwards."""
    for server in (ground.old, ground.new):
        await _run(server, "DROP DATABASE IF EXISTS load", database="postgres")
        await _run(server, "CREATE DATABASE load", database="postgres")
    await _run(ground.old, *shape.old)
    for statement in shape.fill:
        await _run(ground.old, statement.format(rows=rows))
    await _run(ground.old, "VACUUM ANALYZE", "CHECKPOINT")
    await _run(ground.new, *shape.new)
    wanted, taken = await _rows(ground.old, shape.old_tables), dict[str, list[Taken]]()
    emptied = f"TRUNCATE {', '.join(shape.tables)}"
    for _ in range(rounds):
        for name in ground.commands(shape):
            await _run(ground.new, emptied, "DROP SCHEMA IF EXISTS _tranship CASCADE", "CHECKPOINT")
            taken.setdefault(name, []).append(await asyncio.to_thread(ground.contend, name, shape))
            there = await _rows(ground.new, shape.tables)
            if there != wanted:
                raise SystemExit(f"{name}: {there} of {wanted} rows arrived")
    return taken


def table(shape: Shape, rows: int, taken: dict[str, list[Taken]]) -> str:
    """Ratios as a Markdown table; the reference's own seconds in its row."""
    reference = taken[PIPES]
    lines = [
        f"{shape.about} (scale {rows})",
        "",
        "| | time / pipes | from – to | client CPU, s |",
        "|---|---:|---:|---:|",
    ]
    for name, mine in taken.items():
        ratios = [one.seconds / other.seconds for one, other in zip(mine, reference, strict=True)]
        own = f" ({statistics.median(one.seconds for one in mine):.1f} s)" if mine is reference else ""
        cpu = statistics.median(one.cpu for one in mine)
        spread = f"{min(ratios):.2f} – {max(ratios):.2f}"
        lines.append(f"| {name} | {statistics.median(ratios):.2f}{own} | {spread} | {cpu:.2f} |")
    return "\n".join(lines)


def _installed() -> tuple[dict[int, Installation], Installation]:
    """Returns the installed versions, and the one whose client programs are used."""
    there, programs = installations(), ("psql", "pg_dump", "pg_restore")
    clients = [one for one in there.values() if all((one.bindir / program).is_file() for program in programs)]
    if len(there) < 2 or not clients:
        raise SystemExit("two major versions are needed, and psql, pg_dump and pg_restore of one of them")
    return there, clients[-1]


def main() -> int:
    """Measures the shapes and prints their tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000, help="the scale of the shapes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="all shapes")
    parser.add_argument("--shape", action="append", help="only this one")
    options = parser.parse_args()
    there, programs = _installed()
    older, newer = sorted(there)[-2:]
    wanted = [one for one in (*SHORT, *FULL) if one.name in options.shape] if options.shape else SHORT
    shapes = (*SHORT, *FULL) if options.full else wanted
    with (
        Server(there[older], name="old") as old,
        Server(there[newer], name="new") as new,
        tempfile.TemporaryDirectory(prefix="tranship-speed-") as folder,
    ):
        ground = Ground(old, new, programs, Path(folder), options.jobs)
        ground.write_files(shapes)
        load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
        print(
            f"PostgreSQL {older} -> {newer}, {os.cpu_count()} cores, load {load} before the start,"
            f" {options.jobs} jobs, median of {options.rounds} rounds\n",
            flush=True,
        )
        for shape in shapes:
            taken = asyncio.run(measure(ground, shape, options.rows, options.rounds))
            print(table(shape, options.rows, taken), end="\n\n", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
