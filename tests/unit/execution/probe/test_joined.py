"""Which adjoining batches are read as one."""

from __future__ import annotations

from itertools import pairwise

from tranship.execution.probe.joined import joined
from tranship.model.flow import FlowId
from tranship.model.locator import Address, Pages, Range, Whole
from tranship.model.names import TableName
from tranship.model.progress import Batch

FLOW = FlowId(TableName("public", "t"), TableName("public", "t"))


def batch(number: int, range_: Range, rows: int = 10) -> Batch:
    return Batch(number, FLOW, range_, rows)


def row_of(*bounds: Address | None, source: int = 0, rows: int = 10) -> list[Batch]:
    """Batches between these bounds."""
    ranges = (Pages(source, start, end) for start, end in pairwise(bounds))
    return [batch(number, one, rows) for number, one in enumerate(ranges)]


def found(batches: list[Batch]) -> list[tuple[Range, int]]:
    return [(one.range, one.rows) for one in joined(batches)]


def test_adjoining_ones_are_one_range_with_all_rows() -> None:
    assert found(row_of(None, (1, 0), (2, 0), None)) == [(Pages(0, None, None), 30)]
    assert found(row_of((1, 3), (2, 0), (2, 5))) == [(Pages(0, (1, 3), (2, 5)), 20)]


def test_a_gap_another_source_and_a_whole_source_are_not_joined() -> None:
    first, second, third = row_of(None, (1, 0), (2, 0), None)
    assert [r for r, _ in found([first, third])] == [first.range, third.range]
    other = batch(3, Pages(1, (1, 0), None))
    assert [r for r, _ in found([first, other])] == [first.range, other.range]
    whole = batch(4, Whole(0))
    assert [r for r, _ in found([whole, first, second])] == [Whole(0), Pages(0, None, (2, 0))]
    assert [r for r, _ in found([third, whole])] == [third.range, Whole(0)]


def test_at_most_so_many_rows_and_batches() -> None:
    bounds: list[Address | None] = [(n, 0) for n in range(26)]
    assert [rows for _, rows in found(row_of(*bounds, rows=1))] == [20, 5]
    assert [rows for _, rows in found(row_of(*bounds[:6], rows=400_000))] == [800_000, 800_000, 400_000]


def test_rows_that_nobody_counted_are_read_alone() -> None:
    assert [rows for _, rows in found(row_of(None, (1, 0), None, rows=-1))] == [-1, -1]


def test_the_rows_of_no_batch_are_none() -> None:
    assert found([]) == []
