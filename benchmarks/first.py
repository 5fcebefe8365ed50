"""How soon the first batch is committed: ``benchmarks/first.py [--rows N] [--rounds N] [--jobs N]``.

Of unchanged tables of growing size, from the start of the process on: the command line, both catalogs, the
data checks, the journal, and the first rows. The clock of the server that commits is that of this machine.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from _ground import TRANSHIP, Ground, fetch, ground, parser_of  # noqa: E402
from _shapes import UNCHANGED  # noqa: E402

_FIRST = "SELECT extract(epoch FROM min(committed))::float8 FROM _tranship.batch"
_PARTS = (10, 3, 1)
"""The scales that are measured: a tenth of the rows, a third, and all."""


def run(on: Ground, jobs: int) -> tuple[float, float]:
    """Returns the seconds until the first batch of a live run was committed, and those of the whole run."""
    on.empty(f"TRUNCATE {', '.join(UNCHANGED.tables)}")
    began = time.time()
    taken = on.timed(f"{TRANSHIP} migrate config.json --live --jobs {jobs} --verify off")
    (committed,) = fetch(on.new, _FIRST)
    assert isinstance(committed, float)
    return committed - began, taken.wall


def main() -> int:
    """Measures the scales and prints a table."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="a third of the rows of both tables")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    with ground(pair=asked.pair) as on:
        print(f"{on.about(asked.rounds)}, {asked.jobs} jobs\n")
        print("| rows | OLD's tables, MB | first batch, s | whole run, s |\n|---:|---:|---:|---:|")
        for part in _PARTS:
            rows = asked.rows // part
            on.databases(
                [*UNCHANGED.old, *(text.format(rows=rows) for text in UNCHANGED.fill)], UNCHANGED.new
            )
            (size,) = fetch(on.old, "SELECT pg_relation_size('narrow') + pg_relation_size('mixed')")
            assert isinstance(size, int)
            found = [run(on, asked.jobs) for _ in range(asked.rounds)]
            first, whole = (statistics.median(column) for column in zip(*found, strict=True))
            print(f"| {3 * rows} | {size >> 20} | {first:.1f} | {whole:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
