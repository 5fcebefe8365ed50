"""Settings that role or database of NEW bring along and that would change what happens to rows:
a run does without them, or is refused.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate, owned_by_a_plain_role
from support.scene import NEW, OLD, accounted, contents, definitions
from tranship.errors import ConnectError, Stopped


async def silenced(pair: Pair) -> Pair:
    """As managed servers are set up for other tools: unless a session says otherwise no foreign key
    is checked and replica triggers fire.
    """
    await pair.new.run(f"ALTER DATABASE \"{pair.new.name}\" SET session_replication_role = 'replica'")
    return pair


async def test_a_database_that_is_a_replica_by_default(make_pair: MakePair, tmp_path: Path) -> None:
    calm, pair = await make_pair(OLD, NEW), await silenced(await make_pair(OLD, NEW))
    await migrate(calm, tmp_path)
    before = await definitions(pair.new)
    assert (await migrate(pair, tmp_path)).exit_status == 1
    assert await contents(pair.new) == await contents(calm.new)
    assert await definitions(pair.new) == before
    await accounted(pair)


async def test_foreign_keys_are_checked_in_it(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    """A parent that somebody deletes in the middle: its child is rejected, and never an orphan under a key
    that says that it holds.
    """
    pair = await make_pair(
        "CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT generate_series(1, 100);"
        "CREATE TABLE part (id int PRIMARY KEY, item int); INSERT INTO part SELECT n,"
        " n FROM generate_series(1, 100) n;",
        "CREATE TABLE item (id int PRIMARY KEY);"
        " CREATE TABLE part (id int PRIMARY KEY, item int CONSTRAINT part_item"
        " REFERENCES item);",
    )
    await silenced(pair)

    async def deleting() -> None:
        await pair.new.run("DELETE FROM item WHERE id = 7")

    observe.once("table.done", deleting)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path)
    # The deleted row is one that the run wrote: the run ends well only once it is back.
    assert stopped.value.code == "TS430"
    await pair.new.run("INSERT INTO item VALUES (7)")
    result = await migrate(pair, tmp_path)
    assert result.tables[1].rejects_by_reason == {"23503 part_item": 1}
    assert await pair.new.value("SELECT count(*) FROM part WHERE item = 7") == 0


async def test_a_role_that_may_not_leave_it_is_refused(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await silenced(await make_pair(OLD, NEW))
    with pytest.raises(ConnectError, match="session_replication_role is replica") as refused:
        await migrate(pair, tmp_path, new=await owned_by_a_plain_role(pair))
    assert refused.value.exit_status == 2
    assert "RESET session_replication_role" in refused.value.hint
    assert await pair.new.value("SELECT count(*) FROM town") == 0
