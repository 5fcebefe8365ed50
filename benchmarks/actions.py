"""How fast shaped rows move: ``benchmarks/actions.py [--rows N] [--rounds N] [--only NAME]``, tranship beside
a ``psql | psql`` pipe of the same SELECT, as ratios within one round.

Two embedded servers, loopback, ``fsync`` off on both. In every round the pipe and then tranship fill the same
emptied table from the same rows, each action with its own decision; the time is that of the whole process,
with verification off. The median of the ratios is shown with the smallest and the largest one: on a machine
that others use, too, only ratios of one round say something.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from tranship.demo.servers import Installation, Server, installations  # noqa: E402

CODES = 100_000
"""Entries of the lookup table."""

OLD = f"""
CREATE TABLE load (id integer PRIMARY KEY, code text, status text, qty integer, price numeric(10,2),
  at timestamp, email text, tags text);
INSERT INTO load SELECT n, 'c' || n % {CODES}, (ARRAY['new', 'paid', 'sent', 'gone'])[1 + n % 4], n % 50,
  (n % 10000) / 100.0, timestamp '2020-01-01' + n * interval '1 second',
  CASE WHEN n % 10 = 0 THEN 'USER' ELSE 'user' END || n - n % 10 / 9 || '@example.org', 'a,b' || n % 7 || ',c'
  FROM generate_series(1, {{rows}}) n;
