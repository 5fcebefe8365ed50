"""Every class of change, in the classic words, before and after a person's decisions."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import array, catalog, column, domain, enum, table
from tranship.model.catalog import Catalog, Check
from tranship.model.change import Change, ChangeClass, Comparison
from tranship.model.database_objects import Sequence
from tranship.model.evidence import Reference
from tranship.model.names import ColumnRef, TableName
from tranship.model.resolution import Action, Answers, Decision, LookupTable, Resolution
from tranship.planning.comparing.compare import compare
from tranship.planning.comparing.meaning import Observed
from tranship.planning.matching.match import Decided, match
from tranship.planning.matching.scope import make_scope

SAFE, TRANSFORMABLE, BREAKING = ChangeClass.SAFE, ChangeClass.TRANSFORMABLE, ChangeClass.BREAKING


def name(text: str) -> TableName:
    return TableName("public", text)


def compared(
    old: Catalog,
    new: Catalog,
    *entries: Resolution,
    tables: list[str] | None = None,
    observed: Observed | None = None,
) -> Comparison:
    scope, _ = make_scope(old, new, tables)
    decisions = tuple(Decision(Action(e.action), name(e.table), None, e) for e in entries)
    decided = Decided(
        tables=tuple((name(e.table), name(e.new_table)) for e in entries if e.new_table is not None),
        dropped=tuple(name(e.table) for e in entries if e.action == "drop_table"),
        columns=tuple(
            (name(e.table), e.old_column, e.new_column) for e in entries if e.old_column and e.new_column
        ),
    )
    return compare(
        old, new, match(old, new, scope, decided), Answers(decisions), observed=observed or Observed()
    )


def entry(table_name: str, action: str, **fields: object) -> Resolution:
    return Resolution(table=table_name, path="$", action=action, **fields)  # type: ignore[arg-type]


def lines(comparison: Comparison) -> list[tuple[ChangeClass, str, str | None]]:
    return [(c.cls, c.description, c.auto_action) for c in comparison.changes]


def of(old: list[str], new: list[str], *entries: Resolution) -> list[tuple[ChangeClass, str, str | None]]:
    return lines(compared(catalog(table("t", *old)), catalog(table("t", *new)), *entries))


def test_what_a_run_does_about_the_position_of_a_sequence_that_differs() -> None:
    ours = Sequence(name("voucher"), "bigint", 1, 1, 1, 9000, cycle=False)
    old, new = (replace(catalog(), sequences=(one,)) for one in (replace(ours, start=7000), ours))
    (note,) = compared(old, new).notes
    assert note.description == "Sequence 'public.voucher' differs: old START 7000, new START 1"
    assert note.auto_action == "A run sets its position by OLD's; all else stays as NEW has it"


def test_a_sequence_of_both_databases_is_not_called_one_of_new_alone() -> None:
    """OLD's column has another sequence in NEW, where the one of its name numbers nothing any more."""
    ref = ColumnRef(name("t"), "id")
    ours = Sequence(name("t_id_seq"), "bigint", 1, 1, 1, 9000, cycle=False)
    old = replace(catalog(table("t", "id int")), sequences=(replace(ours, used_by=(ref,)),))
    other = replace(ours, name=name("t_numbers"), used_by=(ref,))
    (note,) = compared(old, replace(catalog(table("t", "id int")), sequences=(ours, other))).notes
    assert note.description == "Sequence 'public.t_id_seq' numbers no column that it numbers in old DB"
    assert note.auto_action == "A run sets its position by OLD's"


def only(comparison: Comparison) -> Change:
    (change,) = comparison.changes
    return change


def test_equal_schemas_have_no_changes() -> None:
    assert of(["id int!", "n numeric(10,2)"], ["id int!", "n numeric(10,2)"]) == []


def test_new_columns() -> None:
    new = [
        "a int",
        "b int",
        "created_at timestamp! = CURRENT_TIMESTAMP",
        column("i int!", identity="a"),
        column("g int!", generated="s", generation="(a + 1)"),
    ]
    assert of(["a int"], new) == [  # type: ignore[arg-type]
        (SAFE, "Column 'b' only exists in new DB", "Set to NULL"),
        (SAFE, "Column 'created_at' only exists in new DB", "Default in new DB: CURRENT_TIMESTAMP"),
        (SAFE, "Column 'i' only exists in new DB", "Identity in new DB: numbered by the server"),
        (SAFE, "Column 'g' only exists in new DB", "Generated in new DB: (a + 1)"),
    ]


def test_a_new_not_null_column_needs_a_decision_also_through_its_domain() -> None:
    must = column("dom", domain("never", "text", not_null=True))
    assert of(["id int", "x int"], ["id int", "x int", "must text!", must]) == [  # type: ignore[list-item]
        (BREAKING, "Column 'must' only exists in new DB", None),
        (BREAKING, "Column 'dom' only exists in new DB", None),
    ]


