"""Journals that tranship 0.1.0 wrote: still read, restored from, rolled back and purged;
a finished one is taken over, an unfinished one is not finished.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.earlier import RESOLUTIONS, earlier_pair
from support.runs import migrate
from tranship.config import load_config
from tranship.errors import Refused
from tranship.execution.rollback.command import rollback
from tranship.execution.upkeep.doctor import examine, restore_all
from tranship.execution.upkeep.status import purge, status

UNFINISHED = ("killed", "keys_off", "triggers_off", "indexes_off")
TABLES = ("country", "left_a", "left_b", "member", "visit")


async def counts(pair: Pair) -> dict[str, int]:
    """Rows of each table of NEW."""
    return {table: await pair.new.value(f"SELECT count(*) FROM public.{table}") for table in TABLES}


async def switched(pair: Pair) -> list[tuple[Any, ...]]:
    """How triggers, foreign keys and indexes of NEW stand."""
    return await pair.new.fetch(
        "SELECT tgname::text, tgenabled::text, '' FROM pg_trigger WHERE NOT tgisinternal"
        " UNION ALL SELECT conname, convalidated::text, pg_get_constraintdef(oid) ||"
        " coalesce(obj_description(oid), '')"
        " FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        " UNION ALL SELECT c.relname, pg_get_indexdef(c.oid), coalesce(obj_description(c.oid), '')"
        " FROM pg_class c WHERE c.relkind = 'i' AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3"
    )


async def run(pair: Pair, folder: Path, **options: Any) -> Any:
    """The migration that the dumps were made with."""
    return await migrate(pair, folder, resolutions=RESOLUTIONS, batch_size=50, **options)


async def test_tables_of_a_finished_run_are_already_migrated(make_pair: MakePair, tmp_path: Path) -> None:
    """By their names: the hash of that time covered words, too.

    Another run makes the journal one of this version.
    """
    pair = await earlier_pair(make_pair, "finished")
    before = await counts(pair)
    result = await run(pair, tmp_path)
    assert all(table.already_migrated for table in result.tables)
    assert (result.stats.rows_migrated, result.stats.rows_failed) == (before["member"] + 169, 32)
    assert await pair.new.value("SELECT to_regclass('_tranship.format') IS NULL")
    await pair.old.run("CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (1)")
    await pair.new.run("CREATE TABLE late (id int PRIMARY KEY)")
    result = await run(pair, tmp_path)
    assert [t.table for t in result.tables if not t.already_migrated] == ["public.late"]
    assert await counts(pair) == before
    assert await pair.new.fetch("SELECT number FROM _tranship.format") == [(2,)]
    first, second = await status(load_config(pair.config(tmp_path)))
    assert (first.run.format, second.run.format) == (1, 2)
    assert {t.rejected for t in first.tables} >= {29}


async def test_a_dry_run_writes_no_new_format(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await earlier_pair(make_pair, "finished")
    result = await run(pair, tmp_path, live=False)
    assert all(table.already_migrated for table in result.tables)
    assert await pair.new.value("SELECT to_regclass('_tranship.format') IS NULL")


@pytest.mark.parametrize("name", UNFINISHED)
async def test_an_unfinished_run_is_refused_by_the_version_that_can_finish_it(
    make_pair: MakePair, tmp_path: Path, name: str
) -> None:
    pair = await earlier_pair(make_pair, name)
    before = await counts(pair)
    with pytest.raises(Refused) as refused:
        await run(pair, tmp_path)
    assert refused.value.code == "TS384"
    assert "0.1.0" in refused.value.message
    assert await counts(pair) == before
    assert await pair.new.value("SELECT to_regclass('_tranship.format') IS NULL")


@pytest.mark.parametrize("name", UNFINISHED)
async def test_restart_takes_it_back_and_moves_everything(
    make_pair: MakePair, tmp_path: Path, name: str
) -> None:
    pair = await earlier_pair(make_pair, name)
    result = await run(pair, tmp_path, restart=True)
    assert result.exit_status == 1
    assert (result.stats.rows_migrated, result.stats.rows_failed) == (292, 32)
    assert await pair.new.fetch("SELECT 1 FROM _tranship.undo WHERE NOT done") == []
    whole = await earlier_pair(make_pair, "finished")
    assert await counts(pair) == await counts(whole)
    assert await switched(pair) == await switched(whole)


@pytest.mark.parametrize("name", ("finished", *UNFINISHED))
async def test_rollback_takes_its_rows(make_pair: MakePair, tmp_path: Path, name: str) -> None:
    pair = await earlier_pair(make_pair, name)
    before = await counts(pair)
    config = load_config(pair.config(tmp_path))
    looked = await rollback(config, live=False)
    assert sum(t.unchanged for t in looked.tables) == sum(before.values())
    told = await rollback(config, live=True)
    assert told.deleted == sum(before.values())
    assert set((await counts(pair)).values()) == {0}
    assert await status(config) == ()


@pytest.mark.parametrize("name", ("keys_off", "triggers_off", "indexes_off"))
async def test_doctor_restores_what_is_off(make_pair: MakePair, tmp_path: Path, name: str) -> None:
    pair = await earlier_pair(make_pair, name)
    config = load_config(pair.config(tmp_path))
    found = await examine(config)
    assert found
    (state,) = await status(config)
    assert len(state.switched_off) == len(found)
    assert all(
        d.restored or "validity" in d.undo.what or "spon" in d.undo.what
        for d in await restore_all(config, print)
    )
    left = {d.undo.what for d in await examine(config)}
    whole = dict.fromkeys(await switched(await earlier_pair(make_pair, "finished")))
    off = [line for line in whole if line not in await switched(pair)]
    # Rows are missing, so that a key to them cannot be validated yet.
    assert len(off) <= len(left) + 1


@pytest.mark.parametrize(
    "planted",
    [
        "ALTER ROLE mallory SUPERUSER",
        'ALTER TABLE ONLY "public"."member" ENABLE ALWAYS TRIGGER "T Always"; ALTER ROLE mallory SUPERUSER',
        'ALTER TABLE ONLY "public"."member" DISABLE TRIGGER "T Always"--',
        "CREATE INDEX x ON public.member (pg_catalog.pg_sleep(1))",
    ],
)
async def test_sql_that_is_none_of_ours_is_shown_and_not_executed(
    make_pair: MakePair, tmp_path: Path, planted: str
) -> None:
    pair = await earlier_pair(make_pair, "triggers_off")
    async with pair.new.connect() as conn:
        await conn.execute(
            "UPDATE _tranship.undo SET sql = $1 WHERE what = 'trigger T Always of public.member'", planted
        )
    config = load_config(pair.config(tmp_path))
    (bad,) = [
        d for d in await restore_all(config, print) if d.undo.what == "trigger T Always of public.member"
    ]
    assert not bad.restored
    assert planted in bad.problem
    assert await pair.new.value("SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'T Always'") == "D"


async def test_purge_removes_a_finished_one(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await earlier_pair(make_pair, "finished")
    assert len((await purge(load_config(pair.config(tmp_path)))).runs) == 1
    assert await pair.new.value("SELECT to_regnamespace('_tranship') IS NULL")


async def test_purge_keeps_an_unfinished_one(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await earlier_pair(make_pair, "killed")
    with pytest.raises(Refused) as refused:
        await purge(load_config(pair.config(tmp_path)))
    assert refused.value.code == "TS353"
