"""``doctor --restore`` beside a run whose lock session is gone although it lives: the run is shut out
before anything is put back under its feet.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import END_LOCKS, migrate, owned_by_a_plain_role
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.execution.upkeep.doctor import restore_all

OLD = (
    "CREATE TABLE note (id int PRIMARY KEY, word text); INSERT INTO note SELECT n,"
    " 'w' || n FROM generate_series(1, 1000) n"
)
NEW = """
CREATE TABLE note (id int PRIMARY KEY, word text);
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.word := 'changed by a trigger';
RETURN NEW; END$$;
CREATE TRIGGER t_shout BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION shout();
"""


async def test_no_row_meets_a_trigger_that_doctor_put_back(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    role = await owned_by_a_plain_role(pair)
    config = load_config(pair.config(tmp_path, name="doctor.json", new=role))

    async def restoring() -> None:
        assert await pair.new.fetch(END_LOCKS) == [(True,)]
        assert [d.restored for d in await restore_all(config, lambda _: None)] == [True]

    observe.once("batch.committed", restoring)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, new=role)
    assert stopped.value.code == "TS412"
    assert (await migrate(pair, tmp_path, new=role)).exit_status == 0
    assert await pair.new.fetch("SELECT count(*), count(*) FILTER (WHERE word = 'w' || id) FROM note") == [
        (1000, 1000)
    ]
    assert await pair.new.value("SELECT tgenabled::text FROM pg_trigger WHERE tgname = 't_shout'") == "O"