def test_removed_columns_and_tables() -> None:
    assert of(["id int", "legacy bytea"], ["id int"]) == [
        (BREAKING, "Column 'legacy' only exists in old DB", None)
    ]
    gone = compared(catalog(table("gone", "id int")), catalog(table("fresh", "x text", "y text", "z text")))
    assert lines(gone) == [
        (SAFE, "Table 'fresh' only exists in new DB", "Stays empty (nothing is created)"),
        (BREAKING, "Table 'gone' only exists in old DB", None),
    ]
    view = compared(catalog(table("t", "id int")), catalog(table("t", "id int", kind="v")))
    assert "view in NEW" in only(view).evidence[0]


def test_type_changes_in_short_words() -> None:
    assert of(["id int", "email varchar(50)"], ["id bigint", "email int"]) == [
        (
            TRANSFORMABLE,
            "Column 'id' type mismatch: current(integer) vs new(bigint)",
            "Convert integer to bigint",
        ),
        (BREAKING, "Column 'email' type mismatch: current(varchar(50)) vs new(integer)", None),
    ]
    (change,) = compared(catalog(table("t", "s varchar(9)[]")), catalog(table("t", "s varchar(4)[]"))).changes
    assert change.description == "Column 's' type mismatch: current(varchar(9)[]) vs new(varchar(4)[])"
    assert change.evidence[0] == "the length shrinks from 9 to 4"


def test_an_enum_that_grew_is_evidence() -> None:
    old, new = (
        catalog(table("t", column("e", enum("mood", *labels)))) for labels in (("sad",), ("sad", "happy"))
    )
    change = only(compared(old, new))
    assert (change.cls, change.evidence) == (TRANSFORMABLE, ("labels added: happy",))


def test_labels_in_another_order_are_evidence_in_arrays_as_in_single_values() -> None:
    moved = "the labels stand in another order: comparisons and ORDER BY change"
    sorts = "labels compare by their order in the type, texts by their letters: ORDER BY changes"
    before, after = enum("mood", "low", "mid", "high"), enum("mood", "high", "low", "mid")
    for text, old, new in (("e text", before, after), ("e text[]", array(before), array(after))):
        sides = [catalog(table("t", column("e", one))) for one in (old, new)]
        assert only(compared(*sides)).evidence == (moved,)
        texts = catalog(table("t", text))
        assert sorts in only(compared(texts, sides[0])).evidence
        assert sorts not in only(compared(texts, sides[1])).evidence


def test_relaxed_is_safe_and_new_not_null_is_a_note() -> None:
    assert of(["a int!"], ["a int"]) == [(SAFE, "Column 'a' allows NULL in new DB", "Copy as it is")]
    tightened = compared(catalog(table("t", "a int")), catalog(table("t", "a int!")))
    assert not tightened.changes
    assert [n.kind for n in tightened.notes] == ["new_constraint"]
    check = Check("t_a_check", "(a > 0)", ("a",))
    relaxed = compared(catalog(table("t", "a int", checks=(check,))), catalog(table("t", "a int")))
    assert only(relaxed).cls is SAFE
    assert not relaxed.notes


def test_generated_columns() -> None:
    generated = column("c int", generated="s", generation="(a * 2)")
    into = compared(catalog(table("t", "a int", "c int")), catalog(table("t", "a int", generated)))
    assert (only(into).cls, only(into).kind, only(into).old_column, only(into).new_column) == (
        BREAKING,
        "becomes_generated",
        "c",
        None,
    )
    out_of = compared(catalog(table("t", "a int", generated)), catalog(table("t", "a int", "c int")))
    assert (only(out_of).cls, only(out_of).auto_action) == (SAFE, "Copy the computed values")
    both = compared(catalog(table("t", "a int", generated)), catalog(table("t", "a int", generated)))
    assert not both.changes


def test_column_order() -> None:
    assert of(["a int", "b int"], ["b int", "a int"]) == [
        (SAFE, "Column order differs in new DB", "Copy by column name")
    ]


def test_a_proven_and_an_asked_rename_share_the_wording() -> None:
    proven = compared(
        catalog(table("users", "id int", "user_name text")),
        catalog(table("users", "id int", "z int", "username text")),
    )
    renamed = proven.of(TRANSFORMABLE)[0]
    assert renamed.description == "Column 'user_name' likely renamed to 'username' in new DB"
    assert renamed.auto_action == "Rename column"
    assert renamed.evidence
    asked = compared(
        catalog(table("p", "id int", "first_name text", "last_name text", "x date")),
        catalog(table("p", "id int", "name text", "surname text", "y bytea")),
    )
    assert {c.cls for c in asked.changes if c.old_column is not None} == {BREAKING}
    proposal = next(c for c in asked.changes if c.old_column is not None and c.new_column is not None)
    assert (
        proposal.description
        == f"Column '{proposal.old_column}' likely renamed to '{proposal.new_column}' in new DB"
    )


