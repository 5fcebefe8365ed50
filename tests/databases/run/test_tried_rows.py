"""An answer that is tried shows the rows first for which something goes wrong, and says how many it looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from tranship.api.preview import preview_answer
from tranship.codec.resolutions import read_resolutions
from tranship.config import load_config
from tranship.execution.preview import wrong_rows
from tranship.model.preview import TablePreview, WrongRows

OLD = """
CREATE TABLE t (id int PRIMARY KEY, mail varchar(60), state text, size text, born date);
INSERT INTO t SELECT n, CASE WHEN n > 7980 THEN repeat('x', 40) ELSE 'm' || n END, CASE n WHEN 7000 THEN 'Z' ELSE 'A' END,
  CASE n WHEN 300 THEN 'ten' ELSE '10' END, CASE WHEN n <> 6500 THEN date '2020-01-01' END FROM generate_series(1, 8000) n;
"""
NEW = """
CREATE TABLE t (id int PRIMARY KEY, mail varchar(18), state smallint, size int, born date NOT NULL);
"""


async def tried(pair: Pair, folder: Path, column: str, **fields: Any) -> TablePreview:
    """What a transform of one column makes of ten rows."""
    entry = {"action": "transform", "old_column": column, "new_column": column, **fields}
    path = folder / "resolutions.json"
    path.write_text(json.dumps({"resolutions": {"t": [entry]}}), encoding="utf-8")
    config = load_config(pair.config(folder))
    (shown,) = await preview_answer(config, read_resolutions(path), "t", "$.resolutions.t[0]")
    assert len(shown.rows) == 10
    return shown


def wrong(shown: TablePreview) -> list[str | None]:
    """The ids of the rows that would be rejected; they stand before all others."""
    at = shown.old_columns.index("id")
    refused = [row.before[at].text for row in shown.rows if row.after[0].rejects]
    assert refused == [row.before[at].text for row in shown.rows[: len(refused)]]
    return refused


async def test_rows_that_go_wrong_are_found_wherever_they_are(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    mail = await tried(pair, tmp_path, "mail")
    assert wrong(mail) == [str(n) for n in range(7981, 7991)]
    assert mail.wrong == WrongRows(None, 20)
    assert "too long" in mail.rows[0].after[0].note
    state = await tried(pair, tmp_path, "state", value_mapping={"A": 1})
    assert (wrong(state), state.wrong) == (["7000"], WrongRows(None, 1))
    assert state.rows[0].after[0].note == "no entry for 'Z'"
    assert [row.before[0].text for row in state.rows[1:]] == [str(n) for n in range(1, 10)]
    size = await tried(pair, tmp_path, "size")
    assert (wrong(size), size.wrong) == (["300"], WrongRows(None, 1))
    born = await tried(pair, tmp_path, "born")
    assert (wrong(born), born.wrong) == (["6500"], WrongRows(None, 1))
    assert "NOT NULL" in born.rows[0].after[0].note
    assert await pair.new.value("SELECT count(*) FROM t") == 0


async def test_an_expression_is_computed_for_the_first_rows(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    size = await tried(pair, tmp_path, "size", transform_sql="replace(old.size, 'ten', 'eleven')")
    assert (wrong(size), size.wrong) == (["300"], WrongRows(5000, 1))
    raised = await tried(pair, tmp_path, "size", transform_sql="old.size::int + 1")
    assert (wrong(raised), raised.wrong) == (["300"], WrongRows(5000, 1))
    mail = await tried(pair, tmp_path, "mail", transform_sql="old.mail")
    assert (wrong(mail), mail.wrong) == ([], WrongRows(5000, 0)), "the long ones are not among them"
    every = await tried(pair, tmp_path, "size", transform_sql="old.size || 'x'")
    assert len(wrong(every)) == 10
    assert every.wrong == WrongRows(250, 250), "enough were found"
    none = await tried(pair, tmp_path, "mail", transform_sql="left(old.mail, 18)")
    assert wrong(none) == []


async def test_the_time_that_it_takes_is_bounded(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await make_pair(OLD, NEW)
    monkeypatch.setattr(wrong_rows, "LOOK_SECONDS", 1)
    slow = "(SELECT max(n)::text FROM generate_series(1, 60000 + old.id) AS n)"
    size = await tried(pair, tmp_path, "size", transform_sql=slow)
    assert size.wrong == WrongRows(0) and size.rows[0].after[0].text == "60001"


async def test_where_the_types_vouch_nothing_is_looked_for(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11)",
        "CREATE TABLE t (id bigint PRIMARY KEY)",
    )
    shown = await tried(pair, tmp_path, "id")
    assert shown.wrong == WrongRows(None, by_types=True)
