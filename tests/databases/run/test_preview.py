"""Ten rows before and after, on real servers: values as the run has them, and nothing written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import CliResult, MakePair, Pair
from support.runs import migrate
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused, UsageError
from tranship.model.preview import TablePreview
from tranship.report.preview import preview_lines

OLD = """
CREATE TABLE users (id int PRIMARY KEY, mail text, state text, town text, joined text, price text, notes text);
INSERT INTO users SELECT n, 'm' || n, CASE n WHEN 3 THEN 'C' ELSE 'A' END, CASE n WHEN 2 THEN 'Oslo' ELSE 'Rome' END,
  '1.2.2020', CASE n WHEN 4 THEN 'x' ELSE n || '.5' END, 'n' FROM generate_series(1, 25) n;
CREATE TABLE scratch (line text);
"""
NEW = """
CREATE TABLE towns (id int PRIMARY KEY, name text UNIQUE);
INSERT INTO towns VALUES (7, 'Rome');
CREATE TABLE users (id int PRIMARY KEY, email text, state smallint, town_id int REFERENCES towns, joined date,
  price numeric(6,2), twice numeric GENERATED ALWAYS AS (price * 2) STORED, origin text DEFAULT 'here',
  number bigint GENERATED ALWAYS AS IDENTITY);
"""
USERS = [
    {"action": "rename", "old_column": "mail", "new_column": "email"},
    {"action": "transform", "old_column": "state", "new_column": "state", "value_mapping": {"A": 1}},
    {
        "action": "transform",
        "old_column": "town",
        "new_column": "town_id",
        "lookup_table": {"table": "towns", "key_column": "name", "value_column": "id"},
    },
    {
        "action": "transform",
        "old_column": "joined",
        "new_column": "joined",
        "transform_sql": "to_date(old.joined, 'DD.MM.YYYY')",
    },
    {"action": "transform", "old_column": "price", "new_column": "price"},
    {"action": "ignore", "old_column": "notes"},
]


async def shown(
    pair: Pair, folder: Path, entries: dict[str, list[dict[str, Any]]] | None, table: str | None = None
) -> tuple[TablePreview, ...]:
    """The preview under these decisions."""
    config = load_config(pair.config(folder))
    file = None
    if entries is not None:
        file = folder / "resolutions.json"
        await asyncio.to_thread(file.write_text, json.dumps({"resolutions": entries}))
    return await api.preview(config, resolutions=str(file) if file is not None else None, table=table)


def columns(table: TablePreview) -> dict[str, list[str | None]]:
    """By column of NEW the texts, or in parentheses why there is none."""
    return {
        column.name: [
            f"({row.after[n].note})" if row.after[n].note else row.after[n].text for row in table.rows
        ]
        for n, column in enumerate(table.columns)
    }


def rejecting(table: TablePreview) -> dict[str, bool]:
    """By the first word of each note whether the row would be rejected for it."""
    cells = [cell for row in table.rows for cell in row.after if cell.note]
    return {cell.note.split()[0].rstrip(":"): cell.rejects for cell in cells}


async def test_values_are_those_of_the_run(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    entries = {"users": USERS, "scratch": [{"action": "drop_table"}]}
    (users,) = await shown(pair, tmp_path, entries)
    found = columns(users)
    assert len(users.rows) == 10
    assert [cell.text for cell in users.rows[0].before] == ["1", "m1", "A", "Rome", "1.2.2020", "1.5", "n"]
    assert found["email"][:2] == ["m1", "m2"]
    assert found["state"][:3] == ["1", "1", "(no entry for 'C')"]
    assert found["town_id"][:2] == ["7", "(no entry for 'Oslo')"]
    assert found["price"][0] == "1.50", "NEW's numeric(6,2) prints it"
    assert found["price"][3] is not None and found["price"][3].startswith("(refused: invalid input syntax")
    assert found["twice"][0] == "3.00"
    assert found["origin"][0] == "here"
    assert set(found["number"]) == {"(filled by NEW when the row is written)"}
    assert rejecting(users) == {"no": True, "refused": True, "filled": False}
    assert users.unnamed == ("notes",), "SQL is not parsed, but its entry names the column"
    lines = [line for line in preview_lines(users) if "joined '" in line]
    assert len(lines) == len(users.rows), lines
    assert "joined '1.2.2020' (transform_sql)" in lines[0]
    assert lines[0].endswith("→ joined '2020-02-01'")
    assert users.open == ()
    assert await pair.new.value("SELECT count(*) FROM users") == 0
    assert await pair.new.value("SELECT to_regnamespace('_tranship') IS NULL")

    await migrate(pair, tmp_path, resolutions=str(tmp_path / "resolutions.json"))
    written = await pair.new.fetch(
        "SELECT id::text, email, state::text, town_id::text, joined::text, price::text, twice::text, origin FROM users"
    )
    whole = [
        tuple(cell.text for cell in row.after[:8])
        for row in users.rows
        if not any(cell.note for cell in row.after[:8])
    ]
    assert len(whole) == 7
    assert set(whole) <= set(written)


async def test_an_open_question_is_named_and_not_computed(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    (users,) = await shown(pair, tmp_path, {"users": USERS[2:4]})
    found = columns(users)
    assert set(found["state"]) == {"(open question)"}
    assert set(found["price"]) == set(found["twice"]) == {"(open question)"}
    assert found["town_id"][0] == "7"
    assert rejecting(users)["open"] is False
    assert users.open == ("notes",), "it is not left behind before somebody says so"


async def test_an_expression_that_raises_is_told_for_its_row(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, a int, big text); INSERT INTO t VALUES (1, 0, repeat('x', 300)), (2, 4, '');"
        "CREATE TABLE u (id int);",
        "CREATE TABLE t (id int PRIMARY KEY, a int, big text); CREATE TABLE u (id int);",
    )
    sql = {"action": "transform", "old_column": "a", "new_column": "a", "transform_sql": "8 / old.a"}
    (t,) = await shown(pair, tmp_path, {"t": [sql]}, "public.t")
    assert columns(t)["a"] == ["(raises: division by zero)", "2"]
    assert columns(t)["id"] == ["1", "2"]
    assert columns(t)["big"] == ["x" * 200 + "…", ""]
    (u,) = await shown(pair, tmp_path, None, "u")
    assert u.notes == ("no rows",)


async def test_items_and_lookups_that_the_run_fills(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE town (id int PRIMARY KEY, name text); INSERT INTO town VALUES (5, 'Rome');"
        "CREATE TABLE recipe (id int PRIMARY KEY, tags text, town text); INSERT INTO recipe VALUES (1, 'b,a', 'Rome');",
        "CREATE TABLE town (id int PRIMARY KEY, name text UNIQUE);"
        "CREATE TABLE recipe (id int PRIMARY KEY, tags text, town int);"
        "CREATE TABLE recipe_tag (recipe_id int, tag text, place int);",
    )
    entries = {
        "recipe": [
            {
                "action": "transform",
                "old_column": "town",
                "new_column": "town",
                "lookup_table": {"table": "town", "key_column": "name", "value_column": "id"},
            }
        ],
        "recipe -> recipe_tag": [
            {"action": "rows", "from": "regexp_split_to_table(old.tags, ',') AS item(tag)"},
            {"action": "transform", "old_column": "id", "new_column": "recipe_id"},
            {"action": "transform", "new_column": "tag", "transform_sql": "item.tag"},
            {"action": "transform", "new_column": "place", "transform_sql": "item_number"},
        ],
    }
    split, recipe = sorted(
        await shown(pair, tmp_path, entries, "recipe"), key=lambda one: one.old_columns[-1]
    )
    assert columns(recipe)["town"] == ["5"]
    assert split.flow == "recipe -> recipe_tag"
    assert columns(split) == {"recipe_id": ["1", "1"], "tag": ["a", "b"], "place": ["1", "2"]}


async def test_a_value_that_the_run_adds_to_a_lookup_table_is_not_shown_as_null(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(
        "CREATE TABLE trip (id int PRIMARY KEY, town text);"
        "INSERT INTO trip VALUES (1, 'Rome'), (2, 'Oslo'), (3, NULL);",
        "CREATE TABLE town (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);"
        "INSERT INTO town (name) VALUES ('Oslo');"
        "CREATE TABLE trip (id int PRIMARY KEY, town_id int REFERENCES town);",
    )
    looked_up = {"table": "town", "key_column": "name", "value_column": "id", "add_missing": True}
    entry = {"action": "transform", "new_column": "town_id", "lookup_table": looked_up}
    for source in ({"old_column": "town"}, {"key_sql": "trim(old.town)"}):
        (trip,) = await shown(pair, tmp_path, {"trip": [{**entry, **source}]}, "trip")
        added = "(this run adds 'Rome' to the lookup table, and NEW gives the value)"
        assert columns(trip)["town_id"] == [added, "1", None]
        assert rejecting(trip) == {"this": False}


async def test_what_cannot_be_shown_is_refused(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    with pytest.raises(UsageError, match="named 'user'") as unknown:
        await shown(pair, tmp_path, {"users": USERS}, "user")
    assert unknown.value.problems[0].hint == "did you mean 'users'?"
    with pytest.raises(UsageError, match="a decision leaves the table out"):
        await shown(pair, tmp_path, {"users": [{"action": "drop_table"}]}, "users")
    with pytest.raises(UsageError, match="what becomes of the table is an open question"):
        await shown(
            await make_pair("CREATE TABLE aa (b int)", "CREATE TABLE zz (y text)"), tmp_path, {}, "aa"
        )
    for text, code in (("now()::date", "TS339"), ("pg_sleep(1)::text::date", "TS339"), ("nowhere(1)", "TS3")):
        wrong = {
            "action": "transform",
            "old_column": "joined",
            "new_column": "joined",
            "transform_sql": text,
        }
        with pytest.raises(Refused) as refused:
            await shown(pair, tmp_path, {"users": [wrong]})
        assert refused.value.problems[0].code.startswith(code)


async def test_bytes_that_are_no_text_are_escaped(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int, a text); INSERT INTO t VALUES (1, E'\\xe4x'), (2, 'b');",
        "CREATE TABLE t (id int, a text)",
        encodings=("SQL_ASCII", "UTF8"),
    )
    (t,) = await shown(pair, tmp_path, None)
    assert [row.before[1].text for row in t.rows] == ["\\xe4x", "b"]
    assert [row.after[1].text for row in t.rows] == ["\\xe4x", "b"]


def test_the_command_shows_lines_and_json(
    make_pair: MakePair, tmp_path: Path, invoke: Callable[..., CliResult]
) -> None:
    pair = asyncio.run(
        make_pair(
            "CREATE TABLE t (id int, \"na\u202eme\" text, gone text); INSERT INTO t VALUES (1, E'a\\nb', NULL);",
            'CREATE TABLE t (id int, "na\u202eme" text)',
        )
    )
    config = pair.config(tmp_path)
    said = invoke("preview", config)
    assert said.status == 0, said
    assert "public.t → public.t" in said.stdout
    assert "na\\u202eme 'a\\u000ab' → na\\u202eme 'a\\u000ab'" in said.stdout
    assert "gone NULL" in said.stdout
    answer = json.loads(invoke("preview", config, "t", "--format", "json").stdout)
    assert answer["result"]["tables"][0]["rows"][0]["after"][1]["text"] == "a\nb"
    assert "shows values" in invoke("preview", "--help").stdout
