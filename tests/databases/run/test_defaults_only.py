"""A table none of whose columns comes from OLD: NEW fills its rows alone,
and may refuse some of what it made itself.
"""

from __future__ import annotations

from pathlib import Path

from support import MakePair
from support.runs import migrate


async def test_a_refused_default_rejects_its_row_alone(make_pair: MakePair, tmp_path: Path) -> None:
    """The numbers that failed tries drew are gone; one after the other is tried until each row is in
    or refused by itself.
    """
    pair = await make_pair(
        "CREATE TABLE t (); INSERT INTO t SELECT FROM generate_series(1, 20)",
        "CREATE SEQUENCE s; CREATE FUNCTION sly(n bigint) RETURNS boolean LANGUAGE sql"
        " AS $$SELECT n <> 5 AND n NOT BETWEEN 24 AND 32$$;"
        "CREATE TABLE t (id bigint NOT NULL DEFAULT nextval('s') CONSTRAINT sly CHECK (sly(id)))",
    )
    result = await migrate(pair, tmp_path)
    (table,) = result.tables
    assert table.rows_migrated + table.rows_failed == 20
    assert table.rows_migrated == await pair.new.value("SELECT count(DISTINCT id) FROM t")
    assert set(table.rejects_by_reason) <= {"23514 sly"}
