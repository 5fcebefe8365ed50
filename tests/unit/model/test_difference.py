"""How rows that differ are counted in words."""

from __future__ import annotations

import pytest

from tranship.model.difference import Difference, DifferenceKind, differing

CHANGED, MISSING, EITHER, ADDED = (
    DifferenceKind.CHANGED,
    DifferenceKind.MISSING,
    DifferenceKind.MISSING_OR_CHANGED,
    DifferenceKind.ADDED,
)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(CHANGED, 1)], "1 of its rows in NEW differs"),
        ([(CHANGED, 1), (CHANGED, 2)], "3 of its rows in NEW differ"),
        ([(MISSING, 1)], "1 of its rows is gone from NEW"),
        ([(EITHER, 2)], "2 of its rows are gone from NEW or changed there"),
        ([(ADDED, 1)], "1 row was added to NEW"),
        ([(ADDED, 2), (CHANGED, 1)], "1 of its rows in NEW differs, 2 rows were added to NEW"),
        ([(MISSING, 1), (CHANGED, 2)], "2 of its rows in NEW differ, 1 is gone from NEW"),
    ],
)
def test_rows_are_counted_by_what_became_of_them(rows: list[tuple[DifferenceKind, int]], words: str) -> None:
    assert differing([Difference("public.t", kind, rows=count) for kind, count in rows]) == words
