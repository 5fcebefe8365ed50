"""A reference beside a kind leads to the new ids that the decisions give, or nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.build import parse_catalog
from tranship.codec import read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.evidence import ColumnFacts, Evidence, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope

OLD = "customers(id int pk, name text); suppliers(id int pk, name text);notes(id int pk, on_type text, on_id {}, body text)"
NEW = "partners(id {} pk, kind text!, name text); notes(id int pk, partner_id {} -> partners.id, body text)"
BOTH = "CASE WHEN old.on_type IN ('supplier', 'customer') THEN old.on_id END"
ADDED = "CASE WHEN old.on_type = 'supplier' THEN {} + 1000 WHEN old.on_type = 'customer' THEN old.on_id END"
CUSTOMERS = "CASE WHEN old.on_type = 'customer' THEN old.on_id END"


@pytest.mark.parametrize(
    ("made", "ids", "sql"),
    [
        (None, "int", BOTH),
        ({"offset": 1000}, "int", ADDED.format("old.on_id")),
        ({"offset": 1000}, "text", ADDED.format("CAST(old.on_id AS bigint)")),
        ("number", "int", CUSTOMERS),
    ],
)
def test_new_ids_are_added_or_left_out(tmp_path: Path, made: object, ids: str, sql: str) -> None:
    old, new = parse_catalog(OLD.format(ids)), parse_catalog(NEW.format("int", "int"))
    renamed: dict[str, object] = {"action": "rename_table", "new_table": "partners"}
    entries = {"customers": [renamed], "suppliers": [renamed]}
    if made is not None:
        entries["suppliers"] = [renamed, {"action": "new_key", "column": "id", "as": made}]
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"resolutions": entries}), encoding="utf-8")
    kinds = (ValueCount("supplier", 2), ValueCount("customer", 1))
    ref = ColumnRef(TableName("public", "notes"), "on_type")
    evidence = Evidence(columns=(ColumnFacts(ref, 3, 0, 2, kinds, True),))
    file = parse_resolutions(read_jsonc(path))
    found = suggest(old, new, make_scope(old, new, None)[0], evidence, file).shapes
    (shape,) = (one for one in found if "lead to the table" in one.question)
    assert [entry["transform_sql"] for entry in shape.entries["notes"]] == [sql]
    left_out = any("'supplier' is left out" in str(fact) for fact in shape.evidence)
    assert left_out is (made == "number")


def test_a_table_of_new_s_own_is_referred_to_by_the_same_ids() -> None:
    """No old table fills it, so that nothing gives its rows other ids."""
    old = parse_catalog("notes(id int pk, on_type text, on_id int, body text)")
    new = parse_catalog(
        "partner(id int pk, name text);notes(id int pk, partner_id int -> partner.id, body text)"
    )
    ref = ColumnRef(TableName("public", "notes"), "on_type")
    evidence = Evidence(columns=(ColumnFacts(ref, 3, 0, 1, (ValueCount("partner", 3),), True),))
    found = suggest(old, new, make_scope(old, new, None)[0], evidence).shapes
    (shape,) = (one for one in found if "lead to the table" in one.question)
    (entry,) = shape.entries["notes"]
    assert entry["transform_sql"] == "CASE WHEN old.on_type = 'partner' THEN old.on_id END"
    assert not any("left out" in str(fact) for fact in shape.evidence)
