"""Whether the result of a FROM item is called ``item``, and how it would be."""

from __future__ import annotations

import pytest

from tranship.planning.deciding.resolve.item_name import is_counted, is_named_item, named_item

NAMED = (
    "unnest(old.tags) AS item(tag)",
    "unnest(old.tags) item(tag)",
    "unnest(old.tags) AS item",
    "unnest(old.tags) item -- the tags",
    "unnest(old.tags) WITH ORDINALITY AS item(tag, n)",
    "unnest(old.tags) WITH ORDINALITY item(tag, n)",
    "(VALUES ('home', old.home), ('work', old.work)) AS item(kind, phone)",
    "public.prices AS ITEM",
    'json_to_record(old.j) AS "item"(a numeric(10,2), b text)',
    "ROWS FROM (unnest(old.a), unnest(old.b)) AS item(a, b)",
)
CORRECTED = {
    "unnest(old.tags)": "unnest(old.tags) AS item(value)",
    "unnest(old.tags) AS t(tag)": "unnest(old.tags) AS item(tag)",
    "unnest(old.tags) t(tag) /* all */": "unnest(old.tags) item(tag)",
    "unnest(old.tags) AS t": "unnest(old.tags) AS item",
    "unnest(old.tags) WITH ORDINALITY": "unnest(old.tags) WITH ORDINALITY AS item",
    "regexp_split_to_table(old.tags, ' AS item(')": "regexp_split_to_table(old.tags, ' AS item(') AS item(value)",
    "(VALUES (1), (2))": "(VALUES (1), (2)) AS item",
    "public.prices": "public.prices AS item",
    'unnest(old.tags) AS "Item"(tag)': "unnest(old.tags) AS item(tag)",
}


@pytest.mark.parametrize("source", NAMED)
def test_a_result_is_called_item(source: str) -> None:
    assert is_named_item(source)


@pytest.mark.parametrize("source", CORRECTED)
def test_another_name_is_corrected(source: str) -> None:
    assert not is_named_item(source)
    assert named_item(source) == CORRECTED[source]
    assert is_named_item(named_item(source))


def test_numbered_items_have_a_column_for_it() -> None:
    assert [is_counted(source) for source in NAMED].count(True) == 2
    assert not is_counted("unnest(old.tags) WITH ORDINALITY AS t(tag, n), unnest(old.b) AS item(b)")
