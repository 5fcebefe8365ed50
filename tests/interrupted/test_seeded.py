"""A NEW that holds rows already, killed in the middle: what was there before the run is still told
from what the run wrote.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Stopped

TABLES = """
CREATE TABLE kinds (id {id} PRIMARY KEY, name text);
CREATE TABLE things (id {id} PRIMARY KEY, kind {id} REFERENCES kinds, note text);
"""
OLD = (
    TABLES.format(id="int")
    + """
INSERT INTO kinds SELECT g, 'kind ' || g FROM generate_series(1, 400) g;
INSERT INTO things SELECT g, 1 + g % 400, 'n' || g FROM generate_series(1, 1200) g;
"""
)
NEW = (
    TABLES.format(id="bigint")
    + """
INSERT INTO kinds SELECT g, CASE WHEN g % 7 = 0 THEN 'other ' ELSE 'kind ' END || g
    FROM generate_series(1, 400, 3) g;
INSERT INTO things SELECT g, 1 + g % 400, 'n' || g FROM generate_series(5, 1200, 5) g
WHERE (1 + g % 400) % 3 = 1;
"""
)
CONTENT = (
    "SELECT (SELECT md5(string_agg(k::text, ',' ORDER BY id)) FROM kinds k),"
    " (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM things t)"
)


@pytest.mark.parametrize("passage", [1, 3, 7, 12])
async def test_counts_are_those_of_an_undisturbed_run(
    make_pair: MakePair, tmp_path: Path, observe: Observe, passage: int
) -> None:
    calm, pair = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    (tmp_path / "calm").mkdir()
    wanted = await migrate(calm, tmp_path / "calm")
    there = {t.table: (t.rows_migrated, t.rows_failed, t.rows_already_there) for t in wanted.tables}
    assert there["public.kinds"] == (266, 19, 115)
    observe.fail("batch.committed", passage)
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path)
    dry = await migrate(pair, tmp_path, live=False)
    assert dry.stats.rows_read == wanted.stats.rows_read
    result = await migrate(pair, tmp_path)
    assert {t.table: (t.rows_migrated, t.rows_failed, t.rows_already_there) for t in result.tables} == there
    async with calm.new.connect() as one, pair.new.connect() as other:
        assert await one.fetchrow(CONTENT) == await other.fetchrow(CONTENT)
