"""What others do to NEW while a run is at its end or in its middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Stopped
from tranship.execution.switches import sequences

TABLE = "CREATE TABLE t (id int); CREATE SEQUENCE numbers"


async def test_a_sequence_that_others_draw_from_never_goes_back(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The furthest value of a column without an index takes a pass over the table."""
    pair = await make_pair(
        f"{TABLE}; SELECT setval('numbers', 100)", f"{TABLE}; SELECT setval('numbers', 95)"
    )
    real = sequences.extremes

    async def slow(*arguments: Any) -> Any:
        found = await real(*arguments)
        await pair.new.run("SELECT nextval('numbers') FROM generate_series(1, 20)")
        return found

    monkeypatch.setattr(sequences, "extremes", slow)
    await migrate(pair, tmp_path)
    assert await pair.new.value("SELECT nextval('numbers')") == 116


async def test_a_trigger_that_somebody_makes_meanwhile_is_told(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    """As a deployment does; rows that it changed must not pass for moved, exit 0."""
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, word text); INSERT INTO t SELECT n, 'w' || n"
        " FROM generate_series(1, 1000) n",
        "CREATE TABLE t (id int PRIMARY KEY, word text);"
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.word :="
        " 'changed'; RETURN NEW; END$$",
    )

    async def deploying() -> None:
        await pair.new.run("CREATE TRIGGER late BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION shout()")

    observe.once("batch.committed", deploying)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path)
    assert stopped.value.code == "TS428"
    assert (await migrate(pair, tmp_path)).exit_status == 0
    assert await pair.new.value("SELECT count(*) FROM t WHERE word <> 'changed'") == 1000
    assert await pair.new.value("SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'late'") == "O"
