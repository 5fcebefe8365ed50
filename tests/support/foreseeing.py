"""A dry run of an interrupted run beside the live run that follows: both have to come to the same."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from support import Database, Pair
from support.forked import Command
from support.runs import migrate
from tranship.errors import TranshipError

Ends = dict[str, Any]


async def killed(pair: Pair, folder: Path, place: str, *options: str, new: Any = None) -> None:
    """Begins a live run and has it killed at a failpoint (``batch.committed:3``)."""
    config = pair.config(folder, new=new)
    command = [
        "migrate",
        str(config),
        "--live",
        "--jobs",
        "2",
        "--results-dir",
        str(folder / "killed"),
        *options,
    ]
    dying = Command.start(command, folder, env={"TRANSHIP_FAILPOINT": f"{place}:kill"})
    ended = await asyncio.to_thread(dying.wait)
    assert ended.status == -signal.SIGKILL, ended


async def held(database: Database) -> list[tuple[Any, ...]]:
    """Everything that a run could write in NEW, the journal included."""
    tables = await database.fetch(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'S') AND n.nspname IN ('public', '_tranship') ORDER BY 1"
    )
    found: list[tuple[Any, ...]] = []
    for (table,) in tables:
        found += sorted(
            (table, *row)
            for row in await database.fetch(f"SELECT row_to_json(t)::text FROM (SELECT * FROM {table}) AS t")
        )
    return found


async def end(pair: Pair, folder: Path, *, live: bool, **options: Any) -> Ends:
    """Runs and returns the end: exit status, codes, the counts of each table and every rejected row."""
    results = folder / ("live" if live else "dry")
    try:
        result = await migrate(pair, results, live=live, **options)
    except TranshipError as error:
        return {"exit": error.exit_status, "codes": sorted(p.code for p in error.problems)}
    rejects: Counter[str] = Counter()
    if result.rejects_file is not None:
        lines = await asyncio.to_thread(Path(result.rejects_file).read_text)
        rejects = Counter(_named(json.loads(line)) for line in lines.splitlines())
    return {
        "exit": result.exit_status,
        "codes": sorted(p.code for p in result.problems if not p.warning),
        "tables": {
            t.table: (
                t.rows_read,
                t.rows_migrated,
                t.rows_failed,
                t.rows_already_there,
                t.rejects_by_reason,
                t.losses,
                t.cells,
            )
            for t in result.tables
        },
        "left out": result.left_out,
        "rejects": rejects,
        "not asked": {t.table for t in result.tables if t.not_asked},
    }


def _differing(dry: Any, live: Any) -> Any:
    """What a dry run and a live run found otherwise, by name where there are names; empty: nothing."""
    if isinstance(dry, dict) and isinstance(live, dict):
        return {
            name: (dry.get(name), live.get(name)) for name in dry | live if dry.get(name) != live.get(name)
        }
    return {} if dry == live else (dry, live)


_NOTED = """
SELECT DISTINCT concat_ws('.', old_table::json ->> 'schema', old_table::json ->> 'name')
FROM _tranship.task WHERE findings IS NOT NULL
  AND json_array_length(convert_from(findings, 'UTF8')::json -> 'not_asked') > 0
"""
"""Tables of which a run on record says that something could not be asked before it."""


def _named(line: dict[str, Any]) -> str:
    kept = ("table", "new_table", "key", "row", "sqlstate", "constraint", "column")
    return json.dumps({name: line[name] for name in kept}, sort_keys=True)


async def foreseen(pair: Pair, folder: Path, *, but: Collection[str] = (), **options: Any) -> Ends:
    """Asserts that a dry run writes nothing and foresees the live run that follows; returns its end.

    ``but``: tables of which the dry run says that it cannot ask about all their rows.
    """
    (folder / "dry").mkdir(exist_ok=True)
    (folder / "live").mkdir(exist_ok=True)
    before = await held(pair.new)
    dry = await end(pair, folder, live=False, **options)
    assert await held(pair.new) == before
    live = await end(pair, folder, live=True, **options)
    # What could not be asked beforehand is settled once the rows are written; the journal still has it.
    assert not live.pop("not asked", None)
    if "tables" in live and dry.get("not asked"):
        noted = {table for (table,) in await pair.new.fetch(_NOTED)}
        assert dry["not asked"] <= noted, (dry["not asked"], noted)
    assert dry.get("not asked", set()) >= set(but)
    for ends in (dry, live) if but else ():
        ends["tables"] = {name: counts for name, counts in ends["tables"].items() if name not in but}
        lines = ends["rejects"].items()
        ends["rejects"] = {line: n for line, n in lines if json.loads(line)["table"] not in but}
    for part, found in live.items():
        otherwise = _differing(dry.get(part), found)
        assert not otherwise, f"{part}, dry and live: {otherwise}"
    return live
