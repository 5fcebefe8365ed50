"""Which numbers are told by the rank of a key that is read once."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.schema_pair import public
from tranship.execution.probe.ranks import ranked
from tranship.model.expression import Constant, Expression, Rekeyed
from tranship.model.shape import KeyKind, NewKey, Numbering

OWN = Rekeyed(
    "id", NewKey("id", KeyKind.NUMBER), public("p"), "integer", numbering=Numbering((("id", False),))
)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (OWN, True),
        (replace(OWN, column="parent_id", key_type="bigint"), True),
        (replace(OWN, key_type="text", numbering=Numbering((("id", True),))), False),
        (replace(OWN, key_type="numeric", equality="OPERATOR(pg_catalog.=)"), False),
        (replace(OWN, numbering=Numbering((("tenant", False), ("id", False)))), False),
        (replace(OWN, numbering=Numbering((("other", False),))), False),
        (replace(OWN, numbering=None), False),
        (Constant("1"), False),
    ],
)
def test_only_whole_numbers_in_their_own_order(expression: Expression, told: bool) -> None:
    """Another order, or a key of another type, is sorted by OLD."""
    assert ranked(expression) is told
