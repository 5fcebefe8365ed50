"""What the proof costs: ``benchmarks/verify.py [--rows N] [--rounds N]``, as ratios within one round.

The servers and tables of ``benchmarks/speed.py``. In every round, one after the other, the same rows are
moved into the emptied table by ``psql | psql`` (the copy), by ``migrate --verify off`` and by ``migrate
--verify hash``; then ``tranship verify`` compares them once more. The proof's cost is the difference of the
two runs. It is divided by the seconds of the copy, and the bar is 0.35; the run with the proof is divided by
the one without, and the bar is 1.35. Medians are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path

from speed import NARROW, WIDE, Ground, Load, run, timed

from tranship.demo.servers import Server, installations

COPY, OFF, HASH, LATER = "psql | psql", "migrate --verify off", "migrate --verify hash", "tranship verify"


def commands(ground: Ground, load: Load) -> dict[str, str]:
    """Returns the contenders of a round, in their order."""
    psql, config = ground.programs.bindir / "psql", ground.folder / "config.json"
    copy = f"-c 'COPY (SELECT {load.columns} FROM load) TO STDOUT'"
    sent = f"{psql} -qX {ground.new.url('load')} -c 'COPY load ({load.columns}) FROM STDIN'"
    tranship = f"{sys.executable} -m tranship"
    return {
        COPY: f"{psql} -qX {ground.old.url('load')} {copy} | {sent}",
        OFF: f"{tranship} migrate {config} --live --verify off",
        HASH: f"{tranship} migrate {config} --live --verify hash",
        LATER: f"{tranship} verify {config}",
    }


async def measure(ground: Ground, load: Load, rows: int, rounds: int) -> list[dict[str, float]]:
    """Returns the seconds of every contender in every round."""
    for server in (ground.old, ground.new):
        await run(server, "DROP DATABASE IF EXISTS load", "CREATE DATABASE load", database="postgres")
    fill = f"INSERT INTO load {load.rows.format(rows=rows)}"
    await run(ground.old, load.old, fill, "VACUUM ANALYZE load", "CHECKPOINT")
    await run(ground.new, load.new)
    taken = []
    for _ in range(rounds):
        seconds = {}
        for name, command in commands(ground, load).items():
            # The last one compares the rows of the one before.
            if name != LATER:
                forget = "DROP SCHEMA IF EXISTS _tranship CASCADE"
                await run(ground.new, "TRUNCATE load", forget, "CHECKPOINT")
            seconds[name] = (await asyncio.to_thread(timed, command, ground.folder)).seconds
        taken.append(seconds)
    return taken


def table(load: Load, rows: int, taken: list[dict[str, float]]) -> str:
    """Returns the medians as a Markdown table."""

    def middle(of: list[float]) -> str:
        return f"{statistics.median(of):.2f}"

    lines = [f"| {load.name}, {rows} rows | seconds |", "|---|---:|"]
    lines += [f"| {name} | {middle([one[name] for one in taken])} |" for name in (COPY, OFF, HASH, LATER)]
    cost = [(one[HASH] - one[OFF]) / one[COPY] for one in taken]
    lines.append(f"| proof / copy (bar 0.35) | {middle(cost)} |")
    lines.append(f"| run with the proof / without (bar 1.35) | {middle([o[HASH] / o[OFF] for o in taken])} |")
    lines.append(f"| verified later / copy | {middle([one[LATER] / one[COPY] for one in taken])} |")
    return "\n".join(lines)


def main() -> int:
    """Measures both loads and prints their tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the narrow table; the wide: a tenth")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    there = installations()
    clients = [one for one in there.values() if (one.bindir / "psql").is_file()]
    if len(there) < 2 or not clients:
        raise SystemExit("two major versions are needed, and psql of one of them")
    older, newer = sorted(there)[-2:]
    with (
        Server(there[older], name="old") as old,
        Server(there[newer], name="new") as new,
        tempfile.TemporaryDirectory(prefix="tranship-verify-") as folder,
    ):
        ground = Ground(old, new, clients[-1], Path(folder))
        ground.write_config()
        print(f"PostgreSQL {older} -> {newer}, {os.cpu_count()} cores, median of {options.rounds} rounds\n")
        for load in (NARROW, WIDE):
            rows = int(options.rows * load.share)
            print(table(load, rows, asyncio.run(measure(ground, load, rows, options.rounds))), flush=True)
            print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
