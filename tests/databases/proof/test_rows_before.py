"""Rows that NEW held before the run: those that were equal or updated are compared by key, kept ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.held_before import NEW, OLD, decided
from support.observe import Observe
from support.runs import migrate, verify
from tranship.errors import Stopped
from tranship.model.difference import DifferenceKind, RowsBefore
from tranship.report.verification import before_lines


async def test_updated_and_equal_rows_are_compared(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    result = await migrate(pair, tmp_path, resolutions=decided(tmp_path, "update"))
    (table,) = result.tables
    assert (result.exit_status, table.rows_before) == (0, RowsBefore(40)), table
    assert list(before_lines(result.tables)) == ["Rows that NEW held before: 40 compared with OLD's by key"]
    (later,) = (await verify(pair, tmp_path)).tables
    assert later.rows_before == RowsBefore(40)


async def test_kept_rows_are_named_as_not_compared(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    result = await migrate(pair, tmp_path, resolutions=decided(tmp_path, "keep"))
    assert (result.exit_status, result.tables[0].rows_before) == (0, RowsBefore(0, 40))
    assert list(before_lines(result.tables)) == [
        "Rows that NEW held before: 40 kept by decision, not compared"
    ]


@pytest.mark.parametrize(
    ("change", "kind", "key", "columns"),
    [
        (
            "UPDATE item SET price = price + 0.00 * 1, name = 'wrong' WHERE id = 30",
            "changed",
            "30",
            ("name",),
        ),
        ("UPDATE item SET price = price * 1.0 WHERE id = 3", "changed", "3", ("price",)),
        ("DELETE FROM item WHERE id = 4", "missing", "4", ()),
    ],
)
async def test_a_change_since_is_found(
    make_pair: MakePair,
    tmp_path: Path,
    observe: Observe,
    change: str,
    kind: str,
    key: str,
    columns: tuple[str, ...],
) -> None:
    pair = await make_pair(OLD, NEW)
    struck = observe.once("table.done", lambda: pair.new.run(change))
    result = await migrate(pair, tmp_path, resolutions=decided(tmp_path, "update"))
    (table,) = result.tables
    assert struck and (result.exit_status, table.verified) == (5, False)
    found = [(one.kind, one.key and one.key["id"], one.columns) for one in table.differences]
    assert (DifferenceKind(kind), key, columns) in found


@pytest.mark.parametrize("change", ["", "UPDATE item SET name = 'later' WHERE id IN (3, 30)"])
async def test_rows_that_old_changed_before_a_run_went_on(
    make_pair: MakePair, tmp_path: Path, observe: Observe, change: str
) -> None:
    """All tables are copied: what OLD holds by now is not what the run read."""
    pair = await make_pair(OLD, NEW)
    decisions = decided(tmp_path, "update")
    observe.fail("table.done")
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, resolutions=decisions)
    if change:
        await pair.old.run(change)
    result = await migrate(pair, tmp_path, resolutions=decisions)
    (table,) = result.tables
    assert (result.exit_status, table.verified) == (0, True), table
    gone = ("public.item: the snapshot in which its rows were read is gone",)
    assert table.rows_before == (RowsBefore(0, 0, 40, gone) if change else RowsBefore(40))
