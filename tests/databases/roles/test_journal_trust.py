"""Which journal is used: one that is whole, and that nobody of fewer rights could have written.

And that a refusal leaves none.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import Database, MakePair, Pair
from support.runs import migrate, owned_by_a_plain_role
from tranship.config import load_config
from tranship.errors import Refused
from tranship.execution.rollback.command import rollback
from tranship.execution.upkeep.doctor import restore_all
from tranship.execution.upkeep.status import purge, status
from tranship.sql.new.journal import TABLES, JournalSql

OLD = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' FROM generate_series(1, 20) n"
NEW = "CREATE TABLE t (id bigint PRIMARY KEY, v text)"
GONE = "SELECT to_regnamespace('_tranship') IS NULL"


async def role(database: Database, grant: str = "") -> str:
    """A role without any right beyond the one given."""
    name = f"low_{database.name}"
    await database.run(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'; {grant.format(role=name)}")
    return name


async def commands_refuse(pair: Pair, folder: Path, code: str) -> None:
    """Every command that would use the journal refuses with the code, and the run writes no row."""
    config = load_config(pair.config(folder))
    for command in (status(config), restore_all(config, print), rollback(config, live=True), purge(config)):
        with pytest.raises(Refused) as refused:
            await command
        assert refused.value.code == code
    for live in (True, False):
        with pytest.raises(Refused) as refused:
            await migrate(pair, folder, live=live)
        assert refused.value.code == code


async def test_a_planted_journal_is_not_used(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    low = await role(pair.new, f'GRANT CREATE ON DATABASE "{pair.new.name}" TO {{role}}')
    sql = JournalSql("_tranship")
    await pair.new.run(f"SET ROLE {low}; {sql('create_schema')}; {sql('create_tables')}")
    await commands_refuse(pair, tmp_path, "TS381")
    assert await pair.new.value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    "grant",
    [
        "GRANT INSERT ON _tranship.undo TO {role}",
        "GRANT UPDATE (done) ON _tranship.undo TO {role}",
        "GRANT TRIGGER ON _tranship.run TO PUBLIC",
        "GRANT CREATE ON SCHEMA _tranship TO {role}",
        "ALTER TABLE _tranship.task OWNER TO {role}",
    ],
)
async def test_nor_one_that_others_may_write(make_pair: MakePair, tmp_path: Path, grant: str) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    await role(pair.new, grant)
    await commands_refuse(pair, tmp_path, "TS381")


async def test_its_owner_and_readers_are_no_strangers(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    new = await owned_by_a_plain_role(pair)
    await migrate(pair, tmp_path, new=new)
    await role(pair.new, "GRANT USAGE ON SCHEMA _tranship TO {role}; GRANT SELECT ON _tranship.run TO {role}")
    assert (await migrate(pair, tmp_path, new=new)).tables[0].already_migrated
    (state,) = await status(load_config(pair.config(tmp_path, new=new)))
    assert state.run.state == "finished"


@pytest.mark.parametrize("table", TABLES[2])
async def test_a_missing_table_is_named(make_pair: MakePair, tmp_path: Path, table: str) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    await pair.new.run(f"DROP TABLE _tranship.{table}")
    with pytest.raises(Refused) as refused:
        await status(load_config(pair.config(tmp_path)))
    assert refused.value.code == "TS382"
    assert table in refused.value.message
    await commands_refuse(pair, tmp_path, "TS382")


async def test_a_later_format_is_refused(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    await pair.new.run("INSERT INTO _tranship.format VALUES (99, '9.9')")
    await commands_refuse(pair, tmp_path, "TS383")


async def test_a_refused_live_run_leaves_nothing(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW.replace("v text", "v text CHECK (id > 5)"))
    with pytest.raises(Refused) as refused:
        await migrate(pair, tmp_path, max_rejects="1")
    assert refused.value.code == "TS335"
    assert await pair.new.value(GONE)


async def test_the_plan_is_in_the_journal_with_who_decided_it(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path)
    (state,) = await status(load_config(pair.config(tmp_path)))
    assert state.run.decided_by is not None
    assert state.run.decided_by.role == pair.new.server.user
    plan = await pair.new.value("SELECT convert_from(plan, 'UTF8')::jsonb FROM _tranship.run")
    assert '"groups"' in plan
    assert '"origin": "same name"' in plan
