"""What children of rejected parents need: ``benchmarks/consequences.py [--rows N ...] [--live]``, the largest
memory of runs over N children that are rejected because their parents are, and the CPU of the process.

The bar is 150 MB and 32 bytes for each rejected row, whatever the way in which the children hang together.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from _ground import ground, parser_of, resources  # noqa: E402

TWO = (
    "CREATE TABLE parent (id integer PRIMARY KEY, ok integer)",
    "CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent)",
    "INSERT INTO parent SELECT n, {bad} FROM generate_series(1, {parents}) n",
    "INSERT INTO child SELECT n, 1 + n % {parents} FROM generate_series(1, {rows}) n",
)
TWO_NEW = (
    "CREATE TABLE parent (id integer PRIMARY KEY, ok integer CHECK (ok = 1))",
    "CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent)",
)
TREE = (
    "CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES child, ok integer)",
    "INSERT INTO child SELECT n, CASE WHEN n > {above} THEN {parent} END, (n > {above})::integer"
    " FROM generate_series(1, {rows} + {above}) n",
)
TREE_NEW = (
    "CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES child,"
    " ok integer CHECK (ok = 1))",
)
SHAPES = {
    "all arrive": (TWO, TWO_NEW, {"bad": "1", "parents": "1000"}),
    "1 000 parents": (TWO, TWO_NEW, {"bad": "0", "parents": "1000"}),
    "a parent each": (TWO, TWO_NEW, {"bad": "0", "parents": "{rows}"}),
    "a tree of two levels": (TREE, TREE_NEW, {"above": "1000", "parent": "1 + n % 1000"}),
    "a tree of many levels": (TREE, TREE_NEW, {"above": "1", "parent": "n / 2"}),
    "long chains": (TREE, TREE_NEW, {"above": "1000", "parent": "n - 1000"}),
}


def main() -> int:
    """Measures the runs and prints a table."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 400_000, 800_000])
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--live", action="store_true", help="live runs; else dry runs")
    asked = parser.parse_args()
    options = ("--live",) if asked.live else ()
    with ground(pair=asked.pair) as on:
        print(on.about(1) + "\n")
        print("| children | rows | memory, MB | CPU, s |\n|---|---:|---:|---:|", flush=True)
        for name in asked.shapes:
            old, new, sizes = SHAPES[name]
            for rows in asked.rows:
                given = {key: text.format(rows=rows) for key, text in sizes.items()} | {"rows": str(rows)}
                on.databases([statement.format(**given) for statement in old], new)
                memory, seconds = resources(on, options)
                print(f"| {name} | {rows} | {memory} | {seconds:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