CREATE TABLE code (id integer PRIMARY KEY, name text UNIQUE);
INSERT INTO code SELECT n, 'c' || n FROM generate_series(0, {CODES - 1}) n;
"""
UUID = "substr(sha256(convert_to(ROW(''::text, 'public'::text, 'load'::text, l.id)::text, 'UTF8')), 1, 16)"
MARKED = "set_byte(set_byte({0}, 6, (get_byte({0}, 6) & 15) | 128), 8, (get_byte({0}, 8) & 63) | 128)"


@dataclass(frozen=True)
class Action:
    """One action: what fills a table of NEW, as a SELECT and as a decision."""

    name: str
    new: str
    select: str
    entries: tuple[dict[str, object], ...]
    flow: str = "load"
    held: bool = False
    """NEW holds all rows already."""
    target: str = "load"
    """The table of NEW."""


def _ignored(*names: str) -> tuple[dict[str, object], ...]:
    return tuple({"action": "ignore", "old_column": name} for name in names)


def _column(name: str, **how: object) -> dict[str, object]:
    return {"action": "transform", "new_column": name, **how}


STATUSES = {"new": "1", "paid": "2", "sent": "3", "gone": "4"}
BASE = "id bigint PRIMARY KEY, qty integer, price numeric(12,2), at timestamp"
REST = _ignored("code", "status", "email", "tags")
ACTIONS = (
    Action("plain (for comparison)", BASE, "SELECT l.id, l.qty, l.price, l.at FROM load l", REST),
    Action(
        "filter",
        BASE,
        "SELECT l.id, l.qty, l.price, l.at FROM load l WHERE l.qty > 4",
        ({"action": "filter", "where": "old.qty > 4"}, *REST),
    ),
    Action(
        "mapping of 4 values",
        f"{BASE}, status integer",
        "SELECT l.id, l.qty, l.price, l.at, CASE l.status WHEN 'new' THEN 1 WHEN 'paid' THEN 2"
        " WHEN 'sent' THEN 3 WHEN 'gone' THEN 4 END FROM load l",
        (_column("status", old_column="status", value_mapping=STATUSES), *_ignored("code", "email", "tags")),
    ),
    Action(
        "lookup of 100 000 entries",
        f"{BASE}, code_id integer",
        "SELECT l.id, l.qty, l.price, l.at, c.id FROM load l LEFT JOIN code c ON c.name = l.code",
        (
            _column(
                "code_id",
                old_column="code",
                lookup_table={"table": "code", "key_column": "name", "value_column": "id"},
            ),
            *_ignored("status", "email", "tags"),
        ),
    ),
    Action(
        "rows (3 of each)",
        "load_id bigint, place integer, tag text, PRIMARY KEY (load_id, place)",
        "SELECT l.id, i.n, i.tag FROM load l"
        " CROSS JOIN LATERAL unnest(string_to_array(l.tags, ',')) WITH ORDINALITY AS i(tag, n)",
        (
            {
                "action": "rows",
                "from": "unnest(string_to_array(old.tags, ',')) WITH ORDINALITY AS item(tag, n)",
            },
            _column("load_id", old_column="id"),
            _column("place", transform_sql="item_number"),
            _column("tag", transform_sql="item.tag"),
            *_ignored("code", "status", "qty", "price", "at", "email"),
        ),
    ),
    Action(
        "merge (1 of 10 is double)",
        f"{BASE}, email text",
        "SELECT DISTINCT ON (lower(l.email)) l.id, l.qty, l.price, l.at, l.email FROM load l"
        " ORDER BY lower(l.email), l.id",
        ({"action": "merge", "key": ["lower(old.email)"]}, *_ignored("code", "status", "tags")),
    ),
    Action(
        "new_key (uuid)",
        BASE.replace("id bigint", "id uuid"),
        f"SELECT encode({MARKED.format(UUID)}, 'hex')::uuid, l.qty, l.price, l.at FROM load l",
        ({"action": "new_key", "column": "id", "as": "uuid"}, *REST),
    ),
    Action(
        "transform_sql",
        f"{BASE}, email text",
        "SELECT l.id, l.qty, l.price, l.at, lower(trim(l.email)) FROM load l",
        (
            _column("email", old_column="email", transform_sql="lower(trim(old.email))"),
            *_ignored("code", "status", "tags"),
        ),
    ),
    Action(
        "existing (update of all)",
        BASE,
        "SELECT l.id, l.qty, l.price, l.at FROM load l",
        ({"action": "existing", "rows": "update"}, *REST),
        held=True,
    ),
    Action(
        "query (GROUP BY)",
        "code text PRIMARY KEY, qty bigint, price numeric",
        "SELECT l.code, sum(l.qty)::bigint AS qty, sum(l.price) AS price FROM load l GROUP BY l.code",
        (
            {
                "action": "query",
                "key": ["code"],
                "sql": "SELECT l.code, sum(l.qty)::bigint AS qty, sum(l.price) AS price FROM public.load AS l"
                " GROUP BY l.code",
            },
        ),
        flow="sums -> sums",
        target="sums",
    ),
)


@dataclass(frozen=True)
class Ground:
    """The two servers and a folder for files."""

    old: Server
    new: Server
    programs: Installation
    folder: Path

    def pipe(self, action: Action) -> float:
        """Returns the seconds of the pipe."""
        psql = f"{self.programs.bindir / 'psql'} -qX -v ON_ERROR_STOP=1"
        old, new = self.old.url("load"), self.new.url("load")
        out = f'{psql} {old} -c "COPY ({action.select}) TO STDOUT"'
        target = f"-c 'COPY {action.target} FROM STDIN'"
        if action.held:
            same = "qty = i.qty, price = i.price, at = i.at FROM incoming i WHERE i.id = load.id"
            made = "CREATE TEMP TABLE incoming (LIKE load)"
            target = f"-c '{made}' -c 'COPY incoming FROM STDIN' -c 'UPDATE load SET {same}'"
        return self._timed(f"{out} | {psql} {new} {target}")

    def tranship(self, action: Action) -> float:
        """Returns the seconds of the whole process."""
        decisions = self.folder / "decisions.json"
        decisions.write_text(json.dumps({"resolutions": {action.flow: action.entries}}))
        sides = {"old_database": self.old.url("load"), "new_database": self.new.url("load")}
        config = self.folder / "config.json"
        config.touch(mode=0o600)
        text = {side: {"url": url, "sslmode": "disable"} for side, url in sides.items()}
        config.write_text(json.dumps({**text, "tables": [action.target]}))
        options = f"--resolutions {decisions} --live --verify off --jobs 1"
        return self._timed(f"{sys.executable} -m tranship migrate {config} {options}")

    def _timed(self, command: str) -> float:
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        shell = ["bash", "-o", "pipefail", "-c", command]
        began = time.monotonic()
        done = subprocess.run(shell, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")
        return seconds


async def _run(server: Server, script: str, database: str = "load") -> None:
    conn = await asyncpg.connect(server.url(database))
    try:
        await conn.execute(script)
    finally:
        await conn.close()


async def _sums(server: Server, table: str) -> object:
    """Returns number and hash of the rows that arrived."""
    conn = await asyncpg.connect(server.url("load"))
    try:
        return tuple(await conn.fetchrow(f"SELECT count(*), sum(hashtext(l::text)) FROM {table} l"))
    finally:
        await conn.close()


async def prepare(ground: Ground, rows: int) -> None:
    """Makes both databases, and OLD's rows."""
    for server in (ground.old, ground.new):
        await _run(server, "DROP DATABASE IF EXISTS load", "postgres")
        await _run(server, "CREATE DATABASE load", "postgres")
    await _run(ground.old, OLD.format(rows=rows))
    await _run(ground.old, "VACUUM ANALYZE")
    await _run(ground.new, OLD.format(rows=1) + "DROP TABLE load")


