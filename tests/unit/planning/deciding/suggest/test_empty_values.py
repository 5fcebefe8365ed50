"""An empty value is no answer for a new column beside old columns whose values would be left behind."""

from __future__ import annotations

from support.build import parse_catalog
from tranship.model.evidence import ColumnFacts, Evidence, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.planning.deciding.suggest import Question, suggest
from tranship.planning.matching.scope import make_scope

OLD = "t(gname text, members text, id int pk, n int)"
NEW = "t(id int pk, n int, title text!, body text!, loud text gen)"


def questions(*facts: ColumnFacts) -> dict[str, Question]:
    old, new = parse_catalog(OLD), parse_catalog(NEW)
    found = suggest(old, new, make_scope(old, new, None)[0], Evidence(columns=facts)).questions
    return {one.text.split("'")[1]: one for one in found}


def test_old_columns_of_the_type_are_named_in_place_of_the_empty_text() -> None:
    asked = questions()["title"]
    assert asked.suggestion == "nothing is suggested"
    assert "old columns of such a type that fill none: 'gname', 'members'" in asked.facts(values=True)


def test_the_empty_text_stays_where_old_columns_hold_nothing() -> None:
    table = TableName("public", "t")
    empty = [ColumnFacts(ColumnRef(table, name), 5, 5, 0, (), True) for name in ("gname", "members")]
    assert "default title = ''" in questions(*empty)["title"].suggestion


def test_a_column_that_new_computes_is_none_to_fill() -> None:
    values = (ValueCount("a", 5),)
    facts = ColumnFacts(ColumnRef(TableName("public", "t"), "gname"), 5, 0, 1, values, True)
    told = questions(facts)["gname"].facts(values=True)
    assert "new columns that no old one fills: 'title', 'body'" in told
