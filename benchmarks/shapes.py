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
import shutil

from _ground import HEADING, TRANSHIP, Ground, Taken, counts, ground, line, parser_of
from _shapes import FULL, SHORT, Copy, Shape

PIPES = "psql pipes"
DUMP = "pg_dump to pg_restore"
PGCOPYDB = "pgcopydb copy table-data"
UNVERIFIED = "tranship --verify off"
VERIFIED = "tranship"
REPLICA = "SET session_replication_role = replica"


def commands(on: Ground, shape: Shape, jobs: int) -> dict[str, str]:
    """Returns the shell command of each contender for a shape."""
    old, new = on.old.url("load"), on.new.url("load")
    decided = f" --resolutions {shape.name}.json" if shape.answers else ""
    run = f"{TRANSHIP} migrate config.json --live --jobs {jobs}{decided}"
    found = {PIPES: _pipes(on, shape, jobs)}
    if not shape.answers:
        dump, restore = on.programs.bindir / "pg_dump", on.programs.bindir / "pg_restore"
        tables = " ".join(f"-t {table}" for table in shape.tables)
        restored = f"{restore} -a --disable-triggers -j {jobs} -d {new} dump"
        found[DUMP] = f"rm -rf dump; {dump} -Fd -j {jobs} -Z0 -a {tables} -f dump {old}; {restored}"
        if shutil.which("pgcopydb"):
            there = f"--source {old} --target {new} --table-jobs {jobs}"
            found[PGCOPYDB] = f"pgcopydb copy table-data --restart {there} --dir pgcopydb"
    return {**found, UNVERIFIED: f"{run} --verify off", VERIFIED: run}


def _pipes(on: Ground, shape: Shape, jobs: int) -> str:
    """Returns a script with as many pipes at a time as there are jobs, table by table, then the proof of the
    foreign keys.
    """
    lines = [_side_by_side(on, copy, jobs) for copy in shape.copies]
    lines += [f"{on.psql(on.new, proof)} > proof.txt" for proof in shape.proofs]
    return "\n".join(["set -e", *lines])


def _side_by_side(on: Ground, copy: Copy, jobs: int) -> str:
    parts = [f"{copy.select} WHERE {copy.key} % {jobs} = {number}" for number in range(jobs)]
    pipes = [
        f'{on.pipe(part, REPLICA, copy.table, form="binary")} & pids="$pids $!"'
        for part in (parts if copy.key else [copy.select])
    ]
    return "\n".join(["pids=", *pipes, "for pid in $pids; do wait $pid; done"])


def measure(on: Ground, shape: Shape, asked: argparse.Namespace) -> dict[str, list[Taken]]:
    """Every contender in every round, each into empty tables that hold all rows afterwards."""
    filled = [statement.format(rows=asked.rows) for statement in shape.fill]
    on.databases((*shape.old, *filled), shape.new)
    on.write(f"{shape.name}.json", shape.answers)
    wanted, taken = counts(on.old, shape.old_tables), dict[str, list[Taken]]()
    for _ in range(asked.rounds):
        for name, command in commands(on, shape, asked.jobs).items():
            on.empty(f"TRUNCATE {', '.join(shape.tables)}")
            taken.setdefault(name, []).append(on.timed(command))
            there = counts(on.new, shape.tables)
            if there != wanted:
                raise SystemExit(f"{name}: {there} of {wanted} rows arrived")
    return taken


def main() -> int:
    """Measures the shapes and prints their tables."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="the scale of the shapes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="all shapes")
    parser.add_argument("--shape", action="append", help="only this one")
    asked = parser.parse_args()
    wanted = [one for one in (*SHORT, *FULL) if one.name in asked.shape] if asked.shape else SHORT
    with ground("psql", "pg_dump", "pg_restore", pair=asked.pair) as on:
        print(f"{on.about(asked.rounds)}, {asked.jobs} jobs", end="\n\n", flush=True)
        for shape in (*SHORT, *FULL) if asked.full else wanted:
            taken = measure(on, shape, asked)
            print(f"{shape.about} (scale {asked.rows})\n\n| | {HEADING}")
            for name, mine in taken.items():
                print(line(name, mine, taken[PIPES]))
            print(flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
