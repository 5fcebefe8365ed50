"""A long way to NEW: batches get more rows, unless a person says how many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support import MakePair
from support.counting import CountingProxy
from support.runs import migrate
from tranship.model.notes import LargerBatches
from tranship.model.progress import BatchDone, Event, Noted

TABLE = "CREATE TABLE t (id int PRIMARY KEY)"
ROWS = 120_000


async def moved(make_pair: MakePair, folder: Path, round_trip: float, **options: Any) -> list[Event]:
    pair = await make_pair(f"{TABLE}; INSERT INTO t SELECT generate_series(1, {ROWS})", TABLE)
    events: list[Event] = []
    with CountingProxy(pair.new.server.host, pair.new.server.port, round_trip=round_trip) as proxy:
        result = await migrate(pair, folder, new=proxy.address, events=events, **options)
    assert result.stats.rows_migrated == ROWS
    return events


def batches(events: list[Event]) -> list[int]:
    return [event.read for event in events if isinstance(event, BatchDone)]


def notes(events: list[Event]) -> list[LargerBatches]:
    told = [event.what for event in events if isinstance(event, Noted)]
    return [note for note in told if isinstance(note, LargerBatches)]


async def test_batches_are_larger_where_the_way_is_long(make_pair: MakePair, tmp_path: Path) -> None:
    events = await moved(make_pair, tmp_path, 0.02, batch_size=None)
    assert len(batches(events)) == 1
    (note,) = notes(events)
    assert note.milliseconds >= 20
    assert note.rows >= ROWS


async def test_batches_have_their_usual_size_on_a_short_way(make_pair: MakePair, tmp_path: Path) -> None:
    events = await moved(make_pair, tmp_path, 0.0, batch_size=None)
    assert len(batches(events)) > 2
    assert not notes(events)


async def test_the_number_that_a_person_gave_stays(make_pair: MakePair, tmp_path: Path) -> None:
    events = await moved(make_pair, tmp_path, 0.02, batch_size=40_000)
    assert len(batches(events)) > 2
    assert not notes(events)
