"""The one column of a table that was split off whose name OLD does not have."""

from __future__ import annotations

import pytest

from support.build import parse_catalog
from support.taking import refused_suggestions
from tranship.model.evidence import Evidence
from tranship.planning.deciding.suggest import suggest
from tranship.planning.deciding.suggest.shapes.whole import Shape
from tranship.planning.matching.scope import make_scope


def shapes_of(old: str, new: str) -> tuple[Shape, ...]:
    """What is suggested of another shape; whoever takes it as it stands is not refused."""
    before, after = parse_catalog(old), parse_catalog(new)
    scope, _ = make_scope(before, after, None)
    made = suggest(before, after, scope, Evidence())
    assert not refused_suggestions(made, before, after, scope)
    return made.shapes


def test_a_split_takes_the_only_column_that_may_be_the_street() -> None:
    old = "customer(id int pk, name text, address text, city text, zip text)"
    new = (
        "customer(id int pk, name text); customer_address(id int pk = 1, customer_id int! -> customer.id,"
        " street text!, city text, zip text)"
    )
    (shape,) = shapes_of(old, new)
    assert shape.entries["customer -> customer_address"] == (
        {"action": "transform", "old_column": "address", "new_column": "street"},
        {"action": "transform", "old_column": "id", "new_column": "customer_id"},
    ), "columns of the same name need no entry"
    told = " | ".join(shape.facts(values=False))
    assert "'street' needs a value, and only 'address' may be it: check that the two are the same" in told
    assert "rows without it would be rejected: a filter takes the others: old.address IS NOT NULL" in told


@pytest.mark.parametrize(
    ("gone", "street"),
    [
        ("address int", "street text!"),
        ("address text, street_name text", "street text!"),
        ("note text", "street text!"),
        ("address text", "street text!, country text!"),
    ],
)
def test_a_split_takes_no_column_of_another_name_where_it_may_be_another(gone: str, street: str) -> None:
    old = f"customer(id int pk, name text, {gone}, city text, zip text)"
    new = (
        "customer(id int pk, name text); customer_address(id int pk = 1, customer_id int! -> customer.id,"
        f" {street}, city text, zip text)"
    )
    shapes = shapes_of(old, new)
    assert not any("may be it" in fact for shape in shapes for fact in shape.facts(values=False))
