"""What rejected rows cost: ``benchmarks/rejects.py [--rows N] [--rounds N]``, runs of which a share of the
rows is rejected beside one whose rows all arrive, as ratios.

Two embedded servers, loopback, ``fsync`` off on both. The rows break a CHECK, a NOT NULL, a unique key, a
foreign key or a conversion, in turn. The time is that of the whole process, verification included; the bar is
2 × for 1 %. Beside it stands the largest memory of the client's processes so far, of which the bar is 150 MB
and 32 bytes for each rejected row.
"""

from __future__ import annotations

from resource import RUSAGE_CHILDREN, getrusage

from _ground import HEADING, TRANSHIP, Ground, Taken, fetch, ground, line, parser_of

NONE = 2_000_000_000
SHARES = {"all arrive": NONE, "1 % rejected": 100, "one of three rejected": 3}
"""By name: one of so many rows is rejected."""
OLD = """
CREATE TABLE parent (id integer PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 1000);
CREATE TABLE load (id integer PRIMARY KEY, checked integer, filled text, code text, parent_id integer,
  at text);
INSERT INTO load SELECT n, CASE WHEN bad = 0 THEN -1 ELSE n END,
  CASE WHEN bad = 1 THEN NULL ELSE 'text ' || n END,
  CASE WHEN bad = 2 THEN 'code 1' ELSE 'code ' || n END,
  CASE WHEN bad = 3 THEN 0 ELSE 1 + n % 1000 END,
  CASE WHEN bad = 4 THEN 'no date' ELSE '2024-01-01' END
  FROM (SELECT n, CASE WHEN n > 1 AND n % {share} = 0 THEN n / {share} % 5 END AS bad
    FROM generate_series(1, {rows}) n) rows
"""
NEW = (
    "CREATE TABLE parent (id integer PRIMARY KEY)",
    "CREATE TABLE load (id integer PRIMARY KEY, checked integer CHECK (checked > 0), filled text NOT NULL,"
    " code text UNIQUE, parent_id integer REFERENCES parent, at date)",
)
DECISIONS = {"resolutions": {"load": [{"action": "transform", "old_column": "at", "new_column": "at"}]}}


def run(on: Ground, name: str, rows: int) -> Taken:
    """Returns what one run needed; it must reject as many rows as are wrong."""
    on.empty("DROP TABLE IF EXISTS load, parent", *NEW)
    wrong = rows // SHARES[name] - (SHARES[name] == 1) if SHARES[name] else 0
    command = (
        f"{TRANSHIP} migrate config.json --resolutions decisions.json --live; test $? = {int(wrong > 0)}"
    )
    taken = on.timed(command)
    (arrived,) = fetch(on.new, "SELECT count(*) FROM load")
    if arrived != rows - wrong:
        raise SystemExit(f"{name}: {arrived} rows arrived instead of {rows - wrong}")
    return taken


def main() -> int:
    """Measures every share and prints the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of OLD's table")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    taken: dict[str, list[Taken]] = {name: [] for name in SHARES}
    memory: dict[str, int] = {}
    with ground("psql", pair=asked.pair) as on:
        on.write("decisions.json", DECISIONS)
        print(f"{on.about(asked.rounds)}, {asked.rows} rows\n", flush=True)
        for name, share in SHARES.items():
            made = [part for part in OLD.format(rows=asked.rows, share=share).split(";") if part.strip()]
            on.databases(made, [])
            for _ in range(asked.rounds):
                taken[name].append(run(on, name, asked.rows))
            memory[name] = getrusage(RUSAGE_CHILDREN).ru_maxrss // 1024
        clean = taken["all arrive"]
        print(f"| rows | memory, MB | {HEADING.replace('pipe', 'clean').replace('|---|', '|---|---:|')}")
        for name, mine in taken.items():
            print(line(f"{name} | {memory[name]}", mine, clean), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