def test_tables_in_configured_order_and_nothing_else() -> None:
    old = catalog(table("a", "id int"), table("b", "id int"), table("c", "id int"))
    new = catalog(table("a", "id bigint"), table("b", "id bigint"), table("d", "id int"))
    found = compared(old, new, tables=["b", "a"])
    assert [c.table for c in found.changes] == ["public.b", "public.a"]
    assert found.matching.out_of_scope == 1


def test_a_rename_decides_names_but_not_breaking_types() -> None:
    old, new = ["id int", "a int"], ["id int", "b bigint!"]
    fine = of(old, new, entry("t", "rename", old_column="a", new_column="b"))
    assert fine == [
        (TRANSFORMABLE, "Column 'a' renamed to 'b' in new DB", "Rename column"),
        (
            TRANSFORMABLE,
            "Column 'a' type mismatch: current(integer) vs new(bigint)",
            "Convert integer to bigint",
        ),
    ]
    breaking = of(["id int", "a text"], new, entry("t", "rename", old_column="a", new_column="b"))
    assert [line[0] for line in breaking] == [TRANSFORMABLE, BREAKING]


def test_transforms_resolve_both_columns() -> None:
    old, new = ["id int", "status text"], ["id int", "status_id int!"]
    lookup = entry(
        "t",
        "transform",
        old_column="status",
        new_column="status_id",
        lookup_table=LookupTable("statuses", "id", "name"),
    )
    assert of(old, new, lookup) == [
        (TRANSFORMABLE, "Column 'status' feeds 'status_id' in new DB", "Decided: transform by lookup")
    ]
    bare = entry("t", "transform", old_column="c", new_column="c")
    assert of(["c text"], ["c int"], bare)[0][0] is TRANSFORMABLE
    assert of(["c text"], ["c bytea"], bare)[0][0] is BREAKING, "text to bytea is never a bare transform"


def test_default_and_ignore() -> None:
    default = entry("t", "default", new_column="must", default_value="0")
    assert of(["id int"], ["id int", "must int!"], default) == [
        (SAFE, "Column 'must' only exists in new DB", "Decided: the given default"),
    ]
    ignore = entry("t", "ignore", old_column="legacy")
    assert of(["id int", "legacy bytea"], ["id int"], ignore) == [
        (SAFE, "Column 'legacy' only exists in old DB", "Decided: left behind"),
    ]
    undone = of(
        ["id int", "user_name text"],
        ["id int", "username text!"],
        entry("t", "ignore", old_column="user_name"),
    )
    assert (BREAKING, "Column 'username' only exists in new DB", None) in undone


def test_table_decisions() -> None:
    old, new = (
        catalog(table("users", "id int", "legacy int")),
        catalog(table("accounts", "id int", "legacy int")),
    )
    renamed = compared(old, new, entry("users", "rename_table", new_table="accounts"))
    assert lines(renamed) == [
        (TRANSFORMABLE, "Table 'users' renamed to 'accounts' in new DB", "Rename table")
    ]
    dropped = compared(old, catalog(), entry("users", "drop_table"))
    assert only(dropped).cls is SAFE
    assert only(dropped).kind == "table_left_out"


def shop() -> Catalog:
    return catalog(
        table("artist_name", "id int!", "name text", key=["id"]),
        table("artist", "id int!", "name int", key=["id"], references=[("name", "artist_name")]),
        table("label", "id int!", "name text", key=["id"]),
    )


def test_an_id_that_becomes_text_changes_its_meaning() -> None:
    new = catalog(
        table("artist_name", "id int!", "name text", key=["id"]),
        table("artist", "id int!", "name text", key=["id"]),
        table("label", "id int!", "name text", key=["id"]),
    )
    change = next(c for c in compared(shop(), new).changes if c.cls is BREAKING)
    assert (change.kind, change.table, change.old_column) == ("meaning_changed", "public.artist", "name")
    assert change.description.startswith("Column 'name' type mismatch: current(integer) vs new(text)")
    assert "foreign key to public.artist_name" in change.evidence[0]


def test_an_id_of_another_table_changes_its_meaning() -> None:
    new = catalog(
        table("artist_name", "id int!", "name text", key=["id"]),
        table("artist", "id int!", "name int", key=["id"], references=[("name", "label")]),
        table("label", "id int!", "name text", key=["id"]),
    )
    assert [c.kind for c in compared(shop(), new).of(BREAKING)] == ["meaning_changed"]


