"""The scene in a NEW that is not empty: an undisturbed run ends where the rules say,
computed row by row without the program.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair, crowded
from support.runs import migrate


@pytest.mark.parametrize("majors", [(17, 18), (15, 18)])
async def test_an_undisturbed_run_ends_where_the_rules_say(
    make_pair: MakePair, tmp_path: Path, majors: tuple[int, int]
) -> None:
    pair = await crowded.make(make_pair, majors)
    before = await crowded.held(pair.new)
    wanted, there, rejected = crowded.ends(await crowded.held(pair.old), before)
    result = await migrate(pair, tmp_path, resolutions=str(crowded.decide(tmp_path)))
    now = await crowded.held(pair.new)
    for table, rows in wanted.items():
        found = crowded.counted(now[table])
        assert (found - rows, rows - found) == ({}, {}), table
    counts = {t.table.removeprefix("public."): (t.rows_already_there, t.rows_failed) for t in result.tables}
    assert counts == {table: (there[table], rejected[table]) for table in wanted}
    for table in wanted:
        assert there[table] > 0 or not before[table] or table in {"log", "moment"}, table
