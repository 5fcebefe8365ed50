"""Many tables on a server with a small lock table: one session of the run holds them all, not two."""

from __future__ import annotations

from pathlib import Path

from support import Database, Pair, Servers
from support.runs import migrate
from tranship.demo.servers import Server

TABLES = 460
SETTINGS = {"max_connections": "20", "max_locks_per_transaction": "20"}
"""Room for some 900 locks: twice the tables are more, and the tables with those that one reader counts are less."""


async def test_the_lock_table_holds_every_table_once(servers: Servers, pair: Pair, tmp_path: Path) -> None:
    tables = ";".join(f"CREATE TABLE t{n} (a int)" for n in range(TABLES))
    installed = servers.installed[servers.default_majors[0]]
    with Server(installed, name="few-locks", settings=SETTINGS) as server:
        old = Database(server, "postgres")
        for first in range(0, TABLES, 100):
            await old.run(";".join(tables.split(";")[first : first + 100]))
        for first in range(0, TABLES, 100):
            await pair.new.run(";".join(tables.split(";")[first : first + 100]))
        dry = await migrate(Pair(old, pair.new), tmp_path, live=False)
    assert len(dry.tables) == TABLES
    assert "TS344" in {warning.code for warning in dry.problems}
