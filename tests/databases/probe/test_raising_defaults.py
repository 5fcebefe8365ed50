"""What is asked of a default once, before any row: that it raises is an answer, that the connection ends is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate
from tranship.errors import TranshipError

ENDING = """CREATE FUNCTION gone() RETURNS int LANGUAGE plpgsql VOLATILE AS
$$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN 1; END$$;"""


async def test_the_end_of_the_connection_is_no_answer(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
        f"{ENDING} CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL DEFAULT gone())",
    )
    with pytest.raises(TranshipError, match="connection"):
        await migrate(pair, tmp_path, live=False)
