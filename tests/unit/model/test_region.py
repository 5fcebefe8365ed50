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
