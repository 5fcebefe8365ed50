"""References whose parents get another column as their key: what NEW would read in OLD's values."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import catalog, table
from tranship.model.catalog import Catalog, ForeignKey, Key
from tranship.model.change import Change, ChangeClass
from tranship.model.evidence import Reference
from tranship.model.names import ColumnRef, TableName
from tranship.model.resolution import Action, Answers, Decision, Resolution
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import Observed
from tranship.planning.matching.match import Decided, match
from tranship.planning.matching.scope import make_scope

CUSTOMERS, ORDERS = TableName("public", "customers"), TableName("public", "orders")
ID, CODE = ColumnRef(CUSTOMERS, "id"), ColumnRef(CUSTOMERS, "code")
ASKED = "refers to what OLD's public.customers.code fills"


def _schema(column: str, key: str, referred: str | None) -> Catalog:
    by = ForeignKey("orders_buyer", (column,), CUSTOMERS, (referred,)) if referred else None
    keys = (
        Key("customers_code_key", primary=False, columns=("code",)),
        Key("pk", primary=True, columns=(key,)),
    )
    return catalog(
        table("customers", "id int", "code int!", keys=keys),
        table("orders", "id int!", f"{column} int", key=["id"], foreign_keys=(by,) if by else ()),
    )


def _old(column: str, *, declared: bool = False) -> Catalog:
    return _schema(column, "id", "id" if declared else None)


def _new(column: str) -> Catalog:
    """The code is the key of the customers, and their id is no more than a column."""
    return _schema(column, "code", "code")


def _concerns(
    old: Catalog, new: Catalog, observed: Observed | None = None, answers: tuple[Resolution, ...] = ()
) -> list[Change]:
    scope, _ = make_scope(old, new, None)
    decided = Answers(tuple(Decision(Action(one.action), ORDERS, None, one) for one in answers))
    found = compare(old, new, match(old, new, scope), decided, observed=observed or Observed())
    changes = [c for c in found.changes if c.cls is ChangeClass.BREAKING and c.table == "public.orders"]
    assert all(c.kind == "meaning_changed" for c in changes)
    return changes


def _held(column: str, *keys: ColumnRef, distinct: int = 3) -> Observed:
    ref = ColumnRef(ORDERS, column)
    return Observed({ref: Reference(ref, CUSTOMERS if keys else None, keys, distinct)})


def test_a_foreign_key_of_old_says_which_key_the_values_are() -> None:
    (change,) = _concerns(_old("buyer", declared=True), _new("buyer"))
    assert change.evidence == (
        "in OLD public.orders.buyer is a foreign key to public.customers (id)",
        f"in NEW public.orders.buyer {ASKED}: each row would refer to another one, or to none",
        "if NEW's rows under these values are meant: action 'adopt' of constraint orders_buyer",
    )
    adopted = Resolution(table="orders", path="$", action="adopt", constraint="orders_buyer")
    assert not _concerns(_old("buyer", declared=True), _new("buyer"), answers=(adopted,))


def test_a_column_under_two_foreign_keys_may_be_the_one_that_new_means() -> None:
    old = _old("buyer", declared=True)
    also = ForeignKey("orders_code", ("buyer",), CUSTOMERS, ("code",))
    tables = (replace(t, foreign_keys=(*t.foreign_keys, also)) if t.name == ORDERS else t for t in old.tables)
    assert not _concerns(replace(old, tables=tuple(tables)), _new("buyer"))


def test_a_name_says_it_unless_the_data_know_better() -> None:
    old, new = _old("customer_id"), _new("customer_id")
    for observed in (None, _held("customer_id"), _held("customer_id", ID, CODE)):
        (change,) = _concerns(old, new, observed)
        assert "looks like a key of public.customers (id)" in change.evidence[0]
        assert change.description.endswith("changes its meaning in new DB")
    assert not _concerns(old, new, _held("customer_id", CODE))


@pytest.mark.parametrize(
    ("keys", "distinct", "verb"),
    [
        pytest.param([ID], 20, "changes", id="only the ids, and many"),
        pytest.param([ID], 3, "may change", id="only the ids, and few"),
        pytest.param([ID, CODE], 900, "may change", id="both"),
    ],
)
def test_the_data_say_it(keys: list[ColumnRef], distinct: int, verb: str) -> None:
    (change,) = _concerns(_old("buyer"), _new("buyer"), _held("buyer", *keys, distinct=distinct))
    assert f"{verb} its meaning" in change.description
    bare = "if the values themselves are meant: action 'transform' with the same columns alone"
    assert (bare in change.evidence) == (verb == "may change")


def test_nothing_is_asked_where_the_values_are_the_key_that_new_means() -> None:
    for keys in ([CODE], []):
        assert not _concerns(_old("buyer"), _new("buyer"), _held("buyer", *keys, distinct=900))
    both = _held("customer_code", ID, CODE)
    assert not _concerns(_old("customer_code"), _new("customer_code"), both)
    assert not _concerns(_old("buyer"), _schema("buyer", "id", "id"), _held("buyer", ID, CODE)), (
        "the id stays the key"
    )


def test_a_column_called_like_the_key_that_new_means_is_not_doubted() -> None:
    """Although in OLD that column was no key."""
    old = catalog(
        table("customers", "id int!", "code int", key=["id"]), table("orders", "id int!", "customer_code int")
    )
    assert not _concerns(old, _new("customer_code"), _held("customer_code", ID))


def test_what_could_not_be_asked_is_not_taken_for_harmless() -> None:
    (change,) = _concerns(_old("customer"), _new("customer"))
    assert "could not be asked" in change.evidence[0]


def test_the_reference_by_number_that_becomes_one_by_id() -> None:
    """The other way round: NEW means the ids, and OLD holds codes."""
    code, ids = _old("customer_code"), _schema("customer_code", "id", "id")
    for observed in (_held("customer_code", CODE), _held("customer_code", ID, CODE)):
        (change,) = _concerns(code, ids, observed)
        assert "looks like a key of public.customers (code)" in change.evidence[0]
    assert not _concerns(code, ids, _held("customer_code", ID))
    (change,) = _concerns(_old("buyer"), _schema("buyer", "id", "id"), _held("buyer", CODE))
    assert "may change its meaning" in change.description


def test_a_name_in_place_of_an_id_is_a_question_of_its_type() -> None:
    keys = (Key("name", primary=False, columns=("name",)), Key("pk", primary=True, columns=("id",)))
    customers = table("customers", "id int!", "name text!", keys=keys)
    by = ForeignKey("by", ("customer",), CUSTOMERS, ("id",))
    old = catalog(customers, table("orders", "id int!", "customer_name text", key=["id"]))
    new = catalog(customers, table("orders", "id int!", "customer int", key=["id"], foreign_keys=(by,)))
    scope, _ = make_scope(old, new, None)
    decided = Decided(columns=((ORDERS, "customer_name", "customer"),))
    found = compare(old, new, match(old, new, scope, decided))
    assert {c.kind for c in found.changes} == {"column_renamed", "type_changed"}
