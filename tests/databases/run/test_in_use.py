"""A NEW that somebody writes to while triggers have to be off for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate, owned_by_a_plain_role
from tranship.errors import Refused

OLD = (
    "CREATE TABLE note (id int PRIMARY KEY, word text); INSERT INTO note SELECT n,"
    " 'w' || n FROM generate_series(1, 100) n"
)
NEW = """
CREATE TABLE note (id int PRIMARY KEY, word text);
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.word := 'changed'; RETURN NEW; END$$;
CREATE TRIGGER t_shout BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION shout();
"""


async def test_a_writer_is_named(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    role = await owned_by_a_plain_role(pair)
    async with pair.new.connect() as writer:
        await writer.execute("BEGIN; INSERT INTO note VALUES (1000, 'x')")
        with pytest.raises(Refused, match=r"NEW is in use: backend \d+ \(\w+, .*\) writes to") as refused:
            await migrate(pair, tmp_path, new=dict(role))
        assert {p.code for p in refused.value.problems} == {"TS347"}
        await writer.execute("ROLLBACK")
    assert (await migrate(pair, tmp_path, new=dict(role))).exit_status == 0
