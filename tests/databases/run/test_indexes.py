"""Indexes that go for a load and come back as they were, whoever dies meanwhile;
those that could refuse a row stay.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from support import CliResult, MakePair, Pair
from support.oracle import catalog
from support.runs import migrate, owned_by_a_plain_role
from tranship.errors import Refused, Stopped
from tranship.errors.codes.stops import TakenOver
from tranship.execution.resilience.connection import PlainSession
from tranship.execution.switches.indexes import LooseIndex
from tranship.execution.switches.restoring import restore
from tranship.execution.switches.switch_board import SwitchBoard
from tranship.model.catalog import Index
from tranship.model.names import TableName
from tranship.model.notes import IndexRebuilding, IndexRemoved
from tranship.model.progress import Event, Noted
from tranship.model.undo import IndexDropped, TriggerDisabled
from tranship.planning.printed.definitions import index_shape
from tranship.server.journal import Journal, prepare_journal

OLD = """
CREATE TABLE city (id int PRIMARY KEY, name varchar(40), land int);
CREATE TABLE visit (id int PRIMARY KEY, city int, at timestamp, note text, tags int[], words jsonb,
    price numeric(8,2));
CREATE SEQUENCE counter;
INSERT INTO city SELECT n, 'city ' || n, n % 7 FROM generate_series(1, 200) n;
INSERT INTO visit SELECT n, n % 210 + 1, timestamp '2020-01-01' + n * interval '1 hour', 'note ' || n,
    ARRAY[n, n % 3],
  jsonb_build_object('n', n), n FROM generate_series(1, 600) n;
"""

NEW = """
CREATE TABLE city (id int PRIMARY KEY, name varchar(40), land int);
CREATE TABLE visit (id int PRIMARY KEY, city int REFERENCES city, at timestamp, note text, tags int[],
    words jsonb, price numeric(8,2));
CREATE SEQUENCE counter;
CREATE INDEX city_land ON city (land, name) WITH (fillfactor = 70);
COMMENT ON INDEX city_land IS 'it''s a "name"';
CREATE INDEX "odd ""name'; --" ON visit USING btree (city DESC NULLS LAST, at) INCLUDE (price);
CREATE INDEX visit_hash ON visit USING hash (note);
CREATE INDEX visit_tags ON visit USING gin (tags) WITH (fastupdate = off);
CREATE INDEX visit_words ON visit USING gin (words jsonb_path_ops);
CREATE INDEX visit_brin ON visit USING brin (at) WITH (pages_per_range = 16);
CREATE INDEX visit_collated ON city (name COLLATE "C" varchar_pattern_ops);
"""
GOES = {
    "city_land",
    "odd \"name'; --",
    "visit_hash",
    "visit_tags",
    "visit_words",
    "visit_brin",
    "visit_collated",
}

STAYS = """
CREATE INDEX visit_long ON visit (note);
CREATE INDEX visit_part ON visit (city) WHERE price > 3;
CREATE INDEX visit_expression ON visit (lower(note));
ALTER INDEX visit_expression ALTER COLUMN 1 SET STATISTICS 250;
CREATE INDEX visit_clustered ON visit (price); ALTER TABLE visit CLUSTER ON visit_clustered;
CREATE UNIQUE INDEX city_name ON city (name); ALTER TABLE city ALTER name SET NOT NULL;
ALTER TABLE city REPLICA IDENTITY USING INDEX city_name;
ALTER TABLE visit ADD CONSTRAINT visit_at UNIQUE (at, id) DEFERRABLE INITIALLY DEFERRED;
COMMENT ON CONSTRAINT visit_at ON visit IS 'late';
ALTER TABLE visit ADD CONSTRAINT visit_positive CHECK (price > 0) NOT VALID;
ALTER TABLE visit ALTER note SET STATISTICS 77, ALTER note SET STORAGE EXTERNAL,
    ALTER price SET (n_distinct = 12);
