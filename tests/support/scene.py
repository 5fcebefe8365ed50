"""What the fault tests move, and how they judge the end: equal to an undisturbed run, accounted for,
nothing left switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from support import Database, Pair

OLD = """
CREATE TABLE town (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE person (id int PRIMARY KEY, town int, boss int, mail text, age int);
CREATE TABLE log (at timestamp, line text);
CREATE TABLE loop_a (id int PRIMARY KEY, b int NOT NULL);
CREATE TABLE loop_b (id int PRIMARY KEY, a int NOT NULL);
CREATE SEQUENCE numbers; SELECT setval('numbers', 4711);
INSERT INTO town SELECT n, 'town ' || n FROM generate_series(1, 50) n;
INSERT INTO person
  SELECT n, n % 55, CASE WHEN n % 3 > 0 AND n < 900 THEN n + 7 END, 'p' || n % 890 || '@example.org',
      n % 120 FROM generate_series(1, 900) n;
INSERT INTO log SELECT timestamp '2020-01-01' + (n % 300) * interval '1 hour',
    'line ' || n % 400 FROM generate_series(1, 700) n;
INSERT INTO loop_a SELECT n, n FROM generate_series(1, 300) n;
INSERT INTO loop_b SELECT n, 301 - n FROM generate_series(1, 300) n;
"""

NEW = """
CREATE TABLE town (id int PRIMARY KEY, name text NOT NULL, region text DEFAULT 'unknown');
CREATE TABLE person (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, town int REFERENCES town,
    boss bigint REFERENCES person,
  mail text UNIQUE, age int CHECK (age < 118), touched text);
CREATE TABLE log (at timestamp, line text);
CREATE INDEX log_at ON log (at); CREATE INDEX log_line ON log USING hash (line);
COMMENT ON INDEX log_line IS 'by line';
CREATE INDEX person_town ON person (town, age DESC) WITH (fillfactor = 80);
CREATE TABLE loop_a (id int PRIMARY KEY, b int NOT NULL);
CREATE TABLE loop_b (id int PRIMARY KEY, a int NOT NULL CONSTRAINT b_a REFERENCES loop_a);
ALTER TABLE loop_a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES loop_b;
COMMENT ON CONSTRAINT a_b ON loop_a IS 'closes the circle';
CREATE SEQUENCE numbers;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.touched := 'by trigger'; RETURN NEW;
END$$;
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'a trigger fired'; END$$;
CREATE TRIGGER t_touch BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER t_always BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION never();
ALTER TABLE person ENABLE ALWAYS TRIGGER t_always;
CREATE TRIGGER t_off BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION never();
ALTER TABLE person DISABLE TRIGGER t_off;
CREATE TRIGGER t_replica BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION never();
ALTER TABLE person ENABLE REPLICA TRIGGER t_replica;
"""

TABLES = ("town", "person", "log", "loop_a", "loop_b")


async def contents(database: Database, tables: Sequence[str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """Every table as a sorted multiset, and where the sequences stand."""
    found = {table: sorted(await database.fetch(f"SELECT t::text FROM {table} t")) for table in tables}
    found["numbers"] = await database.fetch("SELECT last_value, is_called FROM numbers")
    return found


async def definitions(database: Database) -> list[tuple[Any, ...]]:
    """Triggers, constraints and their comments, outside the journal."""
    return await database.fetch(
        "SELECT c.relname::text, t.tgname::text, t.tgenabled::text, '' FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
        " UNION ALL SELECT c.relname, k.conname, k.convalidated::text,"
        " pg_get_constraintdef(k.oid) || coalesce(obj_description(k.oid), '')"
        " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.connamespace ="
        " 'public'::regnamespace ORDER BY 1, 2, 3, 4"
    )


async def accounted(pair: Pair) -> None:
    """Exactly once: what OLD holds is in NEW or among the rejects, by key and by number."""
    for table in TABLES:
        old = await pair.old.value(f"SELECT count(*) FROM {table}")
        new = await pair.new.value(f"SELECT count(*) FROM {table}")
        sql = (
            "SELECT count(*) FROM _tranship.reject r JOIN _tranship.task t USING (run, position)"
            " WHERE t.old_table LIKE '%\"' || $1 || '\"%'"
        )
        assert new + await pair.new.value(sql, table) == old, table
    assert await pair.new.fetch("SELECT kind FROM _tranship.undo WHERE NOT done") == []
