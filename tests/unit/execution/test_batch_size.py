"""How large batches become where NEW is slow, quick, or now this, now that."""

from __future__ import annotations

import asyncpg
import pytest

from tranship.errors import ConnectError
from tranship.errors.codes.connection import ConnectionRefused
from tranship.execution.batch_size import FASTER, SLOWER, WANTED, AdaptiveBatchSize
from tranship.execution.copying.split import smaller_may_pass


def after(pace: AdaptiveBatchSize, batches: int, seconds_a_row: float) -> AdaptiveBatchSize:
    """So many batches later, each as large as wanted."""
    for _ in range(batches):
        rows = int(pace.wanted)
        pace = pace.after(rows, rows * seconds_a_row)
    return pace


def test_quick_batches_stay_as_they_were_chosen() -> None:
    pace = after(AdaptiveBatchSize.begin(50_000, 100), 20, 0.00001)
    assert pace.piece(50_000) == 50_000


def test_slow_ones_come_down_to_what_fits() -> None:
    pace = after(AdaptiveBatchSize.begin(50_000, 100), 30, 0.01)
    assert pace.wanted == pytest.approx(WANTED / 0.01, rel=0.01)
    assert pace.piece(50_000) == int(pace.wanted)


def test_never_below_the_smallest_or_above_the_largest() -> None:
    slow = after(AdaptiveBatchSize.begin(50_000, 100), 60, 60.0)
    assert slow.wanted == 100
    assert after(slow, 100, 0.0).wanted == 50_000
    assert after(AdaptiveBatchSize.begin(20, 100), 5, 60.0).wanted == 20


@pytest.mark.parametrize("seconds_a_row", [0.0, 0.0001, 0.001, 1.0])
def test_one_batch_changes_little(seconds_a_row: float) -> None:
    pace = after(AdaptiveBatchSize.begin(50_000, 100), 5, 0.002)
    later = after(pace, 1, seconds_a_row)
    assert SLOWER * pace.wanted <= later.wanted <= FASTER * pace.wanted


def test_what_is_left_over_says_nothing() -> None:
    pace = AdaptiveBatchSize.begin(50_000, 100)
    assert pace.after(3, 40.0) == pace
    assert pace.after(0, 40.0) == pace


def test_a_batch_that_is_a_little_larger_goes_as_a_whole() -> None:
    pace = after(AdaptiveBatchSize.begin(1000, 100), 30, 0.1)
    assert pace.piece(int(pace.wanted * 1.4)) == int(pace.wanted * 1.4)
    assert pace.piece(int(pace.wanted * 1.6)) == int(pace.wanted)


def test_a_resumed_table_begins_where_its_batches_were() -> None:
    pace = after(AdaptiveBatchSize.begin(50_000, 100), 10, 0.01)
    done, earlier = [], AdaptiveBatchSize.begin(50_000, 100)
    for _ in range(10):
        done.append((int(earlier.wanted), int(earlier.wanted) * 0.01))
        earlier = earlier.after(*done[-1])
    assert AdaptiveBatchSize.begin(50_000, 100, done) == earlier
    assert earlier.wanted == pace.wanted


@pytest.mark.parametrize(
    ("error", "may"),
    [
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), True),
        (asyncpg.OutOfMemoryError("out of memory"), True),
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"), True),
        (ConnectError(ConnectionRefused()), True),
        (TimeoutError(), True),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), False),
        (asyncpg.DeadlockDetectedError("deadlock detected"), False),
        (asyncpg.SerializationError("could not serialize access"), False),
        (asyncpg.DiskFullError("No space left on device"), False),
        (asyncpg.InsufficientPrivilegeError("permission denied"), False),
        (asyncpg.UndefinedTableError("relation does not exist"), False),
    ],
)
def test_when_half_of_a_batch_is_worth_a_try(error: Exception, may: bool) -> None:
    assert smaller_may_pass(error) == may
