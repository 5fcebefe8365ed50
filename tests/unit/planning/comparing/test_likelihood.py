"""What speaks for a proposed rename, in words."""

from __future__ import annotations

import pytest

from tranship.planning.comparing.likelihood import likelihood


@pytest.mark.parametrize(
    ("old", "new", "score", "words"),
    [
        ("CustomerId", "customer_id", 0.9987, "the same name in another spelling (score 0.99)"),
        ("e_mail", "email", 0.62, "the same name in another spelling (score 0.62)"),
        ("mail", "email", 0.9999, "names, types and places speak for it (score 0.99)"),
        ("mail", "address", 0.7, "more speaks for it than against it, but nothing proves it (score 0.70)"),
        ("mail", "fax", 0.4, "little speaks for it (score 0.40)"),
    ],
)
def test_the_words_fit_the_score(old: str, new: str, score: float, words: str) -> None:
    assert likelihood(old, new, score) == words
