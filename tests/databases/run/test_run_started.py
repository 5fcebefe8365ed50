"""``run.started`` is one moment, which a run says and keeps when it goes on; a dry run takes the present one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Stopped
from tranship.model.notes import MomentOfRun
from tranship.model.progress import Event, Noted

OLD = """
CREATE TABLE loan (id int PRIMARY KEY, due timestamptz NOT NULL);
INSERT INTO loan SELECT n, now() + (n - 500) * interval '1 day' FROM generate_series(1, 1000) n
"""
NEW = """
CREATE TABLE loan (id bigint PRIMARY KEY, due timestamptz NOT NULL, late boolean CHECK (NOT late OR id % 7 > 0),
  seen timestamptz)
"""
DECISIONS = {
    "loan": [
        {"action": "transform", "new_column": "late", "transform_sql": "old.due < run.started"},
        {"action": "transform", "new_column": "seen", "transform_sql": "run.started"},
    ]
}


async def run(pair: Pair, folder: Path, *, live: bool = True) -> tuple[Any, MomentOfRun]:
    """Returns the result and the moment that the run says."""
    path = folder / "r.json"
    path.write_text(json.dumps({"resolutions": DECISIONS}))
    events: list[Event] = []
    result = await migrate(pair, folder, events=events, live=live, resolutions=str(path))
    (told,) = [e.what for e in events if isinstance(e, Noted) and isinstance(e.what, MomentOfRun)]
    return result, told


async def test_a_run_that_goes_on_keeps_its_moment(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    dry, present = await run(pair, tmp_path, live=False)
    assert not present.fixed
    observe.fail("batch.committed", 4)
    with pytest.raises(Stopped):
        await run(pair, tmp_path)
    observe.stop()
    first = await pair.new.fetch("SELECT DISTINCT seen FROM loan")
    done, told = await run(pair, tmp_path)
    assert told.fixed
    assert told.moment > present.moment
    assert await pair.new.fetch("SELECT DISTINCT seen FROM loan") == first
    (seen,) = first[0]
    assert seen.isoformat(sep=" ") in told.moment
    assert (done.stats.rows_failed, done.exit_status) == (dry.stats.rows_failed, 1)
    assert done.stats.rows_failed > 0
