"""A dry run names the locks of the live run, and measures a sample where no run is on record."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec import UNSET

from support import MakePair
from support.runs import migrate, owned_by_a_plain_role
from tranship.model.names import Side
from tranship.model.options import RebuildIndexes

OLD = """
CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int);
INSERT INTO a SELECT g, g FROM generate_series(1, 200) g; INSERT INTO b SELECT g, g FROM generate_series(1, 200) g;
CREATE TABLE c (id int PRIMARY KEY, n int); INSERT INTO c SELECT g, g FROM generate_series(1, 12000) g;
"""
NEW = """
CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b;
CREATE TABLE c (id int PRIMARY KEY, n int); CREATE INDEX c_n ON c (n);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER watch BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION f();
"""


async def test_what_stops_others_is_named_before_the_run(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    owner = await owned_by_a_plain_role(pair)
    dry = await migrate(pair, tmp_path, live=False, new=owner, rebuild_indexes=RebuildIndexes.ALWAYS)
    assert dry.locks is not UNSET
    named = {(lock.side, lock.mode, lock.tables) for lock in dry.locks}
    assert (Side.OLD, "ACCESS SHARE", ("public.a", "public.b", "public.c")) in named
    assert (Side.NEW, "SHARE ROW EXCLUSIVE", ("public.c",)) in named, "the trigger"
    assert (Side.NEW, "ACCESS EXCLUSIVE", ("public.c",)) in named, "the index is removed"
    assert (Side.NEW, "SHARE", ("public.c",)) in named, "and built again"
    assert (Side.NEW, "ACCESS EXCLUSIVE", ("public.a", "public.b")) in named, "a key of the cycle"
    assert "index c_n is removed" in " ".join(lock.why for lock in dry.locks)


async def test_only_tables_of_old_are_counted_among_its_locks(make_pair: MakePair, tmp_path: Path) -> None:
    """The values that a run adds to a lookup table are read from tables that are named already."""
    old = (
        "CREATE TABLE place (id int PRIMARY KEY, town text); INSERT INTO place VALUES (1, 'Ulm'), (2, 'Bonn')"
    )
    new = (
        "CREATE TABLE town (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE NOT NULL);"
        "CREATE TABLE place (id int PRIMARY KEY, town_id int REFERENCES town)"
    )
    pair = await make_pair(old, new)
    looked_up = {"table": "town", "key_column": "name", "value_column": "id", "add_missing": True}
    entry = {
        "action": "transform",
        "old_column": "town",
        "new_column": "town_id",
        "lookup_table": looked_up,
    }
    file = tmp_path / "resolutions.json"
    file.write_text(json.dumps({"resolutions": {"place": [entry]}}))
    dry = await migrate(pair, tmp_path, live=False, resolutions=str(file))
    assert dry.locks is not UNSET
    assert [lock.tables for lock in dry.locks if lock.side is Side.OLD] == [("public.place",)]


async def test_a_sample_is_read_where_no_run_is_on_record(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.estimated_seconds is UNSET
    assert dry.sample is not UNSET
    assert (dry.sample.table, dry.sample.rows) == ("public.c", 12000)
    assert dry.sample.seconds > 0
    assert (await migrate(pair, tmp_path)).sample is UNSET
    again = await migrate(pair, tmp_path, live=False)
    assert again.sample is UNSET, "nothing is left to read"
    assert again.locks == ()
