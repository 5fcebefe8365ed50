"""From a pair of schemas to the hazards of its plan: what has to be asked of the rows, and what must not be
asked.

A missed hazard shows when a batch is copied; a needless one is a scan of a table that nobody sees. So every
pair of tests here has one where the hazard has to be, and one where it must not be.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import catalog, column, domain, table
from support.schema_pair import hazard_words, public
from tranship.model.catalog import Catalog, Check, Column, ForeignKey, Index, Key, Table
from tranship.model.resolution import LookupTable, Resolution
from tranship.model.shape import KeyKind, NewKey

KEYED = table("t", "id int!", "a text", "n int", key=["id"])


def only(old: Table | Catalog, new: Table | Catalog, *entries: Resolution) -> list[str]:
    """The hazards of the one table."""
    (found,) = hazard_words(
        old if isinstance(old, Catalog) else [old], new if isinstance(new, Catalog) else [new], *entries
    ).values()
    return found


def index(name: str, *columns: str, **more: object) -> Index:
    made = Index(
        name=name,
        definition="",
        unique=True,
        keys=columns,
        columns=columns,
        collations=(None,) * len(columns),
    )
    return replace(made, **more) if more else made


def unique(name: str, *columns: str, **more: object) -> dict[str, object]:
    """A unique constraint with the index that serves it."""
    made = (
        replace(Key(name=name, primary=False, columns=columns), **more) if more else Key(name, False, columns)
    )
    return {"keys": (made,), "indexes": (index(name, *columns, constraint=name, constraint_kind="u"),)}


def test_a_table_as_it_was_asks_nothing() -> None:
    assert only(KEYED, KEYED) == []


def test_a_wider_type_asks_nothing_and_a_narrower_one_converts() -> None:
    assert only(KEYED, table("t", "id int!", "a text", "n bigint", key=["id"])) == []
    assert only(KEYED, table("t", "id int!", "a text", "n smallint", key=["id"])) == ["conversion n"]


def test_a_longer_text_asks_nothing_and_a_shorter_one_converts() -> None:
    old = table("t", "a varchar(10)")
    assert only(old, table("t", "a varchar(20)")) == []
    assert only(old, table("t", "a varchar(5)")) == ["conversion a"]


def test_characters_outgrow_bytes_only_where_new_counts_bytes() -> None:
    old, new = catalog(table("t", "a varchar(10)")), catalog(table("t", "a varchar(10)"))
    ascii_new = replace(new, encoding="SQL_ASCII")
    assert only(replace(old, encoding="UTF8"), replace(new, encoding="UTF8")) == []
    assert only(replace(old, encoding="UTF8"), ascii_new) == ["conversion a"]
    assert only(replace(old, encoding="SQL_ASCII"), ascii_new) == []


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ("LATIN1", "UTF8", False),
        ("UTF8", "UTF8", False),
        ("UTF8", "LATIN1", True),
        ("LATIN1", "LATIN2", True),
        ("SQL_ASCII", "UTF8", True),
        ("UTF8", "SQL_ASCII", False),
    ],
)
def test_an_encoding_is_asked_about_where_it_may_lack_characters(
    before: str, after: str, asked: bool
) -> None:
    old, new = (replace(catalog(KEYED), encoding=encoding) for encoding in (before, after))
    assert only(old, new) == (["encoding a"] if asked else [])


def test_not_null_is_asked_about_where_old_may_hold_null() -> None:
    strict = table("t", "id int!", "a text!", "n int", key=["id"])
    assert only(KEYED, strict) == ["not null a"]
    assert only(strict, strict) == []
    unproven = replace(
        strict, columns=(strict.columns[0], replace(strict.columns[1], null_before=True), strict.columns[2])
    )
    assert only(unproven, strict) == ["not null a"]


def test_a_mapping_leaves_a_gap_without_a_default() -> None:
    new = table("t", "id int!", "a text", "n int!", key=["id"])
    mapping = Resolution("t", "", "transform", old_column="a", new_column="n", value_mapping=(("x", "1"),))
    rename = Resolution("t", "", "ignore", old_column="n")
    assert only(KEYED, new, mapping, rename) == ["gap n", "not null n"]
    whole = replace(mapping, default_value="0", null_value="0")
    assert only(KEYED, new, whole, rename) == []


def test_a_lookup_of_another_type_converts() -> None:
    lookup = LookupTable(table="k", key_columns=("code",), value_column="id", database="new")
    entry = Resolution("t", "", "transform", old_column="a", new_column="a", lookup_table=lookup)
    for declared, hazards in (("a int", ["gap a"]), ("a smallint", ["conversion a", "gap a"])):
        new = catalog(
            table("t", "id int!", declared, "n int", key=["id"]), table("k", "id int!", "code text!")
        )
        assert only(catalog(KEYED), new, entry) == hazards


def test_an_expression_that_is_looked_up_may_raise() -> None:
    lookup = LookupTable(table="k", key_columns=("code",), value_column="id", database="new")
    new = catalog(table("t", "id int!", "a int", "n int", key=["id"]), table("k", "id int!", "code text!"))
    for key_sql, hazards in (((), []), (("old.a",), ["gap a"])):
        entry = Resolution(
            "t", "", "transform", old_column="a", new_column="a", lookup_table=lookup, key_sql=key_sql
        )
        assert only(catalog(KEYED), new, replace(entry, default_value="7")) == hazards


def test_a_check_that_old_holds_is_not_asked_about() -> None:
    check = Check("c", "(n > 0)", columns=("n",))
    held = replace(KEYED, checks=(check,))
    assert only(held, held) == []
    assert only(KEYED, held) == ["check c"]
    assert only(replace(KEYED, checks=(replace(check, validated=False),)), held) == ["check c"]
    assert only(KEYED, replace(KEYED, checks=(replace(check, enforced=False),))) == []


def test_a_check_over_a_converted_column_is_asked_about_again() -> None:
    check = Check("c", "(n > 0)", columns=("n",))
    old = replace(KEYED, checks=(check,))
    new = table("t", "id int!", "a text", "n bigint", key=["id"], checks=(check,))
    assert only(old, new) == ["check c held"]


@pytest.mark.parametrize("expression", ["(d < CURRENT_DATE)", "public.f(n)", "(a = (CURRENT_USER)::text)"])
def test_a_check_that_may_give_another_answer_today_is_asked_about(expression: str) -> None:
    held = replace(table("t", "n int", "d date", "a text"), checks=(Check("c", expression, columns=("n",)),))
    assert only(held, held) == ["check c held"]


def test_a_domain_check_on_the_clock_converts() -> None:
    birth = domain("birth", "date", "(VALUE < CURRENT_DATE)")
    old = table("t", column("d", birth))
    assert only(old, old) == ["conversion d"]
    positive = domain("positive", "int", "(VALUE > 0)")
    assert only(table("t", column("n", positive)), table("t", column("n", positive))) == []


def test_a_unique_key_of_old_makes_a_wider_one_certain() -> None:
    old = table("t", "a text!", "b text!", **unique("u", "a"))
    assert only(old, old) == ["existing u"]
    wider = table("t", "a text!", "b text!", **unique("w", "a", "b"))
    assert only(old, wider) == ["existing w"]
    assert only(wider, old) == ["existing u", "unique u"]


def test_a_unique_key_over_a_rounded_value_is_asked_about() -> None:
    old = table("t", "a numeric(10,2)!", **unique("u", "a"))
    assert only(old, table("t", "a numeric(10,2)!", **unique("u", "a"))) == ["existing u"]
    # Two amounts may be one float: the key has to be asked about.
    assert "unique u" in only(old, table("t", "a double precision!", **unique("u", "a")))


def test_nulls_that_were_distinct_and_are_equal_now_are_asked_about() -> None:
    old = table("t", "a text", **unique("u", "a"))
    keys = unique("u", "a", nulls_not_distinct=True)
    (served,) = keys["indexes"]  # type: ignore[misc]
    new = table("t", "a text", keys=keys["keys"], indexes=(replace(served, nulls_not_distinct=True),))
    assert only(old, new) == ["existing u", "unique u"]
    refusing = table("t", "a text!", **unique("u", "a"))
    strict = replace(new, columns=refusing.columns)
    assert only(refusing, strict) == ["existing u"]


def test_a_key_that_new_numbers_itself_cannot_collide() -> None:
    numbered = column("id bigint!", sequence=public("t_id_seq"), identity="d", default=None)
    new = table("t", numbered, "a text", **unique("t_id_key", "id"))
    assert only(table("t", "a text"), new) == []


def test_two_tables_that_flow_into_one_are_asked_about_their_key() -> None:
    one, two = table("one", "a text!", **unique("u", "a")), table("two", "a text!", **unique("u", "a"))
    entries = (
        Resolution("one", "", "rename_table", new_table="both"),
        Resolution("two", "", "rename_table", new_table="both"),
    )
    found = hazard_words([one, two], [table("both", "a text!", **unique("u", "a"))], *entries)
    assert found == {"one": ["existing u", "unique u"], "two": ["existing u", "unique u"]}


@pytest.mark.parametrize(
    ("key", "number", "asked"),
    [
        (("t_id", "place"), "item_number", False),
        (("t_id", "place"), "item.item_number", False),
        (("t_id", "place"), "item.n", True),
        (("place",), "item_number", True),
        (("t_id",), "item_number", True),
    ],
)
def test_items_differ_by_their_old_row_and_their_number(
    key: tuple[str, ...], number: str, asked: bool
) -> None:
    """A key of OLD alone says nothing about the items of one row."""
    made = [
        replace(Resolution("t", "", "rows"), items="unnest(old.tags) AS item(tag)"),
        replace(Resolution("t", "", "transform"), old_column="id", new_column="t_id"),
        replace(Resolution("t", "", "transform"), new_column="place", transform_sql=number),
        replace(Resolution("t", "", "ignore"), old_column="tags"),
    ]
    old = table("t", "id int!", "tags text[]", key=["id"])
    found = only(old, table("t", "t_id int!", "place bigint!", indexes=(index("i", *key),)), *made)
    assert (any(words.startswith("unique") for words in found)) == asked, found


def test_an_exclusion_that_old_holds_is_not_asked_about() -> None:
    exclusion = index(
        "x", "a", unique=False, method="gist", constraint="x", constraint_kind="x",
        exclusion_operators=("OPERATOR(pg_catalog.&&)",),
    )  # fmt: skip
    held = table("t", "a int4range", indexes=(exclusion,))
    assert only(held, held) == ["existing x"]
    assert only(table("t", "a int4range"), held) == ["existing x", "exclude x"]


def test_an_index_expression_that_may_raise_is_asked_about_once_it_is_new() -> None:
    dividing = Index("i", "", keys=("(10 / n)",), columns=(None,), collations=(None,))
    lower = Index("i", "", keys=("lower(a)",), columns=(None,), collations=(None,))
    assert only(KEYED, replace(KEYED, indexes=(dividing,))) == ["index i"]
    assert only(KEYED, replace(KEYED, indexes=(lower,))) == []
    assert only(replace(KEYED, indexes=(dividing,)), replace(KEYED, indexes=(dividing,))) == []
    assert only(KEYED, replace(KEYED, indexes=(replace(dividing, valid=False),))) == []


def test_a_stored_expression_is_asked_about_unless_old_computes_the_same() -> None:
    twice = column("d int", generated="s", generation="(n * 2)")
    old, new = table("t", "n int"), table("t", "n int", twice)
    assert only(old, new) == ["generated d"]
    assert only(new, new) == []
    virtual = table("t", "n int", column("d int", generated="v", generation="(n * 2)"))
    assert only(old, virtual) == []


def test_a_partitioned_table_routes_unless_it_has_a_default_partition() -> None:
    new = replace(KEYED, kind="p", partition_key="RANGE (n)")
    assert only(KEYED, new) == ["routing id,a,n"]
    assert only(KEYED, replace(new, has_default_partition=True)) == []


def test_a_foreign_key_is_asked_about_and_held_where_old_has_it() -> None:
    parent = table("p", "id int!", key=["id"])
    child = table("t", "id int!", "p int", key=["id"], references=[("p", "p")])
    assert hazard_words([parent, child], [parent, child])["t"] == ["foreign key t_p_fkey held"]
    loose = replace(child, foreign_keys=())
    assert hazard_words([parent, loose], [parent, child])["t"] == ["foreign key t_p_fkey"]
    (key,) = child.foreign_keys
    unproven = replace(child, foreign_keys=(replace(key, validated=False),))
    assert hazard_words([parent, unproven], [parent, child])["t"] == ["foreign key t_p_fkey"]


def test_a_foreign_key_that_new_does_not_enforce_is_not_asked_about() -> None:
    parent = table("p", "id int!", key=["id"])
    key = ForeignKey("f", ("p",), public("p"), ("id",), enforced=False)
    new = table("t", "id int!", "p int", key=["id"], foreign_keys=(key,))
    assert hazard_words([parent, replace(new, foreign_keys=())], [parent, new])["t"] == []


def test_a_foreign_key_over_columns_that_nothing_fills_is_not_asked_about() -> None:
    parent = table("p", "id int!", key=["id"])
    new = table("t", "id int!", "p int", key=["id"], references=[("p", "p")])
    assert hazard_words([parent, table("t", "id int!", key=["id"])], [parent, new])["t"] == []


def test_a_foreign_key_over_columns_that_new_alone_fills_is_asked_about() -> None:
    parent, old = table("p", "id int!", key=["id"]), table("t", "id int!", key=["id"])
    new = table("t", "id int!", "p int", key=["id"], references=[("p", "p")])
    defaulted = replace(new, columns=tuple(_filled(c, default="1") for c in new.columns))
    assert hazard_words([parent, old], [parent, defaulted])["t"] == ["foreign key t_p_fkey"]
    generated = replace(new, columns=tuple(_filled(c, generated="s") for c in new.columns))
    assert "foreign key t_p_fkey" in hazard_words([parent, old], [parent, generated])["t"]


def test_a_foreign_key_of_which_a_column_stays_null_is_asked_about_under_match_full() -> None:
    parent, old = table("p", "a int!", "b int!", key=["a", "b"]), table("t", "a int")
    key = ForeignKey("f", ("a", "b"), public("p"), ("a", "b"))
    new = table("t", "a int", "b int", foreign_keys=(key,))
    assert hazard_words([parent, old], [parent, new])["t"] == []
    full = replace(new, foreign_keys=(replace(key, match_full=True),))
    assert hazard_words([parent, old], [parent, full])["t"] == ["foreign key f"]


def _filled(column: Column, *, default: str | None = None, generated: str = "") -> Column:
    """Returns the column ``p`` as NEW fills it; others as they are."""
    if column.name != "p":
        return column
    return replace(column, default=default, generated=generated, generation="id" if generated else None)


def test_a_row_that_may_outgrow_its_page_is_asked_about() -> None:
    """A table as it was is not, and neither is one whose columns cannot fill a page."""
    wide, wider = ([f"c{n} {words}" for n in range(1100)] for words in ("int", "bigint"))
    old, new = table("t", "id int!", *wide, key=["id"]), table("t", "id int!", *wider, key=["id"])
    assert only(old, new) == ["row size "]
    assert only(new, new) == []
    narrow = [f"c{n} int" for n in range(500)]
    assert only(table("t", *narrow), table("t", *(c.replace("int", "bigint") for c in narrow))) == []
    texts = [f"c{n} text" for n in range(300)]
    assert only(table("t", "id int", *texts), table("t", "id bigint", *texts)) != []


@pytest.mark.parametrize(("kind", "type_"), [(KeyKind.UUID, "uuid"), (KeyKind.NUMBER, "bigint")])
def test_new_values_of_a_key_are_as_distinct_as_the_old_ones(kind: KeyKind, type_: str) -> None:
    """Nothing but rows that NEW holds already can have one of them; beside another column the same holds."""
    new_key = Resolution(path="", table="t", action="new_key", column="id", new_values=NewKey("id", kind))
    own = table("t", f"id {type_}!", "a text", "n int", **unique("t_id", "id"))
    pair = table("t", f"id {type_}!", "a text", "n int", **unique("t_id_n", "n", "id"))
    other = table("t", f"id {type_}!", "a text", "n int", **unique("t_n", "n"))
    assert "unique t_id" not in only(KEYED, own, new_key)
    assert "unique t_id_n" not in only(KEYED, pair, new_key)
    assert "unique t_n" in only(KEYED, other, new_key)
