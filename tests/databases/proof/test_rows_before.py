"""Rows that NEW held before the run: those that were equal or updated are compared by key, kept ones are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate, verify
from tranship.model.difference import DifferenceKind, RowsBefore
from tranship.report.verification import before_lines

OLD = """
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric);
INSERT INTO item SELECT g, 'name ' || g, g + 0.50 FROM generate_series(1, 300) g;
"""
NEW = """
CREATE TABLE item (id bigint PRIMARY KEY, name text, price numeric, own text);
INSERT INTO item SELECT g, CASE WHEN g > 10 THEN 'other' ELSE 'name ' || g END, g + 0.50, 'mine' FROM generate_series(1, 40) g;
"""


def decided(folder: Path, rows: str) -> str:
    """The file with the decision about the rows of NEW."""
    path = folder / "decisions.json"
    path.write_text(
        json.dumps({"resolutions": {"item": [{"action": "existing", "key": ["id"], "rows": rows}]}})
    )
    return str(path)


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
