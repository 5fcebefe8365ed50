"""Names that ask one question the other way round, and words that only look like a negation."""

from __future__ import annotations

import pytest

from tranship.planning.names.opposites import asks_the_same, opposed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("is_active", "disabled"),
        ("hidden", "is_not_hidden"),
        ("newsletter", "newsletter_optout"),
        ("newsletter", "no_newsletter"),
        ("showAds", "noShowAds"),
    ],
)
def test_the_other_way_round(old: str, new: str) -> None:
    assert opposed(old, new) and not asks_the_same(old, new)


@pytest.mark.parametrize(
    ("old", "new"), [("phone", "phone_no"), ("invoiceNo", "invoice"), ("contact", "contact_no"), ("no", "no")]
)
def test_no_at_the_end_stands_for_a_number(old: str, new: str) -> None:
    assert not opposed(old, new)
