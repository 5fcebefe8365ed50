"""Triggers on partitions, tables added later, limits, names and roles that a run must cope with or refuse."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate, owned_by_a_plain_role
from support.scene import definitions
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused
from tranship.model.options import MigrateOptions

PARTED = """
CREATE TABLE part (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (1000) PARTITION BY RANGE (id);
CREATE TABLE part_2a PARTITION OF part_2 FOR VALUES FROM (100) TO (1000);
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'a trigger fired'; END$$;
CREATE TRIGGER cloned BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION never();
CREATE TRIGGER statement AFTER INSERT ON part FOR EACH STATEMENT EXECUTE FUNCTION never();
CREATE TRIGGER own BEFORE INSERT ON part_2a FOR EACH ROW EXECUTE FUNCTION never();
ALTER TABLE part_2a ENABLE ALWAYS TRIGGER own;
ALTER TABLE ONLY part_1 DISABLE TRIGGER cloned;
CREATE TABLE child (id int, part int);
"""


@pytest.mark.parametrize("plain", [False, True])
async def test_triggers_of_partitions_come_back_one_by_one(
    make_pair: MakePair, tmp_path: Path, plain: bool
) -> None:
    pair = await make_pair(
        "CREATE TABLE part (id int, v text); INSERT INTO part SELECT n, 'x' FROM generate_series(0, 999) n",
        PARTED,
    )
    before = await definitions(pair.new)
    assert {row[:3] for row in before} >= {
        ("part_1", "cloned", "D"),
        ("part_2a", "own", "A"),
        ("part_2a", "cloned", "O"),
    }
    result = await migrate(pair, tmp_path, new=await owned_by_a_plain_role(pair) if plain else None)
    assert (result.exit_status, result.stats.rows_migrated) == (0, 1000)
    assert await definitions(pair.new) == before


async def test_tables_added_later_join_those_already_moved(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 9);"
        " CREATE TABLE b (id int PRIMARY KEY, a int);"
        "INSERT INTO b SELECT n, n FROM generate_series(1, 12) n",
        "CREATE TABLE a (id int PRIMARY KEY CHECK (id <> 4));"
        " CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);",
    )
    for tables, moved in ((["a"], {"public.a": False}), (["a", "b"], {"public.a": True, "public.b": False})):
        config = load_config(pair.config(tmp_path, tables=tables))
        result, _ = await api.migrate(config, MigrateOptions(live=True, results_dir=str(tmp_path)))
        assert {t.table: t.already_migrated for t in result.tables} == moved
    assert [(t.rows_read, t.rows_migrated, t.rows_failed) for t in result.tables] == [(9, 8, 1), (12, 8, 4)]


async def test_a_role_with_few_connections_moves_with_fewer_streams(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000)", "CREATE TABLE t (id int)"
    )
    role = await owned_by_a_plain_role(pair)
    await pair.new.run(f"ALTER ROLE {role['username']} CONNECTION LIMIT 4")
    result = await migrate(pair, tmp_path, new=role)
    assert result.stats.rows_migrated == 1000
    assert any(p.code == "TS343" for p in result.problems)


async def test_what_is_missing_is_named_with_its_grant(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair("CREATE TABLE t (id int)", "CREATE TABLE t (id serial)")
    role = f"weak_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT SELECT ON t TO {role};"
        " REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    )
    with pytest.raises(Refused) as refused:
        await migrate(pair, tmp_path, new={"username": role, "password": "secret"})
    text = str(refused.value) + "".join(p.hint for p in refused.value.problems)
    assert f'GRANT INSERT ON "public"."t" TO "{role}"' in text.replace("GRANT SELECT, INSERT", "GRANT INSERT")
    assert f'CREATE SCHEMA "_tranship" AUTHORIZATION "{role}"' in text


async def test_names_no_encoding_of_new_can_hold(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        'CREATE TABLE "tä😀ble" (id int PRIMARY KEY, v text);'
        " INSERT INTO \"tä😀ble\" VALUES (1, 'a'), (2, NULL)",
        "CREATE TABLE plain (id int PRIMARY KEY, v text NOT NULL)",
        encodings=("UTF8", "LATIN1"),
    )
    config = load_config(pair.config(tmp_path, table_mapping={"tä😀ble": "plain"}))
    result, _ = await api.migrate(config, MigrateOptions(live=True, results_dir=str(tmp_path)))
    assert (result.stats.rows_migrated, result.stats.rows_failed) == (1, 1)
    again, _ = await api.migrate(config, MigrateOptions(live=True, results_dir=str(tmp_path)))
    assert again.tables[0].already_migrated


async def test_triggers_are_not_taken_off_while_others_write(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair("CREATE TABLE part (id int, v text); INSERT INTO part VALUES (1, 'x')", PARTED)
    role = await owned_by_a_plain_role(pair)
    async with pair.new.connect() as busy:
        await busy.execute("BEGIN; LOCK TABLE part IN ROW EXCLUSIVE MODE")
        with pytest.raises(Refused, match="in use"):
            await migrate(pair, tmp_path, new=role)
    await asyncio.sleep(0.2)
    assert (await migrate(pair, tmp_path, new=role)).exit_status == 0
