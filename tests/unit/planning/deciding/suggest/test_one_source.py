"""One old column that several new ones may be made of: none of them gets all of it without a word."""

from __future__ import annotations

import json

from msgspec.json import encode

from support.build import parse_catalog
from tranship.model.evidence import ColumnFacts, Evidence, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.matching.scope import make_scope


def facts(table: str, column: str, *values: str, nulls: int = 0) -> ColumnFacts:
    counted = tuple(ValueCount(value, 1) for value in values)
    ref = ColumnRef(TableName("public", table), column)
    return ColumnFacts(ref, len(values) + nulls, nulls, len(values), counted, True)


def suggested(old: str, new: str, *columns: ColumnFacts) -> Suggestions:
    before, after = parse_catalog(old), parse_catalog(new)
    return suggest(before, after, make_scope(before, after, None)[0], Evidence(columns=columns))


def told(made: Suggestions) -> dict[str, tuple[str, str]]:
    """What is suggested for each column of NEW, and the last line of its evidence."""
    asked = [json.loads(encode(entry)) for own in made.document["resolutions"].values() for entry in own]  # type: ignore[attr-defined]
    suggestions = {entry["new_column"]: entry.get("_suggestion") for entry in asked}
    return {
        entry["new_column"]: (suggestions[entry["new_column"]], entry["_evidence"][-1]) for entry in asked
    }


def test_a_document_is_no_answer_for_two_columns() -> None:
    held = facts("t", "contact_data", '["a@x.org", "12"]')
    old = "t(id int pk, contact_data jsonb, n int)"
    made = suggested(old, "t(id int pk, n int, contact_mails jsonb!, m int, contact_phones jsonb!)", held)
    why = (
        "new columns that 'contact_data' may fill: 'contact_mails', 'contact_phones'; "
        "each wants its own of the values that 'contact_data' holds: give expressions"
    )
    assert told(made) == {"contact_mails": (None, why), "contact_phones": (None, why)}


def test_a_list_whose_items_two_tables_take_asks_which_go_where() -> None:
    held = facts("t", "contacts", "a@x.org,b@x.org", "c@x.org,12")
    new = "t(id int pk); mails(t_id int! -> t.id, mail text!); phones(t_id int! -> t.id, phone text!)"
    shapes = suggested("t(id int pk, contacts text)", new, held).shapes
    rows = {key: own[0] for shape in shapes for key, own in shape.entries.items()}
    assert {key: row["where"] for key, row in rows.items()} == {
        "t -> mails": "SPECIFY_CONDITION",
        "t -> phones": "SPECIFY_CONDITION",
    }
    takes_all = "\"where\" says which of them go here (item.value <> '' takes all)"
    assert shapes[0].evidence[-1] == f"the items would go by 't -> phones', too: {takes_all}"
    # One table alone takes them all.
    (alone,) = suggested("t(id int pk, contacts text)", new.rpartition(";")[0], held).shapes
    assert alone.entries["t -> mails"][0]["where"] == "item.value <> ''"


def test_a_column_beside_that_stays_empty_is_told_with_the_one_that_is_filled() -> None:
    held = facts("t", "postal_address", "High Street 1", "Low Street 2")
    old = "t(id int pk, n int, postal_address text)"
    new = "t(id int pk, n int, post_address text, house_no text)"
    suggestion, why = told(suggested(old, new, held))["post_address"]
    assert suggestion["action"] == "rename"  # type: ignore[index]
    assert why == (
        "nothing fills 'house_no', beside it: NULL in every row; 'postal_address' may hold what belongs there"
    )
    kept = "t(id int pk, post_address text, n int, house_no text)"
    assert "nothing fills" not in told(suggested(old, kept, held))["post_address"][1]


def test_child_rows_without_a_parent_are_told() -> None:
    held = facts("tags", "item_id", "1", nulls=3)
    old = "item(id int pk, name text); tags(id int pk, item_id int -> item.id, tag text)"
    (shape,) = suggested(old, "item(id int pk, name text, tags jsonb)", held).shapes
    assert shape.evidence[-1] == "3 rows of public.tags without 'item_id' would be left behind"
    (unasked,) = suggested(old, "item(id int pk, name text, tags jsonb)").shapes
    assert str(unasked.evidence[-1]).endswith("would be left behind: OLD was not asked for them")
