"""Which batches one statement of the data checks reads."""

from __future__ import annotations

from tranship.execution.probe.reading import bundles
from tranship.model.flow import FlowId
from tranship.model.locator import Pages, Whole
from tranship.model.names import TableName
from tranship.model.progress import Batch

FLOW = FlowId(TableName("public", "t"), TableName("public", "t"))


def batch(source: int, rows: int, *, part: bool = False) -> Batch:
    return Batch(source, FLOW, Pages(source, None, (7, 1)) if part else Whole(source), rows)


def numbers(*batches: Batch, alone: bool = False) -> list[list[int]]:
    return [[one.number for one in some] for some in bundles(batches, alone=alone)]


def test_small_ones_together_and_empty_ones_not_at_all() -> None:
    assert numbers(batch(0, 5), batch(1, 0), batch(2, 5000)) == [[0, 2]]


def test_large_ones_and_parts_of_a_heap_alone_in_their_order() -> None:
    found = numbers(
        batch(0, 5), batch(1, 5001), batch(2, 5), batch(3, 5, part=True), batch(4, 5), batch(5, 5)
    )
    assert found == [[0], [1], [2], [3], [4, 5]]


def test_at_most_so_many_rows_and_batches() -> None:
    assert numbers(*(batch(n, 5000) for n in range(5))) == [[0, 1, 2, 3], [4]]
    assert [len(some) for some in numbers(*(batch(n, 1) for n in range(120)))] == [50, 50, 20]


def test_none_together_where_a_row_may_raise() -> None:
    assert numbers(batch(0, 5), batch(1, 5), alone=True) == [[0], [1]]


def test_rows_that_nobody_counted_are_read_alone() -> None:
    assert numbers(batch(0, 5), batch(1, -1), batch(2, 5), batch(3, 5)) == [[0], [1], [2, 3]]


def test_nothing() -> None:
    assert numbers() == []
