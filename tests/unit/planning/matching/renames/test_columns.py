"""What proves a rename, what is only asked, and what is never done."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from support.build import column, enum, table
from tranship.model.catalog import Check, Table
from tranship.model.change import Pairing
from tranship.model.names import ColumnRef, TableName
from tranship.model.statistics import ColumnStatistics, Statistics
from tranship.planning.matching.renames import ColumnRenames, RenameContext, column_renames
from tranship.planning.matching.renames.data import leanings


def renames(
    old: Table, new: Table, kept: Sequence[tuple[str, str]] | None = None, **context: object
) -> ColumnRenames:
    here = {c.name for c in new.columns}
    pairs = kept if kept is not None else [(c.name, c.name) for c in old.columns if c.name in here]
    return column_renames(old, new, kept=pairs, context=RenameContext(**context))


def automatic(found: ColumnRenames) -> list[tuple[str, str]]:
    return [(p.old, p.new) for p in found.automatic]


def asked(found: ColumnRenames) -> list[tuple[str, str]]:
    return [(p.old, p.new) for p in found.proposals]


def test_only_column_between_the_same_neighbours() -> None:
    found = renames(
        table("t", "id int", "symbol text", "price int"), table("t", "id int", "ticker text", "price int")
    )
    assert automatic(found) == [("symbol", "ticker")]
    assert found.automatic[0].pairing is Pairing.RULE
    assert found.automatic[0].evidence == (
        "the only column without a counterpart between id and price in both tables",
    )
    assert found.proposals == ()


def test_first_column_has_one_neighbour_that_counts() -> None:
    assert automatic(renames(table("t", "nr int", "name text"), table("t", "id int", "name text"))) == [
        ("nr", "id")
    ]


def test_the_end_of_a_table_proves_nothing() -> None:
    found = renames(table("t", "id int", "note text"), table("t", "id int", "remark text"))
    assert automatic(found) == []
    assert asked(found) == [("note", "remark")]


def test_two_in_a_gap_need_names_that_agree() -> None:
    old = table("t", "id int", "start_at date", "finish_at date", "n int")
    assert automatic(renames(old, table("t", "id int", "start_on date", "finish_on date", "n int"))) == [
        ("start_at", "start_on"),
        ("finish_at", "finish_on"),
    ]
    assert automatic(renames(old, table("t", "id int", "opened date", "closed date", "n int"))) == []


def test_swapped_by_name_or_by_place_is_a_question() -> None:
    """Names say one thing and places another: nobody may decide that but a person."""
    found = renames(
        table("person", "id int", "first_name text", "last_name text", "born date"),
        table("person", "id int", "surname text", "name text", "born date"),
    )
    assert automatic(found) == []


def test_more_new_than_old_in_a_gap_proves_nothing() -> None:
    found = renames(
        table("t", "id int", "a_value text", "z int"),
        table("t", "id int", "b_value text", "c_value text", "z int"),
    )
    assert automatic(found) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("token text", "token_ciphertext text"),
        ("password text", "password_digest text"),
        ("population_2011 int", "population_2017 int"),
        ("balance int", "balance_cents int"),
        ("email text", "unconfirmed_email text"),
        ("weight_kg int", "weight_g int"),
        ("amount int", "amount text"),
        ("state text", "state_v2 text"),
        ("owner_id int", "owner int"),
        ("active boolean", "inactive boolean"),
        ("hidden boolean", "visible boolean"),
        ("is_paid boolean", "is_not_paid boolean"),
        ("created_utc timestamp", "created_local timestamp"),
        ("country_code text", "country_name text"),
        ("start_date date", "end_date date"),
        ("price numeric", "cost numeric"),
        ("unit_price numeric", "purchase_cost numeric"),
        ("shipped_at timestamp", "delivered_at timestamp"),
        ("name text", "slug text"),
        ("weight real", "height real"),
        ("daily_total int", "monthly_total int"),
        ("organization_id int", "team_id int"),
        ("recovered boolean", "leader boolean"),
        ("show_on_map boolean", "is_a_shop boolean"),
        ("initial char(1)", "full_text text"),
    ],
)
def test_false_friends_are_never_automatic(before: str, after: str) -> None:
    assert (
        automatic(renames(table("t", "id int", before, "z int"), table("t", "id int", after, "z int"))) == []
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("symbol text", "ticker text"),
        ("price_per_unit numeric", "unit_price numeric"),
        ("vat numeric", "tax numeric"),
        ("mobile text", "phone text"),
        ("deleted_at timestamp", "removed_on timestamp"),
        ("email_body text", "message_text text"),
        ("website text", "url_override text"),
        ("is_active boolean", "active boolean"),
        ("enabled boolean", "active boolean"),
        ("initial char(1)", "letter char(1)"),
    ],
)
def test_names_of_one_thing_are_automatic(before: str, after: str) -> None:
    assert (
        len(automatic(renames(table("t", "id int", before, "z int"), table("t", "id int", after, "z int"))))
        == 1
    )


def test_place_proves_no_booleans_but_the_same_physical_column_does() -> None:
    old, new = table("t", "id int", "leader boolean", "z int"), table("t", "id int", "boss boolean", "z int")
    found = renames(old, new)
    assert automatic(found) == []
    assert any("two booleans whose names share no word" in line for line in found.proposals[0].evidence)
    twin = [replace(one, oid=7, columns=one.columns) for one in (old, new)]
    assert automatic(renames(*twin, shared_ancestor=True)) == [("leader", "boss")]


def test_both_encrypted_is_no_veto() -> None:
    found = renames(
        table("t", "id int", "crypted_password text", "z int"),
        table("t", "id int", "encrypted_password text", "z int"),
    )
    assert automatic(found) == [("crypted_password", "encrypted_password")]


def test_foreign_keys_are_compared_after_table_renames() -> None:
    old = table("orders", "id int", "client_id int", "n int", references=[("client_id", "clients")])
    new = table("orders", "id int", "customer_id int", "n int", references=[("customer_id", "customers")])
    assert automatic(renames(old, new)) == []
    known = {TableName("public", "clients"): TableName("public", "customers")}
    assert automatic(renames(old, new, table_pairs=known)) == [("client_id", "customer_id")]


def test_case_and_separators_one_to_one() -> None:
    old = table("t", "UserName text", "Ünï int", "x int")
    assert automatic(renames(old, table("t", "x int", "ünï int", "user_name text"))) == [
        ("UserName", "user_name"),
        ("Ünï", "ünï"),
    ]
    twice = table("t", "UserName text", "USERNAME text", "x int")
    assert automatic(renames(twice, table("t", "x int", "user_name text"))) == []
    assert automatic(renames(table("t", "a1_1 int", "x int"), table("t", "x int", "a_11 int"))) == []
    assert (
        automatic(renames(table("t", "UserName text", "x int"), table("t", "x int", "user_name int"))) == []
    )


def test_alphabetical_order_says_nothing() -> None:
    old = table("t", "id int", "a int", "b int", "c text", "d int", "e int")
    new = table("t", "id int", "a int", "b int", "cc text", "d int", "e int")
    assert automatic(renames(old, new)) == []
    assert automatic(renames(old, new, order_known=False)) == []
    shuffled = table("t", "id int", "e int", "b int", "c text", "d int", "a int")
    assert automatic(
        renames(shuffled, table("t", "id int", "e int", "b int", "cc text", "d int", "a int"))
    ) == [("c", "cc")]


def numbered(made: Table, **numbers: int) -> Table:
    return replace(made, oid=777, columns=tuple(replace(c, attnum=numbers[c.name]) for c in made.columns))


def test_lineage_sees_swaps_and_chains() -> None:
    old = numbered(table("t", "id int", "a text", "b text", "x int", "y int"), id=1, a=2, b=3, x=4, y=5)
    new = numbered(table("t", "id int", "b text", "a text", "q int", "x int"), id=1, b=2, a=3, q=4, x=5)
    assert automatic(renames(old, new)) == []
    found = renames(old, new, shared_ancestor=True)
    assert automatic(found) == [("a", "b"), ("b", "a"), ("x", "q"), ("y", "x")]
    assert {p.pairing for p in found.automatic} == {Pairing.LINEAGE}


def test_equal_oids_without_a_common_ancestor_are_chance() -> None:
    old = numbered(
        table("person", "id int", "first_name text", "last_name text"), id=1, first_name=2, last_name=3
    )
    new = numbered(table("person", "id int", "surname text", "name text"), id=1, surname=2, name=3)
    assert automatic(renames(old, new)) == []


def test_lineage_respects_vetoes() -> None:
    old = numbered(table("t", "id int", "email text"), id=1, email=2)
    new = numbered(table("t", "id int", "email_encrypted text"), id=1, email_encrypted=2)
    found = renames(old, new, shared_ancestor=True)
    assert automatic(found) == []
    assert asked(found) == [("email", "email_encrypted")]
    assert "but a word of encryption stands on one side only" in found.proposals[0].evidence


def test_a_veto_against_one_physical_column_leaves_a_question() -> None:
    old = numbered(
        table("t", "id int", "gone text", "discount_vehicle text", "b text", "x int"),
        id=1, gone=2, discount_vehicle=3, b=4, x=5,
    )  # fmt: skip
    new = numbered(
        table("t", "id int", "x int", "currency_district text", "later text", "discount_vehicles text"),
        id=1, x=5, currency_district=3, later=6, discount_vehicles=7,
    )  # fmt: skip
    found = renames(old, new, shared_ancestor=True)
    assert automatic(found) == []
    question = found.proposals[0]
    assert (question.old, question.new) == ("discount_vehicle", "currency_district")
    assert question.evidence == (
        "same physical table, same column number",
        "but the names speak of different things",
    )
    assert all(q.old != "discount_vehicle" and q.new != "currency_district" for q in found.proposals[1:])


def statistics(made: Table, name: str, **more: object) -> Statistics:
    values = {"null_fraction": 0.0, "distinct": -1.0, "width": 10, "rows": 1000.0} | more
    return Statistics((ColumnStatistics(column=ColumnRef(made.name, name), **values),))


def test_values_that_do_not_fit_forbid() -> None:
    old = table("t", "id int", "a text", "z int")
    new = table("t", "id int", "b text", "z int")
    plain = statistics(old, "a")
    assert automatic(
        renames(old, new, old_statistics=plain, new_statistics=statistics(new, "b", width=12))
    ) == [("a", "b")]
    assert (
        automatic(renames(old, new, old_statistics=plain, new_statistics=statistics(new, "b", width=64)))
        == []
    )
    assert automatic(
        renames(old, new, old_statistics=plain, new_statistics=statistics(new, "b", width=64, rows=5.0))
    ) == [("a", "b")]
    strict = table("t", "id int", "b text!", "z int")
    assert automatic(renames(old, strict, old_statistics=statistics(old, "a", null_fraction=0.9))) == []


def test_ranges_that_do_not_touch_forbid() -> None:
    old, new = table("t", "id int", "a int", "z int"), table("t", "id int", "b int", "z int")
    before = statistics(old, "a", minimum="9", maximum="99")
    assert automatic(
        renames(
            old, new, old_statistics=before, new_statistics=statistics(new, "b", minimum="10", maximum="200")
        )
    ) == [("a", "b")]
    assert (
        automatic(
            renames(
                old,
                new,
                old_statistics=before,
                new_statistics=statistics(new, "b", minimum="100", maximum="200"),
            )
        )
        == []
    )


def test_values_decide_which_question_comes_first() -> None:
    old = table("t", "id int", "x text", "y text")
    listed = Check("c", "(two = ANY (ARRAY['Y'::text, 'N'::text]))", columns=("two",))
    new = table("t", "id int", "one text", "two text", checks=(listed,))
    flags = statistics(old, "x", distinct=2.0, common_values=("Y", "N"), common_frequencies=(0.5, 0.5))
    known = Statistics((*flags.columns, *statistics(old, "y").columns))
    assert ("x", "two") not in asked(renames(old, new, order_known=False))
    found = renames(old, new, order_known=False, old_statistics=known)
    assert asked(found)[0] == ("x", "two")
    assert "all common old values are among those that the new column allows" in found.proposals[0].evidence
    assert found.proposals[0].runner_up == "one"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            {"null_fraction": 0.1},
            None,
            (-1.5, "10% of the old values are NULL, which the new column refuses"),
        ),
        (
            {"width": 30},
            None,
            (-1.5, "old values are 30 bytes wide on average, the new column holds 20 characters"),
        ),
        (
            {"common_values": ("a", "b"), "common_frequencies": (0.6, 0.4)},
            {"common_values": ("b", "a"), "common_frequencies": (0.5, 0.5)},
            (2.0, "2 common values are the same on both sides, about as often"),
        ),
        (
            {"common_values": ("a",), "common_frequencies": (1.0,)},
            {"common_values": ("a",), "common_frequencies": (1.0,)},
            (2.0, "1 common value is the same on both sides, about as often"),
        ),
        (
            {"common_values": ("a", "b"), "common_frequencies": (0.4, 0.2)},
            {"common_values": ("c", "d"), "common_frequencies": (0.5, 0.1)},
            (-1.5, "hardly a common value is the same on both sides"),
        ),
        (
            {"null_fraction": 0.0},
            {"null_fraction": 0.4},
            (-1.0, "0% of the old values are NULL, 40% of the new ones"),
        ),
        (
            {"null_fraction": 0.22},
            {"null_fraction": 0.2},
            (0.5, "about 20% of the values are NULL on both sides"),
        ),
        ({"distinct": 2.0}, {"distinct": 900.0}, (-1.0, "about 2 distinct values in OLD, 900 in NEW")),
        ({"rows": 20.0, "width": 30}, None, None),
    ],
)
def test_what_values_say(
    old: dict[str, object], new: dict[str, object] | None, expected: tuple[float, str] | None
) -> None:
    before, after = table("t", "a text"), table("t", "b varchar(20)!")
    left = statistics(before, "a", **old).of(before.name, "a")
    right = statistics(after, "b", **new).of(after.name, "b") if new is not None else None
    found = list(leanings(before.columns[0], after, after.columns[0], left, right))
    assert (expected in found) if expected is not None else found == []


def test_numbers_and_dates_span_the_same_range() -> None:
    for kind, here, there in (
        ("int", ("1", "1000"), ("1", "950")),
        ("date", ("2020-01-03", "2024-05-06"), ("2020-01-05", "2024-05-01")),
    ):
        before, after = table("t", f"a {kind}"), table("t", f"b {kind}")
        left = statistics(before, "a", minimum=here[0], maximum=here[1]).of(before.name, "a")
        right = statistics(after, "b", minimum=there[0], maximum=there[1]).of(after.name, "b")
        reasons = [words for _, words in leanings(before.columns[0], after, after.columns[0], left, right)]
        assert reasons == ["the values span nearly the same range on both sides"]
    before, after = table("t", "a int8"), table("t", "b int2")
    left = statistics(before, "a", minimum="1", maximum="70000").of(before.name, "a")
    assert list(leanings(before.columns[0], after, after.columns[0], left, None)) == [
        (-2.0, "old values go beyond smallint")
    ]


def test_proposal_names_evidence_and_runner_up() -> None:
    old = table("users", "id int", "x int", "shipping_address text")
    new = table("users", "id int", "x int", "delivery_address text", "nickname text")
    (proposal,) = renames(old, new).proposals
    assert (proposal.old, proposal.new, proposal.runner_up) == (
        "shipping_address",
        "delivery_address",
        "nickname",
    )
    assert proposal.evidence == ("both stand after x", "names share address", "same type text")
    assert 0 < proposal.score < 1


def test_nothing_in_common_is_not_proposed() -> None:
    found = renames(
        table("t", "id int", "z int", "photo bytea"), table("t", "id int", "z int", "active boolean")
    )
    assert found == ColumnRenames()


def test_enums_are_one_family_and_arrays_follow_their_element() -> None:
    old = table("t", "id int", column("kind", enum("old_kind", "a")), "n int")
    new = table("t", "id int", column("sort", enum("new_kind", "a")), "n int")
    assert automatic(renames(old, new)) == [("kind", "sort")]
    assert automatic(
        renames(table("t", "id int", "a int[]", "n int"), table("t", "id int", "b bigint[]", "n int"))
    ) == [("a", "b")]
    assert (
        automatic(
            renames(table("t", "id int", "a int[]", "n int"), table("t", "id int", "b text[]", "n int"))
        )
        == []
    )
