"""What a person sees of a run that resumes: the rows of all its tables, those that were copied before
included.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair
from support.runs import migrate
from tranship.model.progress import Event
from tranship.report.meter import Meter

TABLES = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
ROWS = "INSERT INTO a SELECT generate_series(1, 500); INSERT INTO b SELECT generate_series(1, 300);"


async def test_a_resumed_run_shows_its_share_of_all_rows(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(TABLES + ROWS, TABLES)
    killed = run_cli(
        "migrate",
        pair.config(tmp_path),
        *("--live", "--jobs", "1", "--batch-size", "100"),
        env={"TRANSHIP_FAILPOINT": "batch.committed:2:kill"},
    )
    assert killed.status == -signal.SIGKILL, killed
    events: list[Event] = []
    await migrate(pair, tmp_path, events=events)
    meter, seen = Meter(), []
    for event in events:
        meter.feed(event)
        seen.append(meter.share)
    assert seen[-1] == (800, 800)
    # Never more rows than there are: without their number, neither a share nor the time left can be told.
    assert all(done <= rows for done, rows in seen), seen