ALTER TABLE visit SET (autovacuum_enabled = off, fillfactor = 90);
CREATE STATISTICS visit_stats (dependencies) ON city, price FROM visit;
COMMENT ON STATISTICS visit_stats IS 'both';
COMMENT ON COLUMN visit.note IS 'free'; COMMENT ON TABLE visit IS 'who came';
COMMENT ON INDEX visit_long IS 'stays';
GRANT SELECT ON visit TO pg_monitor; GRANT UPDATE (note) ON visit TO pg_monitor WITH GRANT OPTION;
CREATE RULE visit_rule AS ON UPDATE TO visit DO ALSO NOTHING; COMMENT ON RULE visit_rule ON visit IS 'silent';
CREATE POLICY visit_policy ON visit USING (price > 0);
CREATE PUBLICATION visits FOR TABLE visit WITH (publish = 'insert');
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'a trigger fired'; END$$;
CREATE TRIGGER t_always BEFORE INSERT ON visit FOR EACH ROW EXECUTE FUNCTION never();
ALTER TABLE visit ENABLE ALWAYS TRIGGER t_always;
CREATE TRIGGER t_plain BEFORE INSERT ON visit FOR EACH ROW EXECUTE FUNCTION never();
COMMENT ON TRIGGER t_plain ON visit IS 'loud';
CREATE TABLE part (id int, city int) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE INDEX part_city ON part (city); CREATE INDEX part_1_id ON part_1 (id);
"""
OLD_PART = "CREATE TABLE part (id int, city int); INSERT INTO part SELECT n, n FROM generate_series(1, 20) n;"
NEW_ALL = NEW + STAYS


async def indexes(pair: Pair) -> set[str]:
    return {
        name
        for (name,) in await pair.new.fetch(
            "SELECT relname::text FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace"
        )
    }


@pytest.mark.parametrize("plain", [False, True], ids=["superuser", "owner"])
async def test_everything_is_as_before_after_a_kill_and_after_the_end(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, plain: bool
) -> None:
    pair = await make_pair(OLD + OLD_PART, NEW_ALL)
    new = await owned_by_a_plain_role(pair) if plain else None
    before, names = await catalog(pair.new), await indexes(pair)
    command = (
        "migrate",
        pair.config(tmp_path, new=new),
        "--live",
        "--batch-size",
        "100",
        "--jobs",
        "2",
        "--rebuild-indexes",
        "always",
    )
    killed = await asyncio.to_thread(run_cli, *command, env={"TRANSHIP_FAILPOINT": "batch.committed:4:kill"})
    assert killed.status == -signal.SIGKILL, killed
    gone = names - await indexes(pair)
    assert gone == {name for name in GOES if name not in ("city_land", "visit_collated")}
    config = command[1]
    assert (
        "index visit_tags of public.visit: off" in (await asyncio.to_thread(run_cli, "doctor", config)).stdout
    )
    again = await asyncio.to_thread(run_cli, *command, env={"TRANSHIP_FAILPOINT": "batch.committed:1:kill"})
    assert "resuming the run" in again.stdout + again.stderr, again
    assert again.status == -signal.SIGKILL, again
    assert names - await indexes(pair) == gone
    restored = await asyncio.to_thread(run_cli, "doctor", config, "--restore")
    assert restored.status == 0, restored
    assert await catalog(pair.new) == before
    done = await asyncio.to_thread(run_cli, *command)
    assert done.status == 1, done
    assert await catalog(pair.new) == before
    assert await pair.new.value("SELECT count(*) FROM visit") == 600 - await pair.new.value(
        "SELECT count(*) FROM _tranship.reject"
    )


async def test_which_go_and_what_a_dry_run_says(
    make_pair: MakePair, tmp_path: Path, run_cli: Callable[..., CliResult]
) -> None:
    pair = await make_pair(OLD + OLD_PART, NEW_ALL)
    config = pair.config(tmp_path)
    told = await asyncio.to_thread(run_cli, "migrate", config, "--rebuild-indexes", "always")
    listed = {
        name
        for name in await indexes(pair)
        if any(
            "indexes are removed before the load" in line and name in line
            for line in told.stderr.splitlines()
        )
    }
    assert listed == GOES, told
    before = await catalog(pair.new)
    for options, wanted in (({}, set()), ({"rebuild_indexes": "always"}, GOES)):
        events: list[Event] = []
        fresh = pair if options else await make_pair(OLD + OLD_PART, NEW_ALL)
        await migrate(fresh, tmp_path, events=events, **options)
        built = [e.what.index for e in events if isinstance(e, Noted) and isinstance(e.what, IndexRebuilding)]
        assert {name for name in GOES if f"index {name} of" in " ".join(built)} == wanted
        assert await catalog(fresh.new) == before


async def test_a_rebuild_that_fails_stays_in_the_journal(pair: Pair, tmp_path: Path) -> None:
    await pair.old.run(OLD)
    await pair.new.run(NEW)
    before = await catalog(pair.new)
    events: list[Event] = []
    blocked = asyncio.Event()

    async def squat() -> None:
        await blocked.wait()
        await pair.new.run("CREATE VIEW city_land AS SELECT 1")

    squatting = asyncio.create_task(squat())

    class Hearing(list[Event]):
        def append(self, event: Event) -> None:
            super().append(event)
            if event == Noted(IndexRemoved("index city_land of public.city")):
                blocked.set()

    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, events=Hearing(events), rebuild_indexes="always", batch_size=10)
    await squatting
    assert (stopped.value.code, stopped.value.exit_status) == ("TS427", 4)
    assert "city_land" in stopped.value.message
    await pair.new.run("DROP VIEW city_land")
    assert (await migrate(pair, tmp_path, rebuild_indexes="always")).exit_status == 1
    assert await catalog(pair.new) == before


@pytest.mark.parametrize("plain", [False, True], ids=["superuser", "owner"])
async def test_taking_back_makes_the_indexes_first(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path, plain: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    new = await owned_by_a_plain_role(pair) if plain else None
    before, names = await catalog(pair.new), await indexes(pair)
    config = pair.config(tmp_path, new=new)
    command = (
        "migrate",
        config,
        "--live",
        "--batch-size",
        "100",
        "--jobs",
        "2",
        "--rebuild-indexes",
        "always",
    )
    killed = await asyncio.to_thread(run_cli, *command, env={"TRANSHIP_FAILPOINT": "batch.committed:4:kill"})
    assert killed.status == -signal.SIGKILL, killed
    assert names - await indexes(pair)
    back = await asyncio.to_thread(run_cli, "rollback", config, "--live")
    assert back.status == 0, back
    assert await catalog(pair.new) == before
    assert await pair.new.fetch("SELECT id FROM city UNION ALL SELECT id FROM visit") == []


async def test_a_run_that_was_taken_over_switches_nothing(pair: Pair) -> None:
    await pair.new.run("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a)")
    journal = Journal("_tranship")

    async def shut(conn: asyncpg.Connection) -> None:
        assert conn.is_in_transaction()
        raise Stopped(TakenOver("tranship status"))

    name = TableName("public", "t")
    definition = "CREATE INDEX t_a ON public.t USING btree (a)"
    shape = index_shape(definition)
    assert shape is not None
    one = LooseIndex(IndexDropped(name, Index("t_a", definition), shape, "public"))
    async with pair.new.connect() as conn:
        await prepare_journal(conn, "_tranship")
        session = PlainSession(conn, lambda _: None)
        with pytest.raises(Stopped):
            await SwitchBoard(journal, "r", None, lambda _: None, fence=shut).remove_indexes(session, [one])
        assert await journal.open_undo(conn) == ()
        assert await indexes(pair) == {"t_a"}
        await SwitchBoard(journal, "r", None, lambda _: None).remove_indexes(session, [one])
        zombie = SwitchBoard(journal, "r", None, lambda _: None, fence=shut)
        (undo,) = await zombie.removed_indexes(session)
        with pytest.raises(Stopped):
            await zombie.rebuild(session, undo)
        assert await journal.open_undo(conn) == (undo,)
    assert await indexes(pair) == set()


async def test_always_names_the_right_that_lacks(pair: Pair, tmp_path: Path) -> None:
    await pair.old.run(OLD)
    await pair.new.run(NEW)
    role = f"guest_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret';"
        f" GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role};"
        f"GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role};"
        f' GRANT CREATE ON DATABASE "{pair.new.name}" TO {role}'
    )
    new = {"username": role, "password": "secret"}
    with pytest.raises(Refused) as refused:
        await migrate(pair, tmp_path, new=new, rebuild_indexes="always")
    assert {p.code for p in refused.value.problems} == {"TS378"}
    assert (await migrate(pair, tmp_path, new=new)).exit_status == 1


async def test_a_lost_connection_is_not_tried_again(make_pair: MakePair) -> None:
    """Putting back over a connection that is gone fails at once: whoever has another goes on with it."""
    pair = await make_pair("", "CREATE TABLE t (x int)")
    journal = Journal("_tranship")
    said: list[Noted] = []
    async with pair.new.connect() as new:
        await prepare_journal(new, "_tranship")
        await journal.write_undo(new, "r", TriggerDisabled(TableName("public", "t"), "none", "O"))
        (undo,) = await journal.open_undo(new)
        new.terminate()
        with pytest.raises(asyncpg.InterfaceError):
            await restore(journal, PlainSession(new, said.append), undo, lambda _: None)
    assert said == []
