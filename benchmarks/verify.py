"""What the proof costs: ``benchmarks/verify.py [--rows N] [--rounds N]``, as ratios within one round.

The servers and tables of ``benchmarks/speed.py``. In every round, one after the other, the same rows are
moved into the emptied table by ``psql | psql`` (the copy), by ``migrate --verify off`` and by ``migrate
--verify hash``; then ``tranship verify`` compares them once more. The proof's cost is the difference of the
two runs. It is divided by that of the copy, and the bar is 0.35; the run with the proof is divided by the one
without, and the bar is 1.35. Medians of both are shown by wall time and by the CPU of both servers, which
depends less on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from speed import NARROW, WIDE, Ground, Load, run, timed

from tranship.demo.servers import Server, installations

COPY, OFF, HASH, LATER = "psql to psql", "migrate --verify off", "migrate --verify hash", "tranship verify"


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


@dataclass(frozen=True)
class Cost:
    """What one contender needed, in seconds."""

    wall: float
    cpu: float
    """Of both servers."""


def cpu(ground: Ground) -> float:
    """Returns the seconds of CPU that ended sessions of both servers have used."""
    used = 0
    for server in (ground.old, ground.new):
        fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        used += sum(int(fields[n]) for n in (13, 14))
    return used / os.sysconf("SC_CLK_TCK")


async def measure(ground: Ground, load: Load, rows: int, rounds: int) -> list[dict[str, Cost]]:
    """Returns what every contender needed in every round."""
    for server in (ground.old, ground.new):
        await run(server, "DROP DATABASE IF EXISTS load", "CREATE DATABASE load", database="postgres")
    fill = f"INSERT INTO load {load.rows.format(rows=rows)}"
    await run(ground.old, load.old, fill, "VACUUM ANALYZE load", "CHECKPOINT")
    await run(ground.new, load.new)
    taken = []
    for _ in range(rounds):
        costs = {}
        for name, command in commands(ground, load).items():
            # The last one compares the rows of the one before.
            if name != LATER:
                forget = "DROP SCHEMA IF EXISTS _tranship CASCADE"
                await run(ground.new, "TRUNCATE load", forget, "CHECKPOINT")
            before = cpu(ground)
            wall = (await asyncio.to_thread(timed, command, ground.folder)).seconds
            # A session ends a moment after its client.
            await asyncio.sleep(1)
            costs[name] = Cost(wall, cpu(ground) - before)
        taken.append(costs)
    return taken


def table(load: Load, rows: int, taken: list[dict[str, Cost]]) -> str:
    """Returns the medians as a Markdown table."""

    def line(what: str, of: Callable[[dict[str, Cost], str], float]) -> str:
        middle = (statistics.median(of(one, by) for one in taken) for by in ("wall", "cpu"))
        return f"| {what} | {' | '.join(f'{value:.2f}' for value in middle)} |"

    def value(name: str, one: dict[str, Cost], by: str) -> float:
        return one[name].wall if by == "wall" else one[name].cpu

    def cost(one: dict[str, Cost], by: str) -> float:
        return (value(HASH, one, by) - value(OFF, one, by)) / value(COPY, one, by)

    lines = [f"| {load.name}, {rows} rows | wall | CPU of both servers |", "|---|---:|---:|"]
    lines += [line(f"{name}, s", partial(value, name)) for name in (COPY, OFF, HASH, LATER)]
    lines.append(line("proof / copy (bar 0.35)", cost))
    with_proof = line("with / without (bar 1.35)", lambda one, by: value(HASH, one, by) / value(OFF, one, by))
    later = line("verified later / copy", lambda one, by: value(LATER, one, by) / value(COPY, one, by))
    return "\n".join([*lines, with_proof, later])


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
