"""What a run had off when it died, and what people and deployments did to it before the next command: it is
found as done, or asked about with a code and a cure, and no command is a dead end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate, owned_by_a_plain_role
from support.scene import NEW, OLD, TABLES, accounted, contents, definitions
from tranship.config import load_config
from tranship.errors import Refused, Stopped, UsageError
from tranship.execution.rollback.command import rollback
from tranship.execution.switches.switch_board import SwitchBoard
from tranship.execution.upkeep.doctor import accept, examine, restore_all
from tranship.model.notes import FoundRestored
from tranship.model.progress import Event, Noted
from tranship.model.undo import Back, Gone

BOSS = "ALTER TABLE person ADD CONSTRAINT {} FOREIGN KEY (boss) REFERENCES person NOT VALID;"
INDEX = "CREATE INDEX {} ON person (town, age DESC) WITH (fillfactor = 80);"
TRIGGERS = "ALTER TABLE person ENABLE TRIGGER t_touch; ALTER TABLE person ENABLE ALWAYS TRIGGER t_always;"
KEY = "foreign key person_boss_fkey of public.person"
VALIDITY = "validity of foreign key person_boss_fkey of public.person"
TOWN = "index person_town of public.person"
OFF = ("trigger t_touch of public.person", "trigger t_always of public.person", KEY, VALIDITY, TOWN)
INDEXES = "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"


class Dead:
    """A run that died while it filled ``person``: its triggers, its key to itself and an index are off."""

    def __init__(self, pair: Pair, folder: Path, role: dict[str, object]) -> None:
        self.pair, self._folder, self._role = pair, folder, role
        self.role = str(role["username"])
        self.config = load_config(pair.config(folder, new=role))

    async def again(self, events: list[Event] | None = None, **options: object) -> int:
        """Runs the same command again."""
        options = {"rebuild_indexes": "always", "events": events, **options}
        return int((await migrate(self.pair, self._folder, new=self._role, **options)).exit_status)

    async def off(self) -> set[str]:
        """What the journal says is off."""
        return {one.undo.what for one in await examine(self.config)}


Dying = Callable[[], Awaitable[Dead]]


@pytest.fixture
def dies(make_pair: MakePair, tmp_path: Path, observe: Observe, monkeypatch: pytest.MonkeyPatch) -> Dying:
    """Makes runs that die."""

    async def dying() -> Dead:
        pair = await make_pair(OLD, NEW)
        dead = Dead(pair, tmp_path, await owned_by_a_plain_role(pair))
        passed: list[str] = []

        async def nothing(*_: object) -> None:
            """Stands for a process that was killed: it restores nothing."""

        async def die(name: str) -> None:
            off = "SELECT count(*) = 0 FROM pg_constraint WHERE conname = 'person_boss_fkey'"
            if name == "batch.committed" and await pair.new.value(off):
                passed.append(name)
                assert len(passed) < 3, "killed"

        with monkeypatch.context() as patched:
            patched.setattr(SwitchBoard, "on_after_failure", nothing)
            observe(die)
            with pytest.raises(AssertionError, match="killed"):
                await dead.again()
            observe.stop()
        assert await dead.off() == set(OFF)
        return dead

    return dying


def told(events: list[Event]) -> dict[str, Back | Gone]:
    """What the run found restored or dropped by others."""
    notes = [event.what for event in events if isinstance(event, Noted)]
    return {note.what: note.found for note in notes if isinstance(note, FoundRestored)}


async def calm(make_pair: MakePair, folder: Path) -> Pair:
    """A pair whose run nothing disturbed."""
    pair = await make_pair(OLD, NEW)
    await migrate(pair, folder, new=await owned_by_a_plain_role(pair), rebuild_indexes="always")
    return pair


async def test_what_is_back_under_its_name(dies: Dying, make_pair: MakePair, tmp_path: Path) -> None:
    dead, undisturbed = await dies(), await calm(make_pair, tmp_path)
    new = dead.pair.new
    await new.run(TRIGGERS + BOSS.format("person_boss_fkey") + INDEX.format("person_town"))
    assert {one.undo.what for one in await examine(dead.config) if one.off} == {VALIDITY}
    events: list[Event] = []
    assert await dead.again(events) == 1
    assert told(events) == {what: Back() for what in OFF if what != VALIDITY}
    assert await definitions(new) == await definitions(undisturbed.new)
    assert await new.fetch(INDEXES) == await undisturbed.new.fetch(INDEXES)
    assert await contents(new) == await contents(undisturbed.new)
    await accounted(dead.pair)


async def test_what_is_back_under_another_name(dies: Dying, make_pair: MakePair, tmp_path: Path) -> None:
    dead, undisturbed = await dies(), await calm(make_pair, tmp_path)
    new = dead.pair.new
    await new.run(TRIGGERS + BOSS.format("boss_by_hand") + INDEX.format("town_by_hand"))
    events: list[Event] = []
    assert await dead.again(events) == 1
    found = told(events)
    assert (found[KEY], found[TOWN]) == (Back(name="boss_by_hand"), Back(name="town_by_hand"))
    assert await new.fetch(
        "SELECT conname::text, convalidated FROM pg_constraint WHERE conname ~ 'boss'"
    ) == [("boss_by_hand", True)]
    indexes = [name for (name,) in await new.fetch(INDEXES)]
    assert "town_by_hand" in indexes and "person_town" not in indexes
    assert await contents(new) == await contents(undisturbed.new)
    await accounted(dead.pair)


async def test_what_is_back_in_another_form(dies: Dying) -> None:
    dead = await dies()
    new = dead.pair.new
    await new.run(
        "ALTER TABLE person ENABLE REPLICA TRIGGER t_touch; CREATE INDEX person_town ON person (town);"
        + BOSS.format("person_boss_fkey").replace("NOT VALID", "ON DELETE CASCADE NOT VALID")
    )
    events: list[Event] = []
    assert await dead.again(events) == 1
    found = told(events)
    assert found["trigger t_touch of public.person"] == Back(form="ENABLE REPLICA")
    assert "ON DELETE CASCADE" in str(found[KEY])
    assert found[TOWN] == Back(form="CREATE INDEX person_town ON public.person USING btree (town)")
    kept = "SELECT confdeltype::text, convalidated FROM pg_constraint WHERE conname = 'person_boss_fkey'"
    assert await new.fetch(kept) == [("c", True)]
    assert await new.value("SELECT tgenabled::text FROM pg_trigger WHERE tgname = 't_touch'") == "R"
    await accounted(dead.pair)


async def test_names_that_a_deployment_changed(dies: Dying) -> None:
    dead = await dies()
    new = dead.pair.new
    await new.run(
        "ALTER TRIGGER t_touch ON person RENAME TO t_new; ALTER TABLE person RENAME COLUMN town TO city;"
        f"CREATE SCHEMA app; GRANT ALL ON SCHEMA app TO {dead.role};"
        "ALTER TABLE person SET SCHEMA app; ALTER TABLE app.person RENAME TO people"
    )
    found = await restore_all(dead.config, lambda _: None)
    # The rows whose bosses did not arrive are missing: the key stays NOT VALID.
    assert {one.undo.what for one in found if one.off} == {VALIDITY}
    assert await new.value("SELECT tgenabled::text FROM pg_trigger WHERE tgname = 't_new'") == "O"
    made = await new.value("SELECT indexdef FROM pg_indexes WHERE indexname = 'person_town'")
    assert made.startswith("CREATE INDEX person_town ON app.people USING btree (city, age DESC)")
    with pytest.raises(Refused) as refused:
        await rollback(dead.config, live=True)
    assert refused.value.code == "TS380"
    cure = refused.value.hint.partition(": ")[2]
    assert (
        cure
        == 'ALTER TABLE "app"."people" SET SCHEMA "public"; ALTER TABLE "public"."people" RENAME TO "person";'
    )
    await new.run(cure + " ALTER TABLE person RENAME COLUMN city TO town")
    assert await dead.again() == 1
    await accounted(dead.pair)


async def test_what_a_deployment_dropped(dies: Dying) -> None:
    dead = await dies()
    new = dead.pair.new
    await new.run("DROP TRIGGER t_touch ON person; DROP TRIGGER t_always ON person")
    events: list[Event] = []
    assert await dead.again(events, restart=True) == 1
    assert told(events)["trigger t_touch of public.person"] == Gone("the trigger")
    await accounted(dead.pair)


@pytest.mark.parametrize("again", [False, True])
async def test_a_table_that_was_dropped(dies: Dying, again: bool) -> None:
    dead = await dies()
    new = dead.pair.new
    await new.run(
        "DROP TABLE person"
        + ("; CREATE TABLE person (id int); ALTER TABLE person OWNER TO " + dead.role if again else "")
    )
    found = await restore_all(dead.config, lambda _: None)
    assert {one.undo.what: one.now for one in found} == {what: Gone("the table") for what in OFF}
    done = await rollback(dead.config, live=True)
    rows = [(t.gone, t.missing > 0, t.left) for t in done.tables if t.table.name == "person"]
    assert rows == [(not again, again, 0)], "nothing is left of a table that was dropped"
    for table in TABLES:
        assert await new.value(f"SELECT count(*) FROM {table}") == 0 if table != "person" or again else True
    assert await new.value("SELECT count(*) FROM _tranship.run") == 0


async def test_what_stands_in_the_way_is_asked_about(dies: Dying) -> None:
    dead = await dies()
    new = dead.pair.new
    await new.run(
        "CREATE SEQUENCE person_town; ALTER TABLE person ADD CONSTRAINT person_boss_fkey CHECK (id > 0)"
    )
    with pytest.raises(Refused) as refused:
        await dead.again()
    assert [problem.code for problem in refused.value.problems] == ["TS377", "TS377"]
    assert any(f"--accept '{KEY}'" in problem.hint for problem in refused.value.problems)
    with pytest.raises(UsageError, match="nothing is switched off that is called"):
        await accept(dead.config, ["index other of public.person"])
    assert {undo.what for undo in await accept(dead.config, [KEY, TOWN])} == {KEY, TOWN}
    events: list[Event] = []
    assert await dead.again(events) == 1
    assert told(events)[VALIDITY] == Gone("the foreign key")
    assert await dead.off() == set()


@pytest.mark.parametrize("way", ["rollback", "restart", "resume", "doctor"])
async def test_no_command_is_a_dead_end(dies: Dying, way: str) -> None:
    dead = await dies()
    new = dead.pair.new
    await new.run(TRIGGERS + BOSS.format("person_boss_fkey") + INDEX.format("person_town"))
    match way:
        case "rollback":
            await rollback(dead.config, live=True)
        case "doctor":
            assert {one.undo.what for one in await restore_all(dead.config, lambda _: None) if one.off} == {
                VALIDITY
            }
        case _:
            assert await dead.again(restart=way == "restart") == 1
    assert await dead.again() == 1
    assert await dead.off() == set()
    await accounted(dead.pair)


async def test_what_comes_in_the_way_during_a_run_stops_it(dies: Dying, observe: Observe) -> None:
    dead = await dies()
    new = dead.pair.new
    hindering = False

    async def hinder(name: str) -> None:
        nonlocal hindering
        # ALTER TABLE waits for the other stream, which therefore may not wait here.
        if name != "batch.committed" or hindering:
            return
        hindering = True
        if await new.value("SELECT count(*) = 0 FROM pg_constraint WHERE conname = 'person_boss_fkey'"):
            await new.run("ALTER TABLE person ADD CONSTRAINT person_boss_fkey CHECK (id > 0)")
        else:
            hindering = False

    observe(hinder)
    with pytest.raises(Stopped) as stopped:
        await dead.again()
    assert (stopped.value.code, stopped.value.exit_status) == ("TS440", 4)
    assert "--accept" in stopped.value.hint
    observe.stop()
    await new.run("ALTER TABLE person DROP CONSTRAINT person_boss_fkey")
    assert await dead.again() == 1
    await accounted(dead.pair)
