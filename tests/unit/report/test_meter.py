"""How far a command is, in one line, by a clock that the test sets."""

from __future__ import annotations

from tranship.model.flow import FlowId
from tranship.model.names import TableName
from tranship.model.progress import BatchDone, Began, TableStarted
from tranship.report.meter import Meter, sized, spoken

FLOW = FlowId(TableName("public", "t"), TableName("public", "t"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def batch(rows: int, *, rejected: int = 0) -> BatchDone:
    return BatchDone(FLOW, 0, rows, rows - rejected, rejected, rows * 100)


def test_before_the_first_phase() -> None:
    clock = Clock()
    meter = Meter("connect", clock)
    clock.now = 3
    assert meter.line() == "connect, 3 s"
    assert not meter.may_have_written


def test_a_copy_has_share_rates_and_time_left() -> None:
    clock = Clock()
    meter = Meter("connect", clock)
    meter.feed(Began("take the snapshot"))
    clock.now = 5
    assert meter.feed(Began("prepare")) == "take the snapshot: 5.0 s"
    meter.feed(Began("prepare", "count and divide public.t"))
    assert meter.line() == "prepare, 0 s, count and divide public.t, snapshot 5 s old"
    assert not meter.may_have_written
    meter.feed(TableStarted(FLOW, 10_000, 10))
    meter.feed(Began("copy"))
    assert meter.may_have_written
    for second in range(1, 6):
        clock.now = 5 + second
        meter.feed(batch(1000, rejected=second % 2))
    assert meter.line() == (
        "copy, 5 s, 50 %, 1000 rows/s, 100 kB/s, 5 s left, 3 rejected, 5000 of 10000 rows, snapshot 10 s old"
    )
    # The rate is that of the last seconds, not of the whole copy.
    clock.now = 5 + 40
    meter.feed(batch(100))
    assert "51 %, 10 rows/s" in meter.line()
    assert meter.feed(Began("prove")) == "copy: 40.0 s, 5100 of 10000 rows, 3 rejected"


def test_rows_of_tables_that_are_not_counted_yet_are_a_share_of_nothing() -> None:
    clock = Clock()
    meter = Meter("connect", clock)
    meter.feed(Began("copy"))
    clock.now = 1
    meter.feed(batch(1000))
    assert meter.line() == "copy, 1 s, 1000 rows/s, 100 kB/s, 0 rejected, 1000 rows"
    assert meter.feed(Began("prove")) == "copy: 1.0 s, 1000 rows, 0 rejected"


def test_what_was_done_before_a_resume_is_no_part_of_the_rate() -> None:
    clock = Clock()
    meter = Meter("connect", clock)
    meter.feed(Began("prepare"))
    meter.feed(TableStarted(FLOW, 1000, 10))
    meter.feed(batch(900))
    clock.now = 1
    meter.feed(Began("copy"))
    clock.now = 2
    meter.feed(batch(10))
    # One second of copying does not tell how long the rest takes.
    assert "91 %, 10 rows/s, 1 kB/s, 0 rejected, 910 of 1000 rows" in meter.line()
    clock.now = 5
    meter.feed(batch(30))
    assert "94 %, 10 rows/s, 1 kB/s, 6 s left, 0 rejected, 940 of 1000 rows" in meter.line()


def test_units() -> None:
    assert [spoken(s) for s in (0, 59.9, 60, 187, 3600, 7530)] == [
        "0 s",
        "59 s",
        "1:00 min",
        "3:07 min",
        "1:00 h",
        "2:05 h",
    ]
    assert [sized(n) for n in (0, 999, 1000, 35_400_000, 2e12)] == ["0 B", "999 B", "1 kB", "35 MB", "2.0 TB"]
