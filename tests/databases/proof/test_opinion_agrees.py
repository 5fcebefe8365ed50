"""Right runs on which the second opinion, or the sums, once said that NEW differs: it says what SQL makes, or
nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Stopped
from tranship.model.options import NewSnapshot


def transform(column: str, **how: object) -> dict[str, object]:
    """A transform of a column that keeps its name."""
    return {"action": "transform", "old_column": column, "new_column": column, **how}


def decided(folder: Path, **tables: object) -> str:
    """The file with the decisions."""
    path = folder / "decisions.json"
    path.write_text(json.dumps({"resolutions": tables}))
    return str(path)


def table_of(result: Any) -> Any:
    """What the result says of ``item``."""
    return next(table for table in result.tables if table.new_table == "public.item")


KINDS = {
    "a number next to the limit of its precision": (
        "a numeric; INSERT INTO item VALUES (1, 99999999999999999999999999999.99)",
        "a numeric(31, 2)",
        transform("a"),
        (),
    ),
    "a whole number of 5 000 digits": (
        "a text; INSERT INTO item SELECT 1, repeat('0', 5000) || '7'",
        "a integer",
        transform("a"),
        (),
    ),
    "a document of 1 500 levels": (
        "a text; INSERT INTO item SELECT 1, repeat('[ ', 1500) || repeat(' ]', 1500)",
        "a jsonb",
        transform("a"),
        (),
    ),
    "an array of a domain that is another one in NEW": (
        "a part[]; INSERT INTO item VALUES (1, '{1.005}')",
        "a part[]",
        transform("a"),
        ("public.item.a (public.part[] to public.part[])",),
    ),
    "a UUID as key of a mapping": (
        "a uuid; INSERT INTO item VALUES (1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')",
        "a text",
        transform("a", value_mapping={"{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}": "x"}, default_value="none"),
        (),
    ),
    "truth values as keys of a mapping": (
        "a boolean; INSERT INTO item VALUES (1, true), (2, false)",
        "a text",
        transform("a", value_mapping={"TRUE": "x", " Fal": "y"}),
        (),
    ),
    "a hexadecimal key of a mapping": (
        "a integer; INSERT INTO item VALUES (1, 16)",
        "a text",
        transform("a", value_mapping={"0x10": "x"}),
        ("public.item.a (a key of its mapping is no plain integer)",),
    ),
    "a day that no moment reaches": (
        "a date; INSERT INTO item VALUES (1, '5874897-12-31'), (2, 'infinity'), (3, '2024-02-29')",
        "a timestamptz",
        transform("a"),
        (),
    ),
    "an enum that a user casts to text otherwise": (
        "a mood; INSERT INTO item VALUES (1, 'sad'), (2, 'glad')",
        "a mood",
        None,
        ("public.item.a (public.mood has a cast of its own)",),
    ),
}
TYPES = "CREATE TYPE mood AS ENUM ('glad', 'sad');"
CAST = """
CREATE FUNCTION told(mood) RETURNS text LANGUAGE sql AS $$SELECT 'I am ' || textin(enum_out($1))$$;
CREATE CAST (mood AS text) WITH FUNCTION told(mood);
"""


@pytest.mark.parametrize("kind", KINDS)
async def test_a_right_run_is_confirmed(make_pair: MakePair, tmp_path: Path, kind: str) -> None:
    filled, declared, decision, apart = KINDS[kind]
    column, rows = filled.split(";")
    old = f"{TYPES} {CAST} CREATE DOMAIN part AS numeric; CREATE TABLE item (id int PRIMARY KEY, {column});{rows}"
    new = f"{TYPES} CREATE DOMAIN part AS numeric(6, 2); CREATE TABLE item (id int PRIMARY KEY, {declared})"
    pair = await make_pair(old, new)
    result = await migrate(pair, tmp_path, resolutions=decided(tmp_path, item=[decision] if decision else []))
    table = table_of(result)
    # One row of one kind is a reject.
    assert result.exit_status == (1 if table.rows_failed else 0), table
    assert (table.verified, table.second_opinion.apart) == (True, apart), table


async def test_bytes_of_a_new_database_without_an_encoding(make_pair: MakePair, tmp_path: Path) -> None:
    """NEW cuts one of the spaces: the first letter has two bytes."""
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY, a text); INSERT INTO item VALUES (1, 'ä  ')",
        "CREATE TABLE item (id int PRIMARY KEY, a varchar(3))",
        encodings=("UTF8", "SQL_ASCII"),
    )
    result = await migrate(pair, tmp_path, resolutions=decided(tmp_path, item=[transform("a")]))
    table = table_of(result)
    assert (result.exit_status, table.verified) == (0, True), table
    assert table.second_opinion.apart == ("public.item: a database is SQL_ASCII",)


ZONES = "CREATE TABLE zone (code text PRIMARY KEY, name text); INSERT INTO zone VALUES ('n', 'north');"
ITEMS = """
CREATE TABLE item (id int PRIMARY KEY, zone text);
INSERT INTO item SELECT g, 'n' FROM generate_series(1, 300) g;
"""
LOOKUP = {"table": "zone", "key_column": "code", "value_column": "name"}


@pytest.mark.parametrize("change", ["UPDATE zone SET name = 'North'", "DELETE FROM zone"])
async def test_a_lookup_table_that_somebody_changed_since(
    make_pair: MakePair, tmp_path: Path, observe: Observe, change: str
) -> None:
    pair = await make_pair(ITEMS, f"{ZONES} CREATE TABLE item (id int PRIMARY KEY, zone text)")
    changed = observe.once("table.done", lambda: pair.new.run(change))
    decisions = decided(tmp_path, item=[transform("zone", lookup_table=LOOKUP)])
    result = await migrate(pair, tmp_path, resolutions=decisions)
    table = table_of(result)
    assert changed and (result.exit_status, table.verified) == (0, True), table
    assert table.second_opinion.apart == ("public.item.zone (its lookup table changed since)",)
    assert table.second_opinion.cells == table.second_opinion.rows > 0


async def interrupted(pair: Pair, folder: Path, observe: Observe, place: str) -> None:
    """A run that stops at a place."""
    observe.fail(place)
    with pytest.raises(Stopped):
        await migrate(pair, folder)


@pytest.mark.parametrize(
    "change",
    ["", "CREATE TABLE beside (); DROP TABLE beside", "UPDATE item SET zone = 'other' WHERE id IN (1, 300)"],
)
async def test_rows_that_old_changed_after_they_were_copied(
    make_pair: MakePair, tmp_path: Path, observe: Observe, change: str
) -> None:
    """The run stops twice before the proof, and each time its snapshot is lost. What is written into other
    tables of OLD's server meanwhile does not matter.
    """
    pair = await make_pair(ITEMS, "CREATE TABLE item (id int PRIMARY KEY, zone text)")
    await interrupted(pair, tmp_path, observe, "table.done")
    if change:
        await pair.old.run(change)
    await interrupted(pair, tmp_path, observe, "phase.entered")
    result = await migrate(pair, tmp_path)
    table = table_of(result)
    assert (result.exit_status, table.verified) == (0, True), table
    gone = ("public.item: the snapshot in which its rows were read is gone",)
    assert table.second_opinion.apart == (gone if change.startswith("UPDATE") else ())


async def test_tables_that_were_read_in_two_snapshots(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    other = "CREATE TABLE later (id int PRIMARY KEY, item int REFERENCES item);"
    pair = await make_pair(
        f"{ITEMS} {other} INSERT INTO later VALUES (1, 1)",
        f"CREATE TABLE item (id int PRIMARY KEY, zone text); {other}",
    )
    await interrupted(pair, tmp_path, observe, "table.done")
    await pair.old.run("UPDATE item SET zone = 'other' WHERE id = 300; INSERT INTO later VALUES (2, 2)")
    result = await migrate(pair, tmp_path, new_snapshot=NewSnapshot.UNFINISHED)
    table = table_of(result)
    assert (result.exit_status, table.verified) == (0, True), table
    assert table.second_opinion.apart == ("public.item: the snapshot in which its rows were read is gone",)
    later = next(table for table in result.tables if table.new_table == "public.later")
    assert (later.rows_read, later.second_opinion.rows) == (2, 2)


async def test_a_moment_that_begins_our_era_on_one_side_only(make_pair: MakePair, tmp_path: Path) -> None:
    """NEW prints it with the local time of a zone in which it is still the year 1 BC."""
    pair = await make_pair(
        "CREATE TABLE item (id timestamptz PRIMARY KEY, at timestamptz);"
        " INSERT INTO item VALUES ('0001-01-01 00:00:00+00', '0001-01-01 00:00:00+00'), ('infinity', '-infinity')",
        "CREATE TABLE item (id timestamptz PRIMARY KEY, at timestamptz)",
    )
    await pair.old.run(f"ALTER DATABASE \"{pair.old.name}\" SET TimeZone = 'Europe/Berlin'")
    await pair.new.run(f"ALTER DATABASE \"{pair.new.name}\" SET TimeZone = 'America/New_York'")
    result = await migrate(pair, tmp_path)
    table = table_of(result)
    assert (result.exit_status, table.verified) == (0, True), table
    assert (table.second_opinion.rows, table.second_opinion.cells) == (2, 4)


async def test_large_values_are_not_read_whole(make_pair: MakePair, tmp_path: Path) -> None:
    """Of the two hundred rows that are drawn each may hold a document of many megabytes."""
    columns = "CREATE TABLE item (id int PRIMARY KEY, a text, b bytea, c jsonb);"
    pair = await make_pair(
        f"""{columns} INSERT INTO item SELECT g, repeat(md5(g::text), size), decode(repeat(md5(g::text), size), 'hex'),
            to_jsonb(repeat(md5(g::text), size)) FROM (SELECT g, CASE WHEN g % 2 = 0 THEN 600 ELSE 1000 END AS size
            FROM generate_series(1, 300) g) g""",
        columns,
    )
    result = await migrate(pair, tmp_path)
    table = table_of(result)
    assert (result.exit_status, table.verified) == (0, True), table
    said = table.second_opinion
    assert said.rows >= 200
    assert said.rows * 2 <= said.cells <= said.rows * 3
