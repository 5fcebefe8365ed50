"""What is said of the keys of a further table that a suggested shape fills."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from support.build import parse_catalog
from tranship.codec import encode
from tranship.model.catalog import Catalog, Key
from tranship.model.evidence import ColumnFacts, Evidence
from tranship.model.names import ColumnRef, TableName
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope

OLD = "members(id int pk, login text, bio text, nick text)"
NEW = "members(id int pk, login text); profiles(member_id int pk -> members.id, bio text, nick text)"


def told(distinct: int, *, sampled: bool = False, asked: bool = True) -> list[str]:
    """The lines of evidence that are about keys, where NEW takes each ``nick`` once."""
    old, new = parse_catalog(OLD), _unique(parse_catalog(NEW), "profiles", "nick")
    ref = ColumnRef(TableName("public", "members"), "nick")
    facts = (ColumnFacts(ref, 9, 0, distinct, sampled=sampled),) if asked else ()
    made = suggest(old, new, make_scope(old, new, None)[0], Evidence(columns=facts))
    document = json.loads(encode(made.document))
    (shape,) = document["_suggestions"]
    return [line for line in shape["_evidence"] if line.startswith("NEW takes each")]


def _unique(side: Catalog, table: str, column: str) -> Catalog:
    tables = [
        replace(one, keys=(*one.keys, Key(f"{table}_{column}_key", False, (column,))))
        if one.name.name == table
        else one
        for one in side.tables
    ]
    return replace(side, tables=tuple(tables))


@pytest.mark.parametrize(
    ("distinct", "sampled", "words"),
    [
        (6, False, "and 3 rows of OLD repeat another's: such rows would be rejected"),
        (6, True, "and 3 rows of OLD (a sample) repeat another's"),
        (9, False, "and no row of OLD repeats another's"),
        (9, True, "which was not tried on OLD's rows: a dry run names those that repeat another's"),
    ],
)
def test_a_key_of_a_further_table_is_tried_on_the_rows(distinct: int, sampled: bool, words: str) -> None:
    (line,) = told(distinct, sampled=sampled)
    assert line.startswith("NEW takes each (nick) once")
    assert words in line


def test_a_key_that_was_not_tried_is_named() -> None:
    (line,) = told(0, asked=False)
    assert "which was not tried on OLD's rows" in line
