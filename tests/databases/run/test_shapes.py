"""Flows that do not make one row of each old row, on real servers: counted, rejected by name, resumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from support import MakePair
from support.runs import migrate
from tranship.analysis import prepare
from tranship.model.shape import Filter, Shape


def shaped(monkeypatch: pytest.MonkeyPatch, shapes: Mapping[str, Shape]) -> None:
    """Gives the flows of some old tables a shape."""
    built = prepare.build

    def build(*arguments: object) -> object:
        plan, problems = built(*arguments)
        groups = [
            replace(
                g,
                tables=tuple(replace(t, shape=shapes.get(t.old.name, t.shape)) for t in g.tables),
            )
            for g in plan.groups
        ]
        return replace(plan, groups=tuple(groups)), problems

    monkeypatch.setattr(prepare, "build", build)


async def test_a_filter_selects_rows_and_counts_the_others(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY, tenant int, name text);"
        "INSERT INTO item SELECT n, n % 10, 'item ' || n FROM generate_series(1, 2000) n;",
        "CREATE TABLE item (id int PRIMARY KEY, tenant int, name text CHECK (name <> 'item 13'));",
    )
    shaped(monkeypatch, {"item": Shape(filter=Filter("old.tenant = 3 -- one tenant"))})
    dry = await migrate(pair, tmp_path, live=False)
    result = await migrate(pair, tmp_path)
    assert [(t.rows_read, t.rows_migrated, t.rows_failed, t.rows_left_out) for t in result.tables] == [
        (2000, 199, 1, 1800)
    ]
    assert dry.tables[0].rows_failed == 1
    assert await pair.new.value("SELECT count(*) FROM item WHERE tenant = 3") == 199
