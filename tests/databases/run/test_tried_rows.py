"""An answer that is tried shows the rows first for which something goes wrong, and says how many it looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from tranship.api.preview import preview_answer
from tranship.codec.resolutions import read_resolutions
from tranship.config import load_config
from tranship.execution.preview import wrong_rows
from tranship.execution.preview.old_rows import OldRows
from tranship.model.locator import Locator
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


async def test_an_expression_is_computed_for_some_rows(make_pair: MakePair, tmp_path: Path) -> None:
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
    slow = "(SELECT max(n)::text FROM generate_series(1, 400000 + old.id) AS n)"
    size = await tried(pair, tmp_path, "size", transform_sql=slow)
    assert size.wrong == WrongRows(0) and size.rows[0].after[0].text == "400001"


async def test_where_the_types_vouch_nothing_is_looked_for(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11)",
        "CREATE TABLE t (id bigint PRIMARY KEY)",
    )
    shown = await tried(pair, tmp_path, "id")
    assert shown.wrong == WrongRows(None, by_types=True)


async def test_what_is_shown_is_among_the_rows_that_were_looked_at(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a flow filters or joins, a query for ten rows need not give the first ones of a longer list."""
    first = OldRows.first

    async def others(rows: OldRows, most: int = 10, predicates: Sequence[str] = ()) -> list[Locator]:
        found = await first(rows, 8000, predicates)
        return found[:most] if most > 10 else found[-most:]

    monkeypatch.setattr(OldRows, "first", others)
    pair = await make_pair(OLD, NEW)
    size = await tried(
        pair, tmp_path, "size", transform_sql="CASE WHEN old.id > 7000 THEN 'bad' ELSE '1' END"
    )
    assert (wrong(size), size.wrong) == ([], WrongRows(5000, 0))
    assert not any(row.after[0].rejects for row in size.rows)


FLOWS = {
    "people": [{"action": "transform", "old_column": "age", "new_column": "age"}],
    "people -> contact": [{"action": "transform", "new_column": "person_id", "transform_sql": "old.id"}],
}
COPIED = {"action": "transform", "old_column": "email", "new_column": "email"}


async def test_the_first_entry_of_a_flow_is_tried_with_every_column(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """It decides that all columns of the new table are filled, and rows may be refused for these."""
    pair = await make_pair(
        "CREATE TABLE people (id int PRIMARY KEY, email text, age text);"
        "INSERT INTO people SELECT n, CASE WHEN n % 3 > 0 THEN 'm' || n END, n FROM generate_series(1, 60) n",
        "CREATE TABLE people (id int PRIMARY KEY, age int);"
        "CREATE TABLE contact (person_id int PRIMARY KEY REFERENCES people, email text NOT NULL)",
    )
    path = tmp_path / "resolutions.json"
    path.write_text(json.dumps({"resolutions": FLOWS}), encoding="utf-8")
    config, file = load_config(pair.config(tmp_path)), read_resolutions(path)
    (contact,) = await preview_answer(config, file, "people -> contact", file.entries[1].path)
    assert [one.name for one in contact.columns] == ["person_id", "email"]
    assert contact.wrong == WrongRows(None, 20)
    (people,) = await preview_answer(config, file, "people", file.entries[0].path)
    assert (people.new_table, [one.name for one in people.columns]) == ("public.people", ["age"])
    decided = {**FLOWS, "people -> contact": [*FLOWS["people -> contact"], COPIED]}
    path.write_text(json.dumps({"resolutions": decided}), encoding="utf-8")
    file = read_resolutions(path)
    (one,) = await preview_answer(config, file, "people -> contact", file.entries[1].path)
    assert [column.name for column in one.columns] == ["person_id"]


async def test_what_stands_under_a_table_of_named_flows_is_tried_in_each(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY, kind text); INSERT INTO item VALUES (1, 'a')",
        "CREATE TABLE thing (id int PRIMARY KEY); CREATE TABLE good (id int PRIMARY KEY)",
    )
    flows: dict[str, list[dict[str, str]]] = {
        "item": [{"action": "ignore", "old_column": "kind"}],
        **{
            f"item -> {table}": [{"action": "transform", "old_column": "id", "new_column": "id"}]
            for table in ("thing", "good")
        },
    }
    path = tmp_path / "resolutions.json"
    path.write_text(json.dumps({"resolutions": flows}), encoding="utf-8")
    config, file = load_config(pair.config(tmp_path)), read_resolutions(path)
    shown = await preview_answer(config, file, "item", file.entries[0].path)
    assert {one.new_table for one in shown} == {"public.thing", "public.good"}
