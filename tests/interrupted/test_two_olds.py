"""Two OLDs into one NEW at the same time: what one run has off is not put back
while the other counts on it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate, owned_by_a_plain_role
from tranship.errors import TranshipError

NEW = """
CREATE TABLE note (id int PRIMARY KEY, word text);
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.word := 'changed by a trigger';
RETURN NEW; END$$;
CREATE TRIGGER t_shout BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION shout();
"""


def old(first: int) -> str:
    return (
        "CREATE TABLE note (id int PRIMARY KEY, word text); INSERT INTO note SELECT n,"
        f" 'w' || n FROM generate_series({first}, {first + 999}) n"
    )


async def test_no_trigger_meets_the_rows_of_the_second(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(old(1), NEW)
    other = Pair((await make_pair(old(2001), "")).old, pair.new)
    role = await owned_by_a_plain_role(pair)
    (tmp_path / "b").mkdir()
    begun, ended = asyncio.Event(), asyncio.Event()
    second: list[asyncio.Task[object]] = []

    async def crossing(name: str) -> None:
        if name != "batch.committed":
            return
        if not second:
            second.append(asyncio.create_task(migrate(other, tmp_path / "b", new=role)))
            await asyncio.wait(
                [asyncio.create_task(begun.wait()), second[0]], return_when=asyncio.FIRST_COMPLETED
            )
        elif await pair.new.value("SELECT count(*) FROM note WHERE id > 2000") and not begun.is_set():
            begun.set()
            await ended.wait()

    observe(crossing)
    assert (await migrate(pair, tmp_path, new=role)).exit_status == 0
    ended.set()
    try:
        await second[0]
    except TranshipError:
        await migrate(other, tmp_path / "b", new=role)
    assert await pair.new.fetch("SELECT count(*), count(*) FILTER (WHERE word = 'w' || id) FROM note") == [
        (2000, 2000)
    ]
    assert await pair.new.value("SELECT tgenabled::text FROM pg_trigger WHERE tgname = 't_shout'") == "O"
