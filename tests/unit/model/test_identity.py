"""Flows, locators and ranges: what a run is keyed by, and what a worker elsewhere gets to read."""

from __future__ import annotations

import pickle
from itertools import pairwise

import msgspec

from tranship.model.flow import FlowId
from tranship.model.locator import Locator, Pages, Whole
from tranship.model.names import TableName
from tranship.model.progress import Batch

MEMBERS, PROFILES = TableName("public", "members"), TableName("public", "profiles")
FLOW = FlowId(MEMBERS, MEMBERS)
SPLIT = FlowId(MEMBERS, PROFILES, "members -> profiles")


def test_one_old_table_drives_several_flows() -> None:
    assert len({FLOW, SPLIT, FlowId(MEMBERS, PROFILES)}) == 3
    assert [str(flow) for flow in (FLOW, SPLIT)] == ["public.members", "members -> profiles"]


def test_the_rows_of_a_source_are_in_order_whatever_their_addresses_are_made_of() -> None:
    physical = [Locator(0, (2, 1)), Locator(0, (10, 1), 1), Locator(0, (10, 1), 2), Locator(1, (0, 1))]
    keyed = [Locator(0, ("a", "b")), Locator(0, ("a", "c")), Locator(0, ("b",))]
    for rows in (physical, keyed):
        assert all(one < next_one for one, next_one in pairwise(rows))


def test_the_items_of_one_old_row_stay_together_where_a_batch_is_divided() -> None:
    first, second = Batch(3, SPLIT, Whole(0), 7).divided((10, 1), 4, 9)
    items = [Locator(0, (10, 1), n) for n in (1, 2, 3)]
    assert [item in first for item in items] == [False] * 3
    assert [item in second for item in items] == [True] * 3
    assert (first.number, first.rows, second.number, second.rows) == (3, 4, 9, 3)
    assert Locator(1, (10, 1)) not in first and Locator(1, (10, 1)) not in second


def test_a_batch_reaches_another_machine_as_it_is() -> None:
    for batch in (Batch(0, FLOW, Whole(2), 5), Batch(1, SPLIT, Pages(0, (1, 1), None), 5)):
        assert pickle.loads(pickle.dumps(batch)) == batch
        assert msgspec.json.decode(msgspec.json.encode(batch), type=Batch) == batch
