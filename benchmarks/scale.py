"""Two local workers of a Dask cluster beside one process: ``benchmarks/scale.py [--rows N] [--rounds N]``, as
ratios within one round.

The loads of ``speed.py``. A scheduler and two workers with one thread each are started once; their start is
not measured, the whole ``migrate --live`` is. Client CPU of the run on the cluster is that of the called
process, the scheduler and both workers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from _ground import HEADING, ROOT, TRANSHIP, Ground, Taken, counts, cpu_of, ground, line
from speed import NARROW, PIPE, WIDE, Load, options

WORKERS = 2
START_SECONDS = 120.0


@dataclass(frozen=True)
class LocalCluster:
    """A scheduler and its workers on the loopback."""

    processes: tuple[subprocess.Popen[bytes], ...]
    engine: str

    @property
    def cpu(self) -> float:
        """Returns the CPU seconds of all of its processes so far."""
        return sum(sum(cpu_of(process.pid)) for process in self.processes)


@contextmanager
def local_cluster(folder: Path) -> Iterator[LocalCluster]:
    """Starts a cluster whose workers read the configuration of the folder, for the block."""
    file = folder / "scheduler.json"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TRANSHIP_CONFIG": str(folder / "config.json")}

    def start(what: str, *more: str) -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", *more)
        place = ("--scheduler-file", str(file), "--no-dashboard")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen((*command, *place), cwd=folder, env=env, **quiet)

    started = [start("scheduler", "--port", "0")]
    try:
        deadline = time.monotonic() + START_SECONDS
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        started += [start("worker", "--nthreads", "1", "--no-nanny") for _ in range(WORKERS)]
        address = json.loads(file.read_text())["address"]
        _wait_for_workers(address, deadline)
        yield LocalCluster(tuple(started), address.replace("tcp://", "dask://"))
    finally:
        for process in started:
            process.kill()
            process.wait()


def _wait_for_workers(address: str, deadline: float) -> None:
    from distributed import Client

    with Client(address) as client:
        client.wait_for_workers(WORKERS, timeout=max(deadline - time.monotonic(), 1))


def measure(on: Ground, cluster: LocalCluster, load: Load, rows: int, rounds: int) -> dict[str, list[Taken]]:
    """Every contender in every round, each into an empty table that holds all rows afterwards."""
    load.prepare(on, rows)
    migrate = f"{TRANSHIP} migrate config.json --live --jobs {WORKERS}"
    commands = {
        PIPE: load.pipe(on),
        f"tranship --jobs {WORKERS}": migrate,
        f"the same on {WORKERS} workers": f"{migrate} --engine {cluster.engine}",
    }
    taken: dict[str, list[Taken]] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            on.empty("TRUNCATE load")
            before = cluster.cpu
            found = on.timed(command)
            taken.setdefault(name, []).append(replace(found, client=found.client + cluster.cpu - before))
            if counts(on.new, ["load"]) != (rows,):
                raise SystemExit(f"{name}: {counts(on.new, ['load'])} of {rows} rows arrived")
    return taken


def main() -> int:
    """Measures both loads and prints their tables."""
    asked = options(__doc__)
    with ground("psql", pair=asked.pair) as on, local_cluster(on.folder) as cluster:
        print(on.about(asked.rounds), end="\n\n")
        for load in (NARROW, WIDE):
            rows = int(asked.rows * load.share)
            taken = measure(on, cluster, load, rows, asked.rounds)
            print(f"| {load.name}, {rows} rows | {HEADING}")
            for name, mine in taken.items():
                print(line(name, mine, taken[PIPE]))
            print(flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
