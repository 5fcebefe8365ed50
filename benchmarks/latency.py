"""What the way to the servers costs: the same runs through a proxy without and with a round trip of 20 ms:
``benchmarks/latency.py [--rows N] [--rounds N] [--jobs N] [--round-trip MS] [--shape NAME] [--kinds N]``.

Both runs of a round pass through the proxy, so that its own work is in both. It counts round trips by the
kind of statement they were needed for: seconds of a busy machine say little, these numbers are always the
same.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
sys.path.insert(0, str(ROOT / "tests"))

from _ground import TRANSHIP, Ground, Taken, ground, parser_of  # noqa: E402
from _shapes import FULL, SHORT, Shape  # noqa: E402

from support.counting import CountingProxy, Counts  # noqa: E402


def run(on: Ground, shape: Shape, jobs: int, round_trip: float) -> tuple[Taken, list[Counts]]:
    """Returns what a whole live run needed at so many seconds for a round trip, and what it asked."""
    on.empty(f"TRUNCATE {', '.join(shape.tables)}")
    with ExitStack() as stack:
        proxies = [
            stack.enter_context(CountingProxy(server.host, server.port, round_trip=round_trip))
            for server in (on.old, on.new)
        ]
        ends = {
            f"{side}_database": {
                **proxy.address,
                "database": "load",
                "username": server.user,
                "password": server.password,
                "sslmode": "disable",
            }
            for side, proxy, server in zip(("old", "new"), proxies, (on.old, on.new), strict=True)
        }
        on.write("config.json", ends)
        decided = f" --resolutions {on.write('decided.json', shape.answers)}" if shape.answers else ""
        taken = on.timed(f"{TRANSHIP} migrate config.json --live --jobs {jobs} --verify off{decided}")
        return taken, [proxy.counts for proxy in proxies]


def measure(on: Ground, shape: Shape, asked: argparse.Namespace) -> None:
    """Prints the ratio of the two runs, and the round trips of the last one."""
    on.databases([*shape.old, *(text.format(rows=asked.rows) for text in shape.fill)], shape.new)
    ratios, near, counts = list[float](), list[float](), list[Counts]()
    for _ in range(asked.rounds):
        without, _ = run(on, shape, asked.jobs, 0.0)
        taken, counts = run(on, shape, asked.jobs, asked.round_trip / 1000)
        near.append(without.wall)
        ratios.append(taken.wall / without.wall)
    trips = " and ".join(
        f"{one.round_trips} to {side}" for side, one in zip(("OLD", "NEW"), counts, strict=True)
    )
    spread = f"{statistics.median(ratios):.2f} | {min(ratios):.2f} – {max(ratios):.2f}"
    print(f"| {shape.about} | {statistics.median(near):.1f} | {spread} | {trips} |", flush=True)
    if asked.kinds:
        print(*(one.table(asked.kinds) for one in counts), sep="\n", file=sys.stderr, flush=True)


def main() -> int:
    """Measures the shapes and prints a table."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="the scale of the shapes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--round-trip", type=float, default=20.0, help="milliseconds")
    parser.add_argument("--shape", action="append", help="only this one")
    parser.add_argument("--kinds", type=int, default=0, help="so many kinds of statements, on stderr")
    parser.add_argument("--full", action="store_true", help="all shapes")
    asked = parser.parse_args()
    known = (*SHORT, *FULL)
    wanted = [one for one in known if one.name in asked.shape] if asked.shape else SHORT
    with ground(pair=asked.pair) as on:
        print(f"{on.about(asked.rounds)}, {asked.jobs} jobs, round trip {asked.round_trip:g} ms\n")
        print("| | without, s | with / without | from – to | round trips |\n|---|---:|---:|---:|---|")
        for shape in known if asked.full else wanted:
            measure(on, shape, asked)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
