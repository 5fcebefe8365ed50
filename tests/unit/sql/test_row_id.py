"""A row of OLD is found again by what the journal's columns hold."""

from __future__ import annotations

import pytest

from tranship.model.locator import Locator
from tranship.sql.row_id import from_journal, in_journal, locate, parse, render


@pytest.mark.parametrize(
    "row",
    [
        Locator(0, (0, 1)),
        Locator(2, (7, 3), 4),
        Locator(0, ("",)),
        Locator(0, ("", "61")),
        Locator(0, ("61",)),
    ],
)
def test_a_row_is_the_same_row_after_the_journal(row: Locator) -> None:
    assert from_journal(row.source, in_journal(row)) == row
    assert parse(row.source, render(row)) == row


def test_what_the_driver_gives_back_is_the_row() -> None:
    assert locate(1, (7, 3)) == Locator(1, (7, 3))
    assert locate(1, ((7, 3), 4)) == Locator(1, (7, 3), 4)
    assert locate(1, ["", "61"]) == Locator(1, ("", "61"))