def test_meaning_is_judged_after_table_renames() -> None:
    orders = ("id int!", "user_id int")
    old = catalog(
        table("users", "id int!", "mail text", key=["id"]),
        table("o", *orders, key=["id"], references=[("user_id", "users")]),
    )
    new = catalog(
        table("accounts", "id int!", "mail text", key=["id"]),
        table("o", *orders, key=["id"], references=[("user_id", "accounts")]),
    )
    undecided = compared(old, new)
    assert [c.kind for c in undecided.of(BREAKING)] == ["table_renamed"], (
        "the table is the question, not its keys"
    )
    assert not compared(old, new, entry("users", "rename_table", new_table="accounts")).of(BREAKING)


def test_an_id_that_stays_an_id_keeps_its_meaning_in_any_type() -> None:
    old = catalog(
        table("u", "id uuid!", key=["id"]),
        table("o", "id int!", "u_id uuid", key=["id"], references=[("u_id", "u")]),
    )
    new = catalog(
        table("u", "id text!", key=["id"]),
        table("o", "id int!", "u_id text", key=["id"], references=[("u_id", "u")]),
    )
    assert not compared(old, new).of(BREAKING)


def test_what_looks_like_a_key_by_name_or_by_its_values() -> None:
    def shape(kind: str, *, named: str) -> Catalog:
        return catalog(
            table("customers", "id int!", key=["id"]), table("o", "id int!", f"{named} {kind}", key=["id"])
        )

    by_name = compared(shape("int", named="customer_id"), shape("text", named="customer_id"))
    assert [c.kind for c in by_name.of(BREAKING)] == ["meaning_changed"]
    buyer, customers = ColumnRef(name("o"), "buyer"), name("customers")
    key = Reference(buyer, customers, (ColumnRef(customers, "id"),), distinct=3)
    for answer, asked in (
        (Observed({buyer: key}), "looks like a key of public.customers"),
        (Observed(), "could not be asked"),
        (Observed({buyer: Reference(buyer, distinct=3)}), None),
        (Observed({buyer: Reference(buyer, distinct=0)}), None),
    ):
        by_value = compared(shape("int", named="buyer"), shape("text", named="buyer"), observed=answer)
        assert [c.kind for c in by_value.of(BREAKING)] == (["meaning_changed"] if asked else [])
        assert asked is None or asked in by_value.of(BREAKING)[0].evidence[0]


def test_a_primary_key_is_an_id_of_its_own_table() -> None:
    old = catalog(
        table("customers", "id int!", key=["id"]), table("o", "customer_id int!", key=["customer_id"])
    )
    new = catalog(
        table("customers", "id int!", key=["id"]), table("o", "customer_id text!", key=["customer_id"])
    )
    assert not compared(old, new).of(BREAKING)


def test_a_transform_resolves_a_changed_meaning() -> None:
    new = catalog(
        table("artist_name", "id int!", "name text", key=["id"]),
        table("artist", "id int!", "name text", key=["id"]),
        table("label", "id int!", "name text", key=["id"]),
    )
    lookup = LookupTable("artist_name", "name", "id", database="old")
    decided = compared(
        shop(), new, entry("artist", "transform", old_column="name", new_column="name", lookup_table=lookup)
    )
    assert not decided.of(BREAKING)
    renamed = compared(shop(), new, entry("artist", "rename", old_column="name", new_column="name"))
    assert renamed.of(BREAKING)


def test_every_safe_and_transformable_change_has_its_action() -> None:
    old = catalog(table("t", "a int!", "b text", "c varchar(9)"), table("gone", "x int"))
    new = catalog(table("t", "c varchar(4)", "a bigint", "d text"), table("new_one", "y date", "z json"))
    for change in compared(old, new).changes:
        assert (change.auto_action is None) == (change.cls is BREAKING)
        assert change.requires_manual == (change.cls is BREAKING)


def test_a_person_may_say_that_two_numbers_mean_the_same() -> None:
    old = catalog(table("o", "id int!", "price int", "way_km float8", key=["id"]))
    new = catalog(table("o", "id int!", "price numeric(12,2)", "way_miles float8", key=["id"]))
    asked = compared(old, new).of(BREAKING)
    assert {(c.old_column, c.kind) for c in asked} == {("way_km", "column_renamed")}, (
        "a price is asked about where the data speak, see test_meaning"
    )
    for action in ("rename", "transform"):
        same = [
            entry("o", action, old_column=a, new_column=b)
            for a, b in (("price", "price"), ("way_km", "way_miles"))
        ]
        assert not compared(old, new, *same).of(BREAKING), action


def test_the_zone_that_decides_is_named() -> None:
    old = replace(catalog(table("t", "at timestamp")), timezone="Europe/Berlin")
    (asked,) = compared(old, catalog(table("t", "at timestamptz"))).of(BREAKING)
    assert "the time zone of OLD's database decides which moment is meant: Europe/Berlin" in asked.evidence
