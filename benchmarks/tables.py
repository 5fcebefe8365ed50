"""What thousands of small tables and sequences take: ``benchmarks/tables.py [--full] [--rounds N]``.

A dry run of 5 000 tables, a live run of 2 000 tables of 20 rows, and a live run that moves 3 000 sequences;
without ``--full`` a tenth of each. Wall time and the CPU of the client and of both servers, in seconds.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from _ground import TRANSHIP, Ground, ground, parser_of  # noqa: E402

DRY, LIVE, SEQUENCES = 5_000, 2_000, 3_000


def tables(count: int) -> list[str]:
    """Returns the statements that make so many tables."""
    return [f"CREATE TABLE t{n} (id integer PRIMARY KEY, a integer, b text)" for n in range(count)]


def filled(count: int) -> list[str]:
    """Returns the statements that fill them."""
    return [f"INSERT INTO t{n} SELECT i, i, 'x' FROM generate_series(1, 20) i" for n in range(count)]


def sequences(count: int) -> list[str]:
    """Returns the statements that make so many sequences."""
    return ["CREATE TABLE t (id integer)", *(f"CREATE SEQUENCE s{n}" for n in range(count))]


def advanced(count: int) -> list[str]:
    """Returns the statements that move them."""
    return [f"SELECT setval('s{n}', {n + 5})" for n in range(count)]


def measure(on: Ground, old: list[str], new: list[str], options: str, rounds: int) -> str:
    """Returns what a command takes between two databases that these statements make anew for each round."""
    on.configure()
    found = []
    for _ in range(rounds):
        on.databases(old, new)
        found.append(on.timed(f"{TRANSHIP} migrate config.json {options}"))
    walls = [taken.wall for taken in found]
    cpu = [statistics.median(getattr(taken, side) for taken in found) for side in ("client", "old", "new")]
    spread = f"{statistics.median(walls):.1f} | {min(walls):.1f} – {max(walls):.1f}"
    return f"{spread} | {' | '.join(f'{one:.1f}' for one in cpu)}"


def main() -> int:
    """Measures the three runs and prints a table."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="as many as the bars name")
    asked = parser.parse_args()
    dry, live, moved = (count if asked.full else count // 10 for count in (DRY, LIVE, SEQUENCES))
    with ground(pair=asked.pair) as on:
        print(f"{on.about(asked.rounds)}\n")
        print("| | s | from – to | CPU: client | OLD | NEW |\n|---|---:|---:|---:|---:|---:|")
        runs = (
            (f"dry run of {dry} tables", [*tables(dry), *filled(dry)], tables(dry), ""),
            (f"live run of {live} tables", [*tables(live), *filled(live)], tables(live), "--live"),
            (
                f"live run that moves {moved} sequences",
                [*sequences(moved), *advanced(moved)],
                sequences(moved),
                "--live",
            ),
        )
        for what, old, new, options in runs:
            print(f"| {what} | {measure(on, old, new, options, asked.rounds)} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
