"""Columns whose values stand for objects of a catalog are named, wherever the value stands."""

from __future__ import annotations

import pytest

from support.build import array, catalog, column, composite, domain, pg_type, table
from tranship.model.types import PgType
from tranship.planning.comparing.compare import compare
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope

BY_NAME, BY_NUMBER = "names objects of the database", "holds object identifiers of one server"


def notes(type_: PgType) -> list[str]:
    one = catalog(table("t", column("id integer!"), column("v", type_)))
    scope, _ = make_scope(one, one, None)
    found = compare(one, one, match(one, one, scope)).notes
    return [note.description for note in found if note.kind == "catalog_values"]


@pytest.mark.parametrize(
    ("type_", "what"),
    [
        (pg_type("regclass"), BY_NAME),
        (pg_type("aclitem[]"), BY_NAME),
        (domain("d", "regrole"), BY_NAME),
        (composite("c", n="integer", kind="regtype"), BY_NAME),
        (pg_type("oid"), BY_NUMBER),
        (array(pg_type("oid")), BY_NUMBER),
    ],
)
def test_they_are_named(type_: PgType, what: str) -> None:
    assert notes(type_) == [f"Column 'v' ({type_.text}) {what}"]


def test_others_are_not() -> None:
    assert notes(pg_type("bigint")) == notes(pg_type("text[]")) == []
