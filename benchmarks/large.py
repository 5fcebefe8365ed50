"""What large values need: ``benchmarks/large.py [--megabytes N] [--values N]``, the largest memory of runs
over a few rows with one large text each, that arrive and that are rejected.

The bar is 150 MB, and for each stream three times the largest row. A rejected row goes whole into the journal
and the file of rejects.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from _ground import ground, parser_of, resources  # noqa: E402

OLD = (
    "CREATE TABLE load (id integer PRIMARY KEY, kind text, value text)",
    # As values that do not compress are stored.
    "ALTER TABLE load ALTER value SET STORAGE EXTERNAL",
    "INSERT INTO load SELECT n, 'kind', (SELECT string_agg(md5(i::text || n), '')"
    " FROM generate_series(1, {thousands} * 1000 / 32) i) FROM generate_series(1, {values}) n",
)
NEW = "CREATE TABLE load (id integer PRIMARY KEY, kind text CHECK ({check}), value text)"
ARRIVE, REJECTED = "kind = 'kind'", "kind <> 'kind'"
RUNS = (
    ("they arrive, two streams", ARRIVE, ("--live", "--jobs", "2", "--batch-size", "1")),
    ("all are rejected, dry run", REJECTED, ("--jobs", "1")),
    ("all are rejected, live run, one stream", REJECTED, ("--live", "--jobs", "1")),
    ("all are rejected, live run, two streams", REJECTED, ("--live", "--jobs", "2", "--batch-size", "1")),
)


def main() -> int:
    """Measures the runs and prints a table."""
    parser = parser_of(__doc__)
    parser.add_argument("--megabytes", type=int, default=50, help="of each value")
    parser.add_argument("--values", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    with ground(pair=asked.pair) as on:
        print(f"{on.about(asked.rounds)}, {asked.values} values of {asked.megabytes} MB\n")
        print("| values | memory, MB |\n|---|---:|")
        sizes = {"thousands": asked.megabytes * 1000, "values": asked.values}
        for name, check, options in RUNS:
            on.databases([statement.format(**sizes) for statement in OLD], [NEW.format(check=check)])
            most = 0
            for _ in range(asked.rounds):
                on.empty("TRUNCATE load")
                most = max(most, resources(on, options)[0])
            print(f"| {name} | {most} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
