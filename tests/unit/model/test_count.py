"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from tranship.model.count import count_of


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "row", "0 rows"),
        (1, "row", "1 row"),
        (2, "distinct value", "2 distinct values"),
        (1, "distinct value", "1 distinct value"),
        (2, "index", "2 indexes"),
        (3, "batch", "3 batches"),
    ],
)
def test_the_noun_follows_the_number(number: int, noun: str, text: str) -> None:
    assert count_of(number, noun) == text


def test_the_number_is_written_as_asked() -> None:
    assert count_of(1234, "row", write=lambda number: f"{number:,}") == "1,234 rows"
