"""Compares a load with its indexes in place with one that rebuilds them afterwards.

    benchmarks/indexes.py [--rows N]

Two embedded servers, and one narrow table with four plain indexes beside its primary key. docs/moving.md
shows what it prints. CPU seconds are those of NEW's server, its ended sessions included. The ratios count,
because the times are those of this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from tranship import api  # noqa: E402
from tranship.config import load_config  # noqa: E402
from tranship.demo.servers import Server, installations  # noqa: E402
from tranship.model.options import MigrateOptions, RebuildIndexes  # noqa: E402

TABLE = """
    CREATE TABLE measure (
      id bigint PRIMARY KEY, device integer, at timestamptz, value numeric(10,2), batch uuid)
"""
ROWS = (
    "INSERT INTO measure SELECT n, hashint4(n) % 5000,"
    " timestamptz '2020-01-01' + hashint4(n + 1) % 100000000 * interval '1 second',"
    " n % 1000, md5(n::text)::uuid FROM generate_series(1, {rows}) n"
)
INDEXES = "; ".join(
    f"CREATE INDEX measure_{column} ON measure ({column})" for column in ("device", "at", "value", "batch")
)


async def execute(server: Server, sql: str, database: str = "postgres") -> None:
    """One script as superuser."""
    conn = await asyncpg.connect(server.url(database))
    try:
        await conn.execute(sql)
    finally:
        await conn.close()


def cpu(server: Server) -> float:
    """Seconds of CPU that the server's ended processes have used."""
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(fields[n]) for n in (13, 14)) / os.sysconf("SC_CLK_TCK")


async def load(old: Server, new: Server, mode: RebuildIndexes, folder: Path) -> tuple[float, float]:
    """Seconds of wall clock and of NEW's CPU."""
    await execute(new, f"CREATE DATABASE {mode}")
    await execute(new, f"{TABLE}; {INDEXES}; CHECKPOINT", mode)
    ends = {
        side: {
            "host": s.host,
            "port": s.port,
            "database": name,
            "username": s.user,
            "password": s.password,
            "sslmode": "disable",
        }
        for side, s, name in (("old_database", old, "postgres"), ("new_database", new, mode))
    }
    path = folder / f"{mode}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(ends), encoding="utf-8")
    await asyncio.sleep(1)
    used, began = cpu(new), time.monotonic()
    result, _ = await api.migrate(
        load_config(path),
        MigrateOptions(live=True, jobs=2, results_dir=str(folder / mode), rebuild_indexes=mode),
    )
    wall = time.monotonic() - began
    await asyncio.sleep(1)
    assert result.exit_status == 0, result
    return wall, cpu(new) - used


async def compare(rows: list[int]) -> None:
    """Prints a line per number of rows."""
    newest = installations()[max(installations())]
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(newest, name="old") as old,
        Server(newest, name="new") as new,
    ):
        await execute(old, TABLE)
        for count in rows:
            await execute(old, f"TRUNCATE measure; {ROWS.format(rows=count)}; ANALYZE measure")
            never, always = [await load(old, new, mode, Path(folder)) for mode in ("never", "always")]
            print(
                f"{count:>9} rows, 4 indexes: on {never[0]:.1f} s wall, {never[1]:.1f} s CPU of NEW;"
                f" rebuilt {always[0]:.1f} s, {always[1]:.1f} s;"
            )
            print(
                f"{'':>9} left on / rebuilt: {never[0] / always[0]:.2f} wall, {never[1] / always[1]:.2f} CPU",
                flush=True,
            )
            await execute(new, "DROP DATABASE never WITH (FORCE)")
            await execute(new, "DROP DATABASE always WITH (FORCE)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[50_000, 200_000, 1_000_000])
    asyncio.run(compare(parser.parse_args().rows))
