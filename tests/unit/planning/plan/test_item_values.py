"""Which items may raise where their values are read."""

import pytest

from tranship.planning.plan.item_values import made_late

FIRST = (
    "unnest(old.tags) AS item(tag)",
    "unnest(string_to_array(old.tags, ',')) WITH ORDINALITY AS item(tag, n)",
    "ROWS FROM (unnest(old.a), pg_catalog.unnest(old.b)) AS item(a, b)",
    "jsonb_array_elements_text(old.doc -> 'lines') AS item(line)",
    "jsonb_to_recordset(old.doc) AS item(sku text, number int)",
    "unnest(CAST(old.items AS int[])) AS item(value)",
    "generate_series(1, old.qty / 2) AS item(n)",
    "unnest(public.numbers(trim(old.items), '(')) AS item(number)",
    "(VALUES ('home', old.phone), ('work', old.phone2)) AS item(kind, phone)",
    "(VALUES (old.first || ' ' || old.last)) AS item(name)",
)
LATE = (
    "(SELECT 100 / old.qty AS share) AS item",
    "(VALUES (100 / old.qty)) AS item(share)",
    "(VALUES (old.day AT TIME ZONE old.zone)) AS item(at)",
    "(VALUES (old.code::int)) AS item(code)",
    "public.shares(old.qty) AS item",
    "ROWS FROM (unnest(old.tags), public.shares(old.qty)) AS item(tag, share)",
    "public.unnest(old.tags) AS item",
    "(TABLE u) AS item",
    "(SELECT u.share FROM public.u AS u WHERE u.load = old.id) AS item",
)


@pytest.mark.parametrize("source", FIRST)
def test_values_that_are_there_when_the_items_are(source: str) -> None:
    assert not made_late(source)


@pytest.mark.parametrize("source", LATE)
def test_values_that_may_raise_where_they_are_read(source: str) -> None:
    assert made_late(source)


def test_a_number_may_raise() -> None:
    source = "unnest(old.tags) AS item(tag)"
    assert made_late(source, "100 / length(item.tag)")
    assert not made_late(source, "item.tag DESC")
