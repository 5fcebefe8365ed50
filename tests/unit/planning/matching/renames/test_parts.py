"""The pieces below the rules: words, places, assignment."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.build import domain, pg_type
from tranship.planning.matching.renames.assign import assign, choose
from tranship.planning.matching.renames.gap import gaps, survivors
from tranship.planning.matching.renames.vetoes import token_vetoes
from tranship.planning.names.families import family
from tranship.planning.names.tokens import folded, in_common, numbers, squashed, stems, words


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("user_name", ("user", "name")),
        ("UserName", ("user", "name")),
        ("userID", ("user", "id")),
        ("HTTPServerURL", ("http", "server", "url")),
        ("population2011", ("population", "2011")),
        ('New "Col"', ("new", "col")),
        ("größe_m", ("größe", "m")),
        ("", ()),
        ("__", ()),
    ],
)
def test_words(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


def test_forms_of_a_name() -> None:
    assert squashed("Order_Lines") == "orderlines"
    assert folded("Order_Lines") == "orderline"
    assert numbers("a1_22") == ("1", "22")
    assert stems("cust_addr") == ("customer", "address")


def test_words_in_common_are_those_that_one_can_see() -> None:
    assert in_common("addr_line", "address_lines", {"address", "line"}) == ["names share address, line"]
    assert in_common("zip", "postal_code", {"zip"}) == ["zip and postal mean the same"]
    assert in_common("tel_no", "phone", {"phone"}) == ["tel and phone mean the same"]
    assert in_common("a", "b", ()) == []


def test_token_vetoes() -> None:
    assert token_vetoes("crypted_password", "encrypted_password") == ()
    assert token_vetoes("value", "value_in_cents") == ("units in the names differ",)
    assert token_vetoes("body", "body_html") == ("a word of derivation stands on one side only",)
    assert token_vetoes("category", "category_id") == ("'category_id' looks like a key, 'category' does not",)
    assert token_vetoes("status_id", "status") == ("'status_id' looks like a key, 'status' does not",)
    assert token_vetoes("user_id", "user_uuid") == ("'user_id' and 'user_uuid' look like keys of two kinds",)
    assert token_vetoes("line1", "line_1") == ()
    assert token_vetoes("line1", "line2") == ("numbers in the names differ",)


def test_families() -> None:
    assert family(pg_type("int8")) == family(pg_type("int2")) == family(domain("nr", "int4"))
    assert family(pg_type("varchar(10)")) == family(pg_type("text")) != family(pg_type("text[]"))
    assert family(pg_type("date")) != family(pg_type("timestamp"))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.floats(-5, 5)), max_size=20))
def test_assignment_is_the_best_there_is(entries: list[tuple[int, int, float]]) -> None:
    weights = {(row, column): weight for row, column, weight in entries}
    found = assign(weights)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == len(found)
    assert all(weights[pair] > 0 for pair in found)
    small = {pair: weight for pair, weight in weights.items() if pair[0] < 4 and pair[1] < 4}
    chosen = sum(small[pair] for pair in assign(small))
    best = max(
        sum(max(0.0, small.get((row, column), 0.0)) for row, column in enumerate(order))
        for order in itertools.permutations(range(4))
    )
    assert chosen == pytest.approx(best)


def test_choice_knows_the_runner_up_and_the_threshold() -> None:
    found = choose({(0, 0): 0.9, (0, 1): 0.5, (1, 1): 0.2, (1, 0): 0.85}, 0.3)
    assert [(c.row, c.column, c.runner_up) for c in found] == [(0, 1, 0), (1, 0, 1)]


def test_choice_knows_a_row_that_is_left_over_and_nearly_as_good() -> None:
    chances = {(0, 0): 0.8, (1, 0): 0.3, (2, 0): 0.7, (0, 1): 0.1, (1, 1): 0.1, (2, 1): 0.9}
    assert [(c.row, c.column, c.rival) for c in choose(chances, 0.3)] == [(0, 0, 1), (2, 1, None)]
    chances[1, 0] = 0.1
    assert [c.rival for c in choose(chances, 0.3)] == [None, None]


@given(st.permutations(list("abcdefg")), st.permutations(list("abcdefg")))
def test_survivors_stand_in_order_on_both_sides(old: list[str], new: list[str]) -> None:
    chain = survivors(old, new, [(name, name) for name in old])
    assert [name for name in old if (name, name) in chain] == [name for name in new if (name, name) in chain]
    longest = max(
        k
        for k in range(8)
        for some in itertools.combinations(old, k)
        if list(some) == [n for n in new if n in some]
    )
    assert len(chain) == longest


def test_gaps_hold_what_stands_between_the_same_neighbours() -> None:
    found = gaps(["id", "a", "x", "b", "c"], ["id", "A", "x", "B", "C", "D"], [("id", "id"), ("x", "x")])
    assert [(g.left, g.right, g.old, g.new) for g in found] == [
        (("id", "id"), ("x", "x"), ("a",), ("A",)),
        (("x", "x"), None, ("b", "c"), ("B", "C", "D")),
    ]
