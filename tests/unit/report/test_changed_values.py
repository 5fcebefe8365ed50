"""What the first line of a run says of values that conversions changed."""

from __future__ import annotations

import pytest

from tranship.model.expression import Loss
from tranship.model.verdict import LossCount
from tranship.report.changed_values import changed_values


def test_values_are_added_up_and_each_way_is_named_once() -> None:
    losses = [
        LossCount("a", Loss.ROUNDED, 1_200),
        LossCount("b", Loss.TRUNCATED, 3),
        LossCount("c", Loss.ROUNDED, 1),
    ]
    assert changed_values(losses, done=True) == (
        " Conversions changed 1 204 values (rounded, time of day dropped), listed below."
    )
    assert (
        changed_values(losses[1:2], done=False)
        == " Conversions change 3 values (time of day dropped), listed below."
    )


@pytest.mark.parametrize("losses", [[], [LossCount("a", Loss.ZONE, 5)], [LossCount("a", Loss.ROUNDED, 0)]])
def test_a_moment_with_another_spelling_is_no_changed_value(losses: list[LossCount]) -> None:
    assert changed_values(losses, done=True) == ""
