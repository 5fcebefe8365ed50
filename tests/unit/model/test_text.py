"""The word that was probably meant: the same among many words as among few, and without comparing each."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tranship.model import text
from tranship.model.text import MOST_COMPARED, nearest

MANY = [
    f"{kind}_{of}_{n}" for n in range(40) for kind in ("order", "invoice", "stock") for of in ("line", "log")
]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ordr_line_7", "order_line_7"),
        ("Invoice_Lgo_39", "invoice_log_39"),
        ("tsock_line_12", "stock_line_12"),
        ("INVOICE_LOG_3", "invoice_log_3"),
        ("zzz", None),
        ("", None),
    ],
)
def test_a_word_is_found_among_many(word: str, meant: str | None) -> None:
    assert len(MANY) > MOST_COMPARED
    assert nearest(word, MANY) == meant


@pytest.mark.parametrize("word", ["id", "ids", "naem", "anme", "adress"])
def test_short_words_are_found_among_many_as_among_few(word: str) -> None:
    few = ["id", "name", "address", "created_at"]
    assert nearest(word, [*MANY, *few]) == nearest(word, few) is not None


def test_the_only_word_that_a_word_begins_is_meant() -> None:
    assert nearest("drop", ["adopt", "drop_table", "rename_table"]) == "drop_table"
    assert nearest("drop", ["adopt", "drop_table", "drop_view"]) == "adopt"
    assert nearest("order", ["orders", "order_items"]) == "orders"


def test_few_of_many_words_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    original = text.get_close_matches

    def counting(word: str, known: Iterable[str], n: int, cutoff: float) -> list[str]:
        compared.append(len(list(known)))
        return original(word, known, n=n, cutoff=cutoff)

    monkeypatch.setattr(text, "get_close_matches", counting)
    for n in range(400):
        assert nearest(f"customer_acount_{n}x", [f"customer_account_{i}" for i in range(400)]) is not None
    assert max(compared) <= 10
