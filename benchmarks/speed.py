"""How fast rows move: ``benchmarks/speed.py [--rows N] [--rounds N]``, tranship beside plain pipes, as ratios
within one round.

Two embedded servers, loopback, ``fsync`` off on both. A narrow table whose types widen, and a wide one of
long texts. In every round each contender moves the same rows into the emptied table; its seconds are
divided by those of ``psql | psql`` (COPY out, COPY in, the same casts) in the same round, and the median of
the ratios is shown. tranship's time is that of the whole process: start, comparing, asking both servers for
rows that would be refused, counting, proof, journal.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from _ground import HEADING, TRANSHIP, Ground, Taken, counts, ground, line, parser_of

PIPE = "psql to psql"
DUMP = "pg_dump to pg_restore"


@dataclass(frozen=True)
class Load:
    """One table on both sides and what fills OLD's."""

    name: str
    old: str
    new: str
    rows: str
    columns: str
    share: float
    """Of the rows asked for."""

    def prepare(self, on: Ground, rows: int) -> None:
        """Makes the databases, OLD's with the rows."""
        on.databases((self.old, f"INSERT INTO load {self.rows.format(rows=rows)}"), (self.new,))

    def pipe(self, on: Ground) -> str:
        """Returns the command that all others are compared with."""
        return on.pipe(f"SELECT {self.columns} FROM load", f"load ({self.columns})")


NARROW = Load(
    "narrow: 7 columns, types widen",
    "CREATE TABLE load (id integer PRIMARY KEY, customer integer NOT NULL, sku varchar(20), qty smallint,"
    " price numeric(10,2), at timestamp, ok boolean)",
    "CREATE TABLE load (id bigint PRIMARY KEY, customer bigint NOT NULL, sku text, qty integer,"
    " price numeric(12,2), at timestamp, ok boolean)",
    "SELECT n, n % 100000, 'sku-' || n % 5000, n % 50, (n % 10000) / 100.0,"
    " timestamp '2020-01-01' + n * interval '1 second', n % 3 = 0"
    " FROM generate_series(1, {rows}) n",
    "id, customer, sku, qty, price, at, ok",
    1.0,
)
WIDE = Load(
    "wide: texts of 2 KB",
    "CREATE TABLE load (id integer PRIMARY KEY, title varchar(200), body text)",
    "CREATE TABLE load (id bigint PRIMARY KEY, title text, body text)",
    "SELECT n, 'title ' || n, repeat(md5(n::text), 64) FROM generate_series(1, {rows}) n",
    "id, title, body",
    0.1,
)


def commands(on: Ground, load: Load) -> dict[str, str]:
    """Returns the contenders of a round, in their order."""
    dump, restore = (on.programs.bindir / program for program in ("pg_dump", "pg_restore"))
    dumped = f"{dump} -Fc -Z0 -a -t load {on.old.url('load')} | {restore} -a -d {on.new.url('load')}"
    runs = {f"tranship --jobs {n}": f"{TRANSHIP} migrate config.json --live --jobs {n}" for n in (1, 4)}
    return {PIPE: load.pipe(on), DUMP: dumped, **runs}


def measure(on: Ground, load: Load, rows: int, rounds: int) -> dict[str, list[Taken]]:
    """Every contender in every round, each into an empty table that holds all rows afterwards."""
    load.prepare(on, rows)
    taken: dict[str, list[Taken]] = {}
    for _ in range(rounds):
        for name, command in commands(on, load).items():
            on.empty("TRUNCATE load")
            taken.setdefault(name, []).append(on.timed(command))
            if counts(on.new, ["load"]) != (rows,):
                raise SystemExit(f"{name}: {counts(on.new, ['load'])} of {rows} rows arrived")
    return taken


def options(doc: str | None, **switches: str) -> argparse.Namespace:
    """Reads the options of a benchmark of both loads; ``switches`` are further ones with what they do."""
    parser = parser_of(doc)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the narrow table; the wide: a tenth")
    parser.add_argument("--rounds", type=int, default=3)
    for name, does in switches.items():
        parser.add_argument(f"--{name}", action="store_true", help=does)
    return parser.parse_args()


def main() -> int:
    """Measures both loads and prints their tables."""
    asked = options(__doc__)
    with ground("psql", "pg_dump", "pg_restore", pair=asked.pair) as on:
        print(on.about(asked.rounds), end="\n\n")
        for load in (NARROW, WIDE):
            rows = int(asked.rows * load.share)
            taken = measure(on, load, rows, asked.rounds)
            print(f"| {load.name}, {rows} rows | {HEADING}")
            for name, mine in taken.items():
                print(line(name, mine, taken[PIPE]))
            print(flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
