"""Property: a world whose rows are filtered, merged, taken apart, split and given new keys arrives as the
world's own SQL makes it, with the same rejects in the dry run, and every row of OLD is counted once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from long.properties.shape_truth import LEFT_OUT, MERGED, REJECTED, USED, expected, sorted_rows
from long.properties.shapes import Flow, World, world
from support import Database, MakePair
from tranship import api
from tranship.config import load_config
from tranship.model.options import MigrateOptions
from tranship.model.verdict import MigrationResult, TableResult


@pytest.mark.parametrize("seed", range(4))
async def test_shapes_arrive_as_computed(make_pair: MakePair, tmp_path: Path, seed: int) -> None:
    await check(make_pair, tmp_path, world(seed))


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1000, 1400))
async def test_many_shapes_arrive_as_computed(make_pair: MakePair, tmp_path: Path, seed: int) -> None:
    await check(make_pair, tmp_path, world(seed))


async def check(make_pair: MakePair, folder: Path, drawn: World) -> None:
    """Compares NEW, the rejects and the counts with what SQL computes in a copy of OLD."""
    pair = await make_pair(drawn.old_sql, drawn.new_sql)
    truth = await expected(drawn, (await make_pair(drawn.old_sql, "")).old)
    config = load_config(pair.config(folder))
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"resolutions": drawn.decisions}))
    for live in (False, True):
        options = MigrateOptions(
            live=live, resolutions=str(answers), results_dir=str(folder), batch_size=5, jobs=2
        )
        result, _ = await api.migrate(config, options)
        status = 1 if any(truth.rejects.values()) else 0
        found = await asyncio.to_thread(rejects, result)
        wrong = compared({flow: found.get(flow, set()) for flow in truth.rejects}, truth.rejects)
        assert not wrong, f"{result.mode}, rejects: {wrong}"
        wrong = compared(counts(result), truth.counts)
        assert not wrong, f"{result.mode}, counts: {wrong}"
        assert result.exit_status == status, result.problems
    arrived = {flow.new: await contents(pair.new, flow) for flow in drawn.flows}
    wrong = compared(arrived, truth.rows)
    assert not wrong, f"rows: {wrong}"


def compared(found: Mapping[str, Collection[Any]], wanted: Mapping[str, Collection[Any]]) -> dict[str, str]:
    """Returns by flow what is there and should not be, and what should be there and is not."""
    return {
        flow: f"{_without(found[flow], rest)} instead of {_without(rest, found[flow])}"
        for flow, rest in wanted.items()
        if found[flow] != rest
    }


def _without(some: Collection[Any], others: Collection[Any]) -> list[Any]:
    return [one for one in some if one not in others]


async def contents(database: Database, flow: Flow) -> list[tuple[object, ...]]:
    """Returns all rows of a flow's new table."""
    names = ", ".join(column.name for column in flow.columns)
    return sorted_rows(await database.fetch(f"SELECT {names} FROM {flow.new}"))


def rejects(result: MigrationResult) -> dict[str, set[tuple[str, int]]]:
    """Returns by flow the rejected rows of the rejects file: the key as JSON text, and the item."""
    found: dict[str, set[tuple[str, int]]] = {}
    if result.rejects_file is None:
        return found
    for line in Path(result.rejects_file).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        flow = record.get("flow") or record["table"].removeprefix("public.")
        row = (json.dumps(record["key"], sort_keys=True), record.get("item", 0))
        assert row not in found.setdefault(flow, set()), f"a row is rejected twice: {line}"
        found[flow].add(row)
    return found


def counts(result: MigrationResult) -> dict[str, set[tuple[str, int]]]:
    """Returns by flow the rows by what became of them, without zeros."""
    return {one.label.removeprefix("public."): _counts(one) for one in result.tables}


def _counts(one: TableResult) -> set[tuple[str, int]]:
    merged = one.rows_merged if isinstance(one.rows_merged, int) else 0
    found = ((USED, one.rows_migrated), (LEFT_OUT, one.rows_left_out), (MERGED, merged))
    return {(state, rows) for state, rows in (*found, (REJECTED, one.rows_failed)) if rows}
