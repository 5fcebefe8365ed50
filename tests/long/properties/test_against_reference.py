"""Property: whatever the schemas, decisions and rows, NEW and the rejects are what a Python reference
computes, and the dry run foretold it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from long.properties import worlds
from long.properties.reference import Expected, TableSpec, migrate
from support import MakePair, Pair, Servers
from tranship import api
from tranship.config import load_config
from tranship.model.options import MigrateOptions
from tranship.model.verdict import MigrationResult

EXAMPLES = 30
CAMPAIGN = 3000
_RESET = "DROP SCHEMA IF EXISTS _tranship CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"


@dataclass
class Bench:
    """One pair of databases that every example empties and fills again."""

    loop: asyncio.AbstractEventLoop
    pair: Pair
    folder: Path
    count: int = 0

    def run(
        self, world: tuple[TableSpec, ...], *, batch_size: int, jobs: int
    ) -> tuple[MigrationResult, MigrationResult]:
        """Dry run, then live."""
        return self.loop.run_until_complete(self._run(world, batch_size, jobs))

    async def _run(
        self, world: tuple[TableSpec, ...], batch_size: int, jobs: int
    ) -> tuple[MigrationResult, MigrationResult]:
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        await self.pair.old.run(_RESET + worlds.old_sql(world))
        await self.pair.new.run(_RESET + worlds.new_sql(world))
        decisions = folder / "resolutions.json"
        decisions.write_text(worlds.resolutions(world), encoding="utf-8")
        config = load_config(self.pair.config(folder))
        results = []
        for live in (False, True):
            options = MigrateOptions(
                live=live,
                results_dir=str(folder),
                resolutions=str(decisions),
                batch_size=batch_size,
                jobs=jobs,
            )
            result, _ = await api.migrate(config, options)
            results.append(result)
        return results[0], results[1]

    def arrived(self, world: tuple[TableSpec, ...]) -> dict[str, dict[int, tuple[object, ...]]]:
        """NEW's rows by key: the reference, then the columns."""

        async def read() -> dict[str, dict[int, tuple[object, ...]]]:
            found = {}
            for table in world:
                columns = ", ".join(["id", "ref", *(c.name for c in table.columns)])
                rows = await self.pair.new.fetch(f"SELECT {columns} FROM {table.name}")
                found[table.name] = {row[0]: (row[1], tuple(row[2:])) for row in rows}
                assert len(found[table.name]) == len(rows)
            return found

        return self.loop.run_until_complete(read())


@pytest.fixture(scope="module")
def bench(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    loop = asyncio.new_event_loop()
    make = MakePair(servers)
    pair = loop.run_until_complete(make())
    try:
        yield Bench(loop, pair, tmp_path_factory.mktemp("worlds"))
    finally:
        loop.run_until_complete(make.drop_all())
        loop.close()


def rejects(result: MigrationResult) -> dict[str, dict[int, str]]:
    """table → key → SQLSTATE, from the rejects file."""
    found: dict[str, dict[int, str]] = {}
    if result.rejects_file is None:
        return found
    for line in Path(result.rejects_file).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        table = record["table"].removeprefix("public.")
        assert record["key"]["id"] not in found.setdefault(table, {}), "a row is rejected twice"
        found[table][record["key"]["id"]] = record["sqlstate"]
    return found


def check(
    world: tuple[TableSpec, ...],
    expected: Expected,
    bench: Bench,
    dry: MigrationResult,
    live: MigrationResult,
) -> None:
    """NEW's content, both rejects files, the counts and the exit statuses."""
    foretold, met = rejects(dry), rejects(live)
    assert bench.arrived(world) == expected.rows
    assert foretold == met
    for table in world:
        seen = met.get(table.name, {})
        wanted = expected.rejects[table.name]
        assert seen.keys() == wanted.keys()
        assert all(wanted[key] in ("", state) for key, state in seen.items()), (seen, wanted)
    counts = {
        t.table.removeprefix("public."): (t.rows_read, t.rows_migrated, t.rows_failed) for t in live.tables
    }
    assert counts == {
        t.name: (len(t.rows), len(expected.rows[t.name]), len(expected.rejects[t.name])) for t in world
    }
    assert counts == {
        t.table.removeprefix("public."): (t.rows_read, t.rows_migrated, t.rows_failed) for t in dry.tables
    }
    status = 1 if any(expected.rejects.values()) else 0
    assert (dry.exit_status, live.exit_status) == (status, status)


def examine(world: tuple[TableSpec, ...], bench: Bench) -> None:
    """One example, at batch borders that cut it to pieces."""
    note(worlds.old_sql(world))
    note(worlds.new_sql(world))
    note(worlds.resolutions(world))
    dry, live = bench.run(world, batch_size=5, jobs=2)
    check(world, migrate(world), bench, dry, live)


# Shrinking costs minutes on real servers: the failing world is small and printed, and a blob replays it.
_LASTING = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@settings(_LASTING, max_examples=EXAMPLES)
@given(world=worlds.worlds())
def test_worlds_arrive_as_computed(world: tuple[TableSpec, ...], bench: Bench) -> None:
    examine(world, bench)


@pytest.mark.campaign
@settings(_LASTING, max_examples=CAMPAIGN, derandomize=False)
@given(world=worlds.worlds())
def test_thousands_of_worlds_arrive_as_computed(world: tuple[TableSpec, ...], bench: Bench) -> None:
    examine(world, bench)
