"""A fault of the compiler that the copy and the hashes share makes both agree; the second opinion sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate
from tranship.model.builtin_types import Family
from tranship.sql import expression

OLD = """
CREATE TABLE zones (code text PRIMARY KEY, name text);
INSERT INTO zones VALUES ('n', 'north'), ('s', 'south');
CREATE TABLE item (id int PRIMARY KEY, state text, price numeric, due timestamp, zone text, note text, big bigint);
INSERT INTO item SELECT g, (ARRAY['a', 'b', NULL])[g % 3 + 1], g + 0.005, timestamp '2024-01-01' + g * interval '1 hour',
  (ARRAY['n', 's'])[g % 2 + 1], (ARRAY['', NULL, 'x', 'long ' || repeat('y', 300)])[g % 4 + 1], g FROM generate_series(1, 3000) g;
"""
NEW = """
CREATE TABLE zones (code text PRIMARY KEY, name text);
CREATE TABLE item (id bigint PRIMARY KEY, state text, price numeric(12, 2), due timestamptz, zone text, note text, big int);
"""
DECISIONS = {
    "item": [
        {
            "action": "transform",
            "old_column": "state",
            "new_column": "state",
            "value_mapping": {"a": "open", "b": "closed"},
        },
        {"action": "transform", "old_column": "price", "new_column": "price"},
        {"action": "transform", "old_column": "due", "new_column": "due"},
        {"action": "transform", "old_column": "big", "new_column": "big"},
        {
            "action": "transform",
            "old_column": "zone",
            "new_column": "zone",
            "lookup_table": {"table": "zones", "key_column": "code", "value_column": "name"},
        },
    ],
}


def decided(folder: Path) -> str:
    """The file with the decisions."""
    path = folder / "decisions.json"
    path.write_text(json.dumps({"resolutions": DECISIONS}))
    return str(path)


def _swapped(of: Callable[..., str]) -> Callable[..., str]:
    def broken(mapped, old):
        (one, first), (other, second) = mapped.pairs
        return of(type(mapped)(mapped.column, ((one, second), (other, first))), old)

    return broken


def _cut(of: Callable[..., str]) -> Callable[..., str]:
    def broken(value, old, new):
        return f"pg_catalog.trunc({value}, 2)" if new.family is Family.NUMERIC else of(value, old, new)

    return broken


def _an_hour_late(of: Callable[..., str]) -> Callable[..., str]:
    return lambda value, old, new, zone: of(f"({value} + interval '1 hour')", old, new, zone)


def _other_entry(of: Callable[..., str]) -> Callable[..., str]:
    return lambda lookup, name: f"CASE WHEN {name}.v = 'north' THEN 'south' ELSE {of(lookup, name)} END"


async def test_a_sound_compiler_is_confirmed(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    result = await migrate(pair, tmp_path, resolutions=decided(tmp_path))
    table = next(table for table in result.tables if table.new_table == "public.item")
    assert (result.exit_status, table.verified) == (0, True), table
    said = table.second_opinion
    assert said is not None and said.apart == ()
    assert said.rows >= 200
    assert said.cells == said.rows * 7


@pytest.mark.parametrize(
    ("function", "broken", "column"),
    [
        ("_map_values", _swapped, "state"),
        ("_for_input", _cut, "price"),
        ("_zoned", _an_hour_late, "due"),
        ("_lookup", _other_entry, "zone"),
    ],
)
async def test_a_broken_compiler_is_caught(
    make_pair: MakePair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    broken: Callable[[Callable[..., str]], Callable[..., str]],
    column: str,
) -> None:
    """Copy and hashes agree: without the second opinion the run would end as verified."""
    pair = await make_pair(OLD, NEW)
    monkeypatch.setattr(expression, function, broken(getattr(expression, function)))
    result = await migrate(pair, tmp_path, resolutions=decided(tmp_path))
    table = next(table for table in result.tables if table.new_table == "public.item")
    assert (result.exit_status, table.verified) == (5, False), table
    assert table.differences
    assert {one.columns for one in table.differences} == {(column,)}
    assert all(one.key and one.key["id"] for one in table.differences)
