"""A fault of the compiler that the copy and the hashes share makes both agree; the second opinion sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import MakePair
from support.opined import NEW, OLD, an_hour_late, cut, decided, other_entry, swapped
from support.runs import migrate
from tranship.sql import expression


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
        ("_map_values", swapped, "state"),
        ("_for_input", cut, "price"),
        ("_zoned", an_hour_late, "due"),
        ("_lookup", other_entry, "zone"),
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
