"""A unique column of OLD that becomes the primary key in NEW."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import parse_catalog
from tranship.model.catalog import Catalog, Key
from tranship.model.evidence import Evidence
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope

OLD = "c(id int pk, public_id uuid!, token uuid, name text); o(id int pk, c int -> c.id)"
NEW = "c(id uuid pk, name text); o(id int pk, c uuid -> c.id)"


def _old(*unique: str) -> Catalog:
    catalog = parse_catalog(OLD)
    keys = tuple(Key(name, primary=False, columns=(name,)) for name in unique)
    tables = (
        replace(one, keys=(*one.keys, *keys)) if one.name.name == "c" else one for one in catalog.tables
    )
    return replace(catalog, tables=tuple(tables))


def _suggested(old: Catalog) -> dict[str, str]:
    new = parse_catalog(NEW)
    found = suggest(old, new, make_scope(old, new, None)[0], Evidence()).questions
    return {one.text.split("'")[1]: one.suggestion for one in found}


def test_it_takes_the_place_of_the_old_key_and_references_find_it() -> None:
    found = _suggested(_old("public_id"))
    assert found["id"] == "ignore id (likely)"
    assert found["public_id"] == "rename public_id → id (likely)"
    assert found["c"] == "transform c → c by lookup_table (likely)"


def test_a_column_that_may_be_null_or_repeat_is_no_key() -> None:
    for unique in ((), ("token",)):
        found = _suggested(_old(*unique))
        assert found["id"] == "new_key id (a guess)"
        assert found["public_id"].startswith("ignore")
