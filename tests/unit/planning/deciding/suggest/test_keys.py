"""References by a natural key that becomes a number, where OLD declares no foreign key."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from support.build import parse_catalog
from tranship.model.catalog import Catalog, ForeignKey, Key
from tranship.model.evidence import Evidence
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope


def _suggested(child: str, key: str) -> str:
    """What is suggested for the reference of orders by ``child``, where customers have the key ``key``."""
    old = parse_catalog(f"customers(id int, {key} text pk, name text); orders(n int pk, {child} text, m int)")
    number = "customers(number int pk, " + f"{key} text!, id int, name text)"
    new = parse_catalog(f"{number}; orders(n int pk, customer int -> customers.number, m int)")
    (*_, asked) = suggest(old, _unique(new, key), make_scope(old, new, None)[0], Evidence()).questions
    return asked.suggestion


def _unique(catalog: Catalog, name: str) -> Catalog:
    key = Key("u", primary=False, columns=(name,))
    tables = (replace(t, keys=(*t.keys, key)) if t.column(name) else t for t in catalog.tables)
    return replace(catalog, tables=tuple(tables))


def test_a_column_called_like_the_key_of_the_parents_finds_them_by_it() -> None:
    for child, key in (("cust_no", "cust_no"), ("customer_code", "code")):
        assert "by lookup_table" in _suggested(child, key), (child, key)


def test_a_word_that_many_tables_have_says_nothing() -> None:
    for child, key in (("code", "code"), ("note", "cust_no")):
        assert "by lookup_table" not in _suggested(child, key), (child, key)


def _in_tenants(reference: str, keyed: tuple[str, ...]) -> Catalog:
    """Stores whose primary key is ``keyed``, and orders that refer to it by ``reference`` beside the tenant."""
    columns = "".join(f", {name} int!" for name in ("id", "code"))
    catalog = parse_catalog(f"stores(tenant int!{columns}); orders(n int pk, tenant int!, {reference} int)")
    orders, stores = catalog.tables
    primary = Key("stores_pkey", primary=True, columns=keyed)
    leads = ForeignKey("of_store", ("tenant", reference), stores.name, keyed)
    tables = replace(orders, foreign_keys=(leads,)), replace(stores, keys=(primary,))
    return replace(catalog, tables=tables)


def test_a_key_over_several_columns_is_looked_up_by_all_of_them() -> None:
    old, new = _in_tenants("store", ("tenant", "id")), _in_tenants("store", ("tenant", "code"))
    document: Any = suggest(old, new, make_scope(old, new, None)[0], Evidence()).document
    (entry,) = document["resolutions"]["orders"]
    assert list(entry["_suggestion"]["old_columns"]) == ["tenant", "store"]
    assert entry["_suggestion"]["lookup_table"] == {
        "table": "stores",
        "key_columns": ("tenant", "id"),
        "value_column": "code",
        "schema": "public",
        "database": "old",
    }