async def measure(ground: Ground, action: Action, rounds: int) -> list[tuple[float, float]]:
    """Returns the seconds of pipe and tranship per round; both must bring the same rows."""
    taken = []
    held = f"INSERT INTO load SELECT n, 0, 0, NULL FROM generate_series(1, {await _rows(ground)}) n;"
    for _ in range(rounds):
        seconds, found = [], []
        for contender in (ground.pipe, ground.tranship):
            clean = "DROP SCHEMA IF EXISTS _tranship CASCADE; DROP TABLE IF EXISTS load, sums;"
            fill = held if action.held else ""
            await _run(ground.new, f"{clean} CREATE TABLE {action.target} ({action.new}); {fill}")
            await _run(ground.new, f"VACUUM ANALYZE {action.target}")
            await _run(ground.new, "CHECKPOINT")
            seconds.append(await asyncio.to_thread(contender, action))
            found.append(await _sums(ground.new, action.target))
        if found[0] != found[1]:
            raise SystemExit(f"{action.name}: {found[1]} instead of {found[0]}")
        taken.append((seconds[0], seconds[1]))
    return taken


async def _rows(ground: Ground) -> int:
    conn = await asyncpg.connect(ground.old.url("load"))
    try:
        return int(await conn.fetchval("SELECT count(*) FROM load"))
    finally:
        await conn.close()


def line(action: Action, taken: list[tuple[float, float]]) -> str:
    """Returns a row of the table."""
    ratios = sorted(mine / pipe for pipe, mine in taken)
    pipe, mine = (statistics.median(one[n] for one in taken) for n in (0, 1))
    spread = f"{ratios[0]:.2f}-{ratios[-1]:.2f}"
    return f"| {action.name} | {statistics.median(ratios):.2f} | {spread} | {pipe:.1f} | {mine:.1f} |"


def main() -> int:
    """Measures every action and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of OLD's table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="actions whose name holds this text")
    options = parser.parse_args()
    there = installations()
    clients = [one for one in there.values() if (one.bindir / "psql").is_file()]
    if len(there) < 2 or not clients:
        raise SystemExit("two major versions are needed, and psql of one of them")
    older, newer = sorted(there)[-2:]
    with (
        Server(there[older], name="old") as old,
        Server(there[newer], name="new") as new,
        tempfile.TemporaryDirectory(prefix="tranship-shapes-") as folder,
    ):
        ground = Ground(old, new, clients[-1], Path(folder))
        asyncio.run(prepare(ground, options.rows))
        print(
            f"PostgreSQL {older} -> {newer}, Python {platform.python_version()}, {os.cpu_count()} cores"
            f" (load {os.getloadavg()[0]:.1f}), {options.rows} rows, {options.rounds} rounds\n"
        )
        print(
            "| action | time / psql | from-to | psql, s | tranship, s |\n|---|---:|---:|---:|---:|",
            flush=True,
        )
        for action in ACTIONS:
            if options.only is None or options.only in action.name:
                print(line(action, asyncio.run(measure(ground, action, options.rounds))), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
