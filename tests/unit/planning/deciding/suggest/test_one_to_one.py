"""Suggestions where a table is folded into another, a key is made anew, and NEW computes a column."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import parse_catalog
from tranship.model.catalog import Catalog, Key
from tranship.model.evidence import Evidence
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.matching.scope import make_scope


def suggested(old: Catalog, new: Catalog) -> Suggestions:
    scope, problems = make_scope(old, new, None)
    assert problems == ()
    return suggest(old, new, scope, Evidence())


def test_a_table_of_one_row_each_is_folded_into_the_other() -> None:
    old = "post(id int pk, title text!); stats(post_id int pk -> post.id, score int!, likes int!, seen int)"
    new = parse_catalog("post(id int pk, title text!, score int! = 0, likes int!, views int)")
    (shape,) = suggested(parse_catalog(old), new).shapes
    assert shape.question == "Do columns of 'stats' become columns of 'post'?"
    row = "(SELECT c.{} FROM public.stats AS c WHERE c.post_id = old.id)"
    assert shape.entries == {
        "post": (
            {
                "action": "transform",
                "new_column": "score",
                "transform_sql": f"coalesce({row.format('score')}, 0)",
            },
            {"action": "transform", "new_column": "likes", "transform_sql": row.format("likes")},
        )
    }
    assert "its other columns go nowhere: 'seen'" in shape.evidence


def test_a_table_of_many_rows_each_is_not() -> None:
    old = parse_catalog("post(id int pk); stats(id int pk, post_id int -> post.id, score int!)")
    assert suggested(old, parse_catalog("post(id int pk, score int)")).shapes == ()


def only_entry(old: Catalog, new: Catalog) -> dict[str, object]:
    resolutions = suggested(old, new).document["resolutions"]
    assert isinstance(resolutions, dict)
    ((entry,),) = resolutions.values()
    return dict(entry)


def test_a_uuid_that_is_a_new_key_is_made_of_the_old_one() -> None:
    old, new = parse_catalog("t(kind text!, n int!)"), parse_catalog("t(kind text!, n int!, id uuid pk)")
    table = old.tables[0]
    entry = only_entry(old, new)
    assert "_suggestion" not in entry
    keyed = replace(table, keys=(Key("t_key", columns=("kind", "n"), primary=False),))
    entry = only_entry(replace(old, tables=(keyed,)), new)
    assert entry["_suggestion"] == {
        "confidence": "guess",
        "new_column": "id",
        "action": "transform",
        "transform_sql": "CAST(md5(CAST(ROW('public.t', old.kind, old.n) AS text)) AS uuid)",
    }


def test_what_new_computes_of_columns_that_nothing_fills_is_not_left_behind() -> None:
    def new(columns: str) -> Catalog:
        made = parse_catalog(f"t(id int pk, {columns}, done timestamp gen)")
        table = made.tables[0]
        computed = [replace(c, generation="LEAST(a, b)") if c.generated else c for c in table.columns]
        return replace(made, tables=(replace(table, columns=tuple(computed)),))

    old = parse_catalog("t(id int pk, done timestamp)")
    entry = only_entry(old, new("a timestamp, b timestamp"))
    assert "_suggestion" not in entry
    empty = "NEW computes it from 'a', 'b', which nothing fills: one of them may take the old values"
    assert empty in str(entry["_evidence"])
    with_default = only_entry(old, new("a timestamp = now(), b timestamp"))
    assert with_default["_suggestion"] == {"confidence": "guess", "old_column": "done", "action": "ignore"}
