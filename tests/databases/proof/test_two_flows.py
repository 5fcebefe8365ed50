"""Two flows of one run that fill one table of NEW: what others do to its rows meanwhile is told once, and of the flow
whose rows they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate, verify
from tranship.model.difference import DifferenceKind

CHANGED, MISSING, ADDED = DifferenceKind.CHANGED, DifferenceKind.MISSING, DifferenceKind.ADDED
OLD = """
CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item SELECT g, 'a ' || g FROM generate_series(1, 300) g;
CREATE TABLE more (id int PRIMARY KEY, name text); INSERT INTO more SELECT g, 'b ' || g FROM generate_series(1001, 1300) g;
CREATE TABLE log (line text); INSERT INTO log SELECT 'line ' || g FROM generate_series(1, 300) g;
CREATE TABLE past (line text); INSERT INTO past SELECT 'line ' || g FROM generate_series(200, 500) g;
"""
NEW = """
CREATE TABLE item (id int PRIMARY KEY, name text, kind text DEFAULT 'plain');
CREATE TABLE log (line text, year int);
"""
DECISIONS = {
    "more -> item": [{"action": "default", "new_column": "kind", "default_value": "more"}],
    "past -> log": [],
    "log": [{"action": "default", "new_column": "year", "default_value": "2024"}],
}
ALIKE = {**DECISIONS, "log": []}
"""Both flows fill the same columns of ``log``."""


def decided(folder: Path, decisions: dict[str, Any]) -> str:
    """The file with the decisions."""
    path = folder / "decisions.json"
    path.write_text(json.dumps({"resolutions": decisions}))
    return str(path)


def seen(result: Any) -> dict[str, list[tuple[object, ...]]]:
    """What differs by flow: kind, key, columns, rows, whether others did it."""
    return {
        table.flow or table.table: [
            (one.kind, one.key and one.key["id"], one.columns, one.rows, one.by_others)
            for one in table.differences
        ]
        for table in result.tables
        if table.differences
    }


def told(result: Any) -> list[tuple[object, ...]]:
    """The same of all flows."""
    return [one for found in seen(result).values() for one in found]


async def both(
    make_pair: MakePair,
    folder: Path,
    observe: Observe,
    statement: str,
    *,
    decisions: dict[str, Any] = DECISIONS,
    **options: Any,
) -> tuple[Any, Any]:
    """The results of a live run during which somebody runs a statement in NEW, and of one to which they come after
    its end, by ``verify``.
    """
    pair = await make_pair(OLD, NEW)
    struck = observe.once("phase.entered", lambda: pair.new.run(statement), passage=2)
    meanwhile = await migrate(pair, folder, resolutions=decided(folder, decisions), **options)
    observe.stop()
    assert struck
    later = await make_pair(OLD, NEW)
    (folder / "later").mkdir()
    ended = await migrate(later, folder / "later", resolutions=decided(folder, decisions))
    assert (ended.status, ended.exit_status) == ("done", 0), seen(ended)
    await later.new.run(statement)
    return meanwhile, await verify(later, folder / "later", **options)


@pytest.mark.parametrize("decisions", [DECISIONS, ALIKE])
async def test_rows_written_anew_are_equal(
    make_pair: MakePair, tmp_path: Path, observe: Observe, decisions: dict[str, Any]
) -> None:
    statement = "UPDATE item SET id = id WHERE id % 10 = 5; UPDATE log SET line = line WHERE line LIKE '%5'"
    for result in await both(make_pair, tmp_path, observe, statement, decisions=decisions):
        assert (result.exit_status, seen(result)) == (0, {})


async def test_each_row_is_told_of_its_flow(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    statement = """
        UPDATE item SET name = 'x' WHERE id IN (7, 1007); UPDATE item SET id = id WHERE id IN (8, 1008);
        INSERT INTO item VALUES (5000, 'theirs')
    """
    for result in await both(make_pair, tmp_path, observe, statement, new_in_use=True):
        assert result.exit_status == 1
        assert told(result) == [
            (CHANGED, "7", ("name",), 1, True),
            (ADDED, "5000", (), 1, True),
            (CHANGED, "1007", ("name",), 1, True),
        ]


@pytest.mark.parametrize("new_in_use", [False, True])
async def test_a_row_that_is_gone_is_not_the_equal_one_of_another_flow(
    make_pair: MakePair, tmp_path: Path, observe: Observe, *, new_in_use: bool
) -> None:
    """Both flows made ``line 250``: one is gone, and somebody wrote the other one anew."""
    statement = """
        DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log WHERE line = 'line 250');
        UPDATE log SET line = line WHERE line = 'line 250'
    """
    for decisions in (ALIKE, DECISIONS):
        folder = tmp_path / str(len(decisions["log"]))
        folder.mkdir()
        results = await both(
            make_pair, folder, observe, statement, decisions=decisions, new_in_use=new_in_use
        )
        for result in results:
            assert result.exit_status == 5, seen(result)
            assert told(result) == [(MISSING, None, (), 1, False)]


@pytest.mark.parametrize("decisions", [DECISIONS, ALIKE])
async def test_rows_without_a_key_that_others_changed(
    make_pair: MakePair, tmp_path: Path, observe: Observe, decisions: dict[str, Any]
) -> None:
    """Without a key, a changed row is one that is gone and one that was added."""
    statement = """
        UPDATE log SET line = 'x' WHERE line = 'line 5'; UPDATE log SET line = 'y' WHERE line = 'line 450';
        INSERT INTO log VALUES ('theirs')
    """
    for result in await both(make_pair, tmp_path, observe, statement, decisions=decisions):
        assert result.exit_status == 5
        found = told(result)
        assert sum(rows for kind, *_, rows, _ in found if kind is MISSING) == 2, found
        assert sum(rows for kind, *_, rows, _ in found if kind is ADDED) == 3, found


async def test_rows_that_new_held_before_are_nobodys(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """Those of each flow that somebody wrote anew were not added."""
    pair = await make_pair(
        OLD, NEW + "INSERT INTO item VALUES (1, 'a 1', 'plain'), (1001, 'b 1001', 'more'), (2, 'other', 'x')"
    )
    existing = {"action": "existing", "key": ["id"], "rows": "keep"}
    decisions = {
        **ALIKE,
        "item": [existing],
        "more -> item": [*DECISIONS["more -> item"], existing],
    }
    struck = observe.once("table.done", lambda: pair.new.run("UPDATE item SET kind = kind WHERE id < 2000"))
    result = await migrate(pair, tmp_path, resolutions=decided(tmp_path, decisions))
    observe.stop()
    assert (bool(struck), result.exit_status, seen(result)) == (True, 0, {})
    await pair.new.run("UPDATE item SET kind = kind")
    later = await verify(pair, tmp_path)
    assert (later.exit_status, seen(later)) == (0, {})
