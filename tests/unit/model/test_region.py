"""Rows among the batches of a flow."""

from __future__ import annotations

from tranship.model.flow import FlowId
from tranship.model.locator import Locator, Pages, Whole
from tranship.model.names import TableName
from tranship.model.progress import Batch, Region

TABLE = TableName("public", "t")
FLOW = FlowId(TABLE, TABLE)


def test_a_row_lies_in_the_region_of_the_batch_that_has_it() -> None:
    ranges = (Pages(1, (20, 0), None), Pages(0, (10, 0), (20, 0)), Pages(0, None, (5, 0)), Whole(2))
    region = Region(Batch(n, FLOW, range_, 1) for n, range_ in enumerate(ranges))
    inside = [(0, 0), (0, 4), (0, 10), (0, 19), (1, 20), (1, 99), (2, 0), (2, 7)]
    outside = [(0, 5), (0, 9), (0, 20), (0, 99), (1, 19), (3, 0)]
    assert [place for place in inside if Locator(place[0], (place[1], 1)) not in region] == []
    assert [place for place in outside if Locator(place[0], (place[1], 1)) in region] == []
    assert Locator(0, (1, 1)) not in Region(())


def test_batches_that_have_other_rows_than_the_given_ones() -> None:
    ranges = ((Pages(0, None, (5, 0)), 2), (Pages(0, (5, 0), None), 1), (Whole(1), 1), (Whole(2), -1))
    region = Region(Batch(n, FLOW, range_, rows) for n, (range_, rows) in enumerate(ranges))
    places = ((0, (0, 1)), (0, (5, 1)), (0, (4, 7)), (1, (3, 1)))
    rows = [Locator(source, address) for source, address in places]
    assert [batch.number for batch in region.not_full(rows)] == [3]
    assert [batch.number for batch in region.not_full(rows[1:])] == [0, 3]
    assert [batch.number for batch in region.not_full(())] == [0, 1, 2, 3]


def test_rows_of_a_batch_among_sorted_ones() -> None:
    rows = [Locator(0, (page, line)) for page in (1, 2, 3) for line in (1, 2)]
    for range_, found in (
        (Whole(0), rows),
        (Pages(0, None, (2, 2)), rows[:3]),
        (Pages(0, (2, 1), (3, 1)), rows[2:4]),
        (Pages(0, (3, 2), None), rows[5:]),
        (Pages(0, (9, 0), None), []),
    ):
        assert Batch(0, FLOW, range_, 9).among(rows) == tuple(found)
