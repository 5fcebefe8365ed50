"""Suggestions of another shape, as far as the catalogs alone speak for them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import parse_catalog
from support.taking import refused_suggestions
from tranship.model.catalog import Catalog, ForeignKey
from tranship.model.evidence import Breaks, ColumnFacts, Demand, Evidence, RowsInNew, ValueCount
from tranship.model.names import ColumnRef, TableName
from tranship.model.shape_evidence import JsonKey, JsonKeys, ShapeEvidence
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.matching.scope import make_scope


def suggested(old: Catalog, new: Catalog, evidence: Evidence | None = None) -> Suggestions:
    """What is suggested; whoever takes a suggestion as it stands is not refused."""
    scope, _ = make_scope(old, new, None)
    made = suggest(old, new, scope, evidence or Evidence())
    assert not refused_suggestions(made, old, new, scope)
    return made


def test_columns_of_another_spelling_are_named_one_by_one() -> None:
    old = parse_catalog("Member(Id int pk, Login text, ShoeSize int, bio text)")
    new = parse_catalog(
        "member(id int pk, login text); profile(member_id int pk -> member.id, shoe_size int, bio text)"
    )
    (shape,) = suggested(old, new).shapes
    assert shape.entries == {
        "Member -> profile": (
            {"action": "transform", "old_column": "ShoeSize", "new_column": "shoe_size"},
            {"action": "transform", "old_column": "Id", "new_column": "member_id"},
        )
    }
    assert shape.columns == ("ShoeSize", "bio")


def questions(old: str, new: str) -> list[str]:
    return [shape.question for shape in suggested(parse_catalog(old), parse_catalog(new)).shapes]


def test_a_name_that_every_table_has_makes_no_split() -> None:
    """A creation time that one table lost stands in every new table, and so does whose row it is."""
    old = (
        "image(id int pk, digest text!, made timestamp, owner_id int -> owner.id);"
        "owner(id int pk, made timestamp); rule(id int pk, owner_id int -> owner.id, made timestamp)"
    )
    kept = "image(id int pk, digest text!); owner(id int pk, made timestamp); rule(id int pk, made timestamp)"
    audit = "audit(id int pk = 1, owner_id int! -> owner.id, verb text!, made timestamp)"
    label = "label(id int pk = 1, image_id int! -> image.id, tag_id int! -> tag.id, made timestamp)"
    task = "task(id int pk = 1, made timestamp, job text); tag(id int pk = 1, made timestamp)"
    assert questions(old, f"{kept}; {audit}; {label}; {task}") == []
    # What the new table needs comes from the same old one, so that its name for the rest says enough.
    origin = "origin(image_id int pk -> image.id, owner_id int! -> owner.id, made timestamp!)"
    assert questions(old, f"{kept}; {origin}") == ["Do columns of 'image' fill 'origin'?"]


def test_a_name_of_its_own_makes_a_split_without_a_reference() -> None:
    old = "member(id int pk, name text!, trial_end date, made timestamp!); site(id int pk, made timestamp!)"
    new = (
        "member(id int pk, name text!, made timestamp!); site(id int pk, made timestamp!);"
        "team(id int pk = 1, name text!, trial_end date, made timestamp!);"
        "plan(id int pk = 1, code text!, price int!, quota int!, trial_end date)"
    )
    assert questions(old, new) == ["Do columns of 'member' fill 'team'?"]


def test_a_column_called_after_a_table_refers_to_it_without_a_foreign_key() -> None:
    """Many programs declare no foreign keys. Without the reference no row of the new table could be written."""
    old = parse_catalog("users(id int pk, email text, visits int); stories(id int pk, user_id int, bio text)")
    new = parse_catalog(
        "users(id int pk); stories(id int pk, user_id int, bio text); logs(id int pk = 1, email text, verb text!);"
        "user_stats(user_id int pk, visits int, since date!); user_mails(id int pk = 1, user_id int!, email text!)"
    )
    found = {shape.question: shape for shape in suggested(old, new).shapes}
    assert list(found) == [
        "Do columns of 'users' fill 'user_mails'?",
        "Do columns of 'users' fill 'user_stats'?",
    ]
    for table, shape in zip(("user_mails", "user_stats"), found.values(), strict=True):
        assert shape.entries == {
            f"users -> {table}": ({"action": "transform", "old_column": "id", "new_column": "user_id"},)
        }
        assert "its 'user_id' is called after NEW's public.users" in shape.facts(values=False)


def test_a_table_with_the_same_key_was_split_off_whatever_else_it_needs() -> None:
    old = "room(room_no int pk, name text, joined int!, gone int!); other(id int pk)"
    rest = "counts(room_no int pk, joined int!, invited int!, banned int!, users int!)"
    new = f"room(room_no int pk, name text, gone int!); other(id int pk); {rest}"
    assert questions(old, new) == ["Do columns of 'room' fill 'counts'?"]
    assert questions(old.replace("room_no", "id"), new.replace("room_no", "id")) == [], "any table has an id"


def test_a_reference_of_the_key_s_own_name_is_filled_once() -> None:
    """The key gets another name, and both references to it keep that of OLD but for its spelling."""
    old = parse_catalog(
        "Customer(CustomerId int pk, Login text, Email text, Phone text, Tags text, ShoeSize int, bio text)"
    )
    links = "customer_tags(customer_id int pk -> customers.id, tag_id int pk -> tags.id)"
    new = parse_catalog(
        f"customers(id int pk, login text, email text, phone text); tags(id int pk, name text!); {links};"
        "profiles(customer_id int pk -> customers.id, shoe_size int, bio text, since date!)"
    )
    (shape,) = suggested(old, new).shapes
    assert shape.question == "Do columns of 'Customer' fill 'profiles'?", (
        "nothing of OLD says which tag a link has"
    )
    assert shape.entries == {
        "Customer -> profiles": (
            {"action": "transform", "old_column": "CustomerId", "new_column": "customer_id"},
            {"action": "transform", "old_column": "ShoeSize", "new_column": "shoe_size"},
        )
    }
    lacking = "NEW's public.profiles needs a value of 'since', too: it is asked for once this is taken"
    assert shape.evidence[-1] == lacking


def test_what_a_table_becomes_is_decided_before_its_rows() -> None:
    """Two new tables may be meant, so that nothing is filled in."""
    old = parse_catalog("person(id int pk, kind text, name text)")
    new = parse_catalog("member(id int pk, name text); guest(id int pk, name text)")
    kinds = (ValueCount("member", 2), ValueCount("guest", 1))
    held = ColumnFacts(ColumnRef(TableName("public", "person"), "kind"), 3, 0, 2, kinds)
    (shape,) = suggested(old, new, Evidence(columns=(held,))).shapes
    assert shape.entries == {"person": ({"action": "filter", "where": "old.kind = 'member'"},)}
    assert shape.first == ("person",)
    assert str(shape.evidence[0]).startswith("first decide what becomes of person: ")


def test_a_split_of_columns_that_keep_their_names_has_an_entry() -> None:
    """`resolve edit` and the studio offer only what would write an entry."""
    old = parse_catalog("room(room_no int pk, name text, joined int!); other(id int pk)")
    new = parse_catalog(
        "room(room_no int pk, name text); other(id int pk); counts(room_no int pk -> room.room_no, joined int!)"
    )
    (shape,) = suggested(old, new).shapes
    assert shape.entries == {
        "room -> counts": ({"action": "transform", "old_column": "joined", "new_column": "joined"},)
    }


KINDS = "writers(id int pk, name text); kinds(id int pk, slug text)"
LINKS = (
    f"{KINDS}; articles(id int pk, title text);"
    "articles_kind_links(id int pk = 1, article_id int -> articles.id, kind_id int -> kinds.id);"
    "articles_author_links(id int pk = 1, article_id int! -> articles.id, author_id int! -> writers.id, place float)"
)


@pytest.mark.parametrize(
    "columns",
    ["kind int -> kinds.id, author int -> writers.id", "kind int, author_id int", "kind_id int, author int"],
)
def test_a_reference_becomes_a_table_of_links(columns: str) -> None:
    """Rows without the reference make no link."""
    kind, author = (one.split()[0] for one in columns.split(", "))
    old = parse_catalog(f"{KINDS}; articles(id int pk, title text, {columns})")
    shapes = {shape.question: shape for shape in suggested(old, parse_catalog(LINKS)).shapes}
    assert set(shapes) == {
        f"Does '{author}' of 'articles' become rows of 'articles_author_links'?",
        f"Does '{kind}' of 'articles' become rows of 'articles_kind_links'?",
    }
    shape = shapes[f"Does '{kind}' of 'articles' become rows of 'articles_kind_links'?"]
    assert shape.entries == {
        "articles -> articles_kind_links": (
            {"action": "filter", "where": f"old.{kind} IS NOT NULL"},
            {"action": "transform", "old_column": "id", "new_column": "article_id"},
            {"action": "transform", "old_column": kind, "new_column": "kind_id"},
        )
    }
    assert shape.columns == (kind,)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ("kind int -> articles.id", "a declared reference to other rows"),
        ("kind text -> kinds.slug", "a declared reference by another column"),
        ("one int -> writers.id, two int -> writers.id", "two references, and no name tells which is meant"),
        ("sort int", "another name, and nothing declared"),
        ("kind date", "no value of the key"),
    ],
)
def test_another_column_makes_no_links(columns: str, why: str) -> None:
    old = parse_catalog(f"{KINDS}; articles(id int pk, title text, {columns})")
    assert not [s for s in suggested(old, parse_catalog(LINKS)).shapes if "links" in s.question], why


def test_of_two_references_the_one_that_is_called_like_the_link_is_meant() -> None:
    columns = "checked_by int -> writers.id, author_id int -> writers.id"
    old = parse_catalog(f"{KINDS}; articles(id int pk, title text, {columns})")
    (shape,) = suggested(old, parse_catalog(LINKS)).shapes
    assert shape.columns == ("author_id",)


def test_a_table_that_needs_more_than_its_ends_is_no_table_of_links() -> None:
    old = parse_catalog(f"{KINDS}; articles(id int pk, title text, kind int -> kinds.id)")
    new = LINKS.replace("kind_id int -> kinds.id", "kind_id int -> kinds.id, since date!")
    assert not suggested(old, parse_catalog(new)).shapes


def test_columns_become_rows_to_which_theirs_refer() -> None:
    """Two tables and three references: the keys of the new rows are three apart, so that none meets another."""
    old = parse_catalog(
        "users(id int pk, name text, address_street text, address_city text!);"
        "orders(id int pk, ship_street text, ship_city text, bill_street text, bill_city text)"
    )
    new = parse_catalog(
        "users(id int pk, name text, address_id int -> addresses.id); addresses(id int pk = 1, street text, city text);"
        "orders(id int pk, ship_address_id int -> addresses.id, bill_address_id int -> addresses.id)"
    )
    orders, users = suggested(old, new).shapes
    assert users.entries["users -> addresses"] == (
        {"action": "transform", "new_column": "id", "transform_sql": "old.id * 3 + 2"},
        {"action": "transform", "old_column": "address_street", "new_column": "street"},
        {"action": "transform", "old_column": "address_city", "new_column": "city"},
    ), "a city is always there, so that no row is left out"
    assert users.entries["users"] == (
        {"action": "transform", "new_column": "address_id", "transform_sql": "old.id * 3 + 2"},
    )
    rows, *_ = orders.entries["orders -> addresses"]
    assert rows == {
        "action": "rows",
        "from": "(VALUES (old.id * 3, old.ship_street, old.ship_city), (old.id * 3 + 1, old.bill_street, old.bill_city))"
        " AS item(key, part_street, part_city)",
        "where": "item.part_street IS NOT NULL OR item.part_city IS NOT NULL",
    }
    led = {str(entry["new_column"]): entry["transform_sql"] for entry in orders.entries["orders"]}
    assert led == {
        "ship_address_id": "CASE WHEN old.ship_street IS NOT NULL OR old.ship_city IS NOT NULL THEN old.id * 3 END",
        "bill_address_id": "CASE WHEN old.bill_street IS NOT NULL OR old.bill_city IS NOT NULL THEN old.id * 3 + 1 END",
    }


def test_a_column_of_something_else_is_no_part_of_what_is_extracted() -> None:
    """One name alone is looked up in the new table."""
    old = parse_catalog("users(id int pk, company text, company_vat text, firm_name text)")
    new = parse_catalog(
        "users(id int pk, company text, firm_id int -> firms.id); firms(id int pk = 1, name text!, vat text)"
    )
    assert not suggested(old, new).shapes


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        ("address_street text, address_city date", "id int pk = 1, street text, city text"),
        ("address_street text, address_city text", "id int pk = 1, street text, city text, country text!"),
        ("address_street text, address_city text", "id uuid pk = 1, street text, city text"),
        ("street_old text, city_old text", "id int pk = 1, street text, city text"),
    ],
)
def test_a_table_that_the_columns_do_not_fill_is_not_extracted(columns: str, table: str) -> None:
    old = parse_catalog(f"users(id int pk, {columns})")
    key = table.split()[1]
    new = parse_catalog(f"users(id int pk, address_id {key} -> addresses.id); addresses({table})")
    assert not [shape for shape in suggested(old, new).shapes if "refers" in shape.question]


def test_a_split_takes_columns_that_begin_with_the_name_of_its_table() -> None:
    old = "users(id int pk, name text, address_street text, address_city text)"
    new = "users(id int pk, name text); addresses(id int pk = 1, user_id int! -> users.id, street text, city text)"
    (shape,) = suggested(parse_catalog(old), parse_catalog(new)).shapes
    assert shape.entries == {
        "users -> addresses": (
            {"action": "transform", "old_column": "address_street", "new_column": "street"},
            {"action": "transform", "old_column": "address_city", "new_column": "city"},
            {"action": "transform", "old_column": "id", "new_column": "user_id"},
        )
    }
    assert any("its own 'id' gets OLD's 'id', too" in fact for fact in shape.facts(values=False))


def test_what_every_table_has_makes_no_table_go_into_another() -> None:
    """A key, a reference and times are no reason to send the rows of one table among those of another."""
    common = "id int pk, site_id int! -> site.id, made timestamp!, changed timestamp!"
    old = (
        f"site(id int pk, made timestamp!, changed timestamp!); membership({common}, role text!);"
        f"link({common}, slug text!); goal({common}, page text); note({common}, slug text)"
    )
    new = (
        f"site(id int pk, made timestamp!, changed timestamp!); link({common}, slug text!);"
        f"goal({common}, page text); note({common}, slug text)"
    )
    assert questions(old, new) == []
    kin = "visit_a(id int pk, seen date!, page text); visit_b(id int pk, seen date!, page text, more text)"
    assert questions(
        f"{kin}; site(id int pk)", "visit_a(id int pk, seen date!, page text); site(id int pk)"
    ) == ["Do the rows of 'visit_b' go into 'visit_a', too?"]
    needs = (
        "visit_a(id int pk, seen date!, page text, agent text!); visit_b(id int pk, seen date!, page text)"
    )
    held = "visit_a(id int pk, seen date!, page text, agent text!)"
    assert questions(needs, held) == [], "every row of it would be rejected"


def test_a_tree_is_named_beside_the_columns_that_it_fills() -> None:
    old = parse_catalog("cat(id int pk, parent_id int -> cat.id, name text)")
    new = parse_catalog("cat(id int pk, path text!, name text, depth int!)")
    found = suggested(old, new)
    assert len(found.shapes) == 1
    seen = {question.text: question.facts(values=False)[-1] for question in found.questions}
    assert set(seen) == {
        "Column 'parent_id' only exists in old DB",
        "Column 'path' only exists in new DB",
        "Column 'depth' only exists in new DB",
    }
    assert all(fact.startswith("see _suggestions 1: ") for fact in seen.values()), seen


def test_attributes_are_suggested_once_and_named_beside_the_table_of_their_names() -> None:
    old = parse_catalog(
        "item(id int pk, name text); attr(id int pk, code text!);"
        "item_attr(item_id int pk -> item.id, attr_id int pk -> attr.id, val text)"
    )
    new = parse_catalog("item(id int pk, name text, attrs jsonb, weight numeric)")
    codes = ColumnRef(TableName("public", "attr"), "code")
    known = ColumnFacts(codes, 2, 0, 2, values=(ValueCount("weight", 1), ValueCount("colour", 1)))
    found = suggested(old, new, Evidence(columns=(known,)))
    assert [shape.question for shape in found.shapes] == [
        "Do the rows of 'item_attr' fill columns of 'item'?"
    ], "and not once more for 'attrs' alone"
    beside = {question.table: question.facts(values=False)[-1] for question in found.questions}
    assert beside["attr"] == beside["item_attr"] == f"see _suggestions 1: {found.shapes[0].question}"


def test_rows_of_new_with_other_values_are_asked_about_with_their_number() -> None:
    old = new = parse_catalog("setting(name text pk, val text)")
    held = RowsInNew(TableName("public", "setting"), 5, keys=3, equal=1)
    (shape,) = suggested(old, new, Evidence(in_new=(held,))).shapes
    assert shape.entries == {"setting": ({"action": "existing", "rows": "update"},)}
    assert "holds 3 of OLD's keys, 2 of them with other values" in str(shape.evidence[0])
    equal = RowsInNew(TableName("public", "setting"), 5, keys=3, equal=3)
    assert not suggested(old, new, Evidence(in_new=(equal,))).shapes


def test_rows_that_only_a_lost_tenant_tells_apart_are_no_duplicates() -> None:
    """The filter is suggested at the topmost table; what refers to it follows by OLD's keys."""
    old = parse_catalog(
        "orders(tenant int pk, no int pk, note text);lines(tenant int pk, order_no int pk, pos int pk)"
    )
    key = ForeignKey("own", ("tenant", "order_no"), TableName("public", "orders"), ("tenant", "no"))
    lines, orders = old.tables
    old = replace(old, tables=(replace(lines, foreign_keys=(key,)), orders))
    new = parse_catalog("orders(no int pk, note text); lines(order_no int pk -> orders.no, pos int pk)")
    breaks = (
        Breaks(Demand(TableName("public", "orders"), "unique", (("no", "no"),)), 2),
        Breaks(Demand(TableName("public", "lines"), "unique", (("order_no", "order_no"), ("pos", "pos"))), 1),
    )
    (shape,) = suggested(old, new, Evidence(breaks=breaks)).shapes
    assert shape.entries == {
        "orders": (
            {"action": "filter", "where": "SPECIFY_CONDITION", "children": "leave_out"},
            {"action": "ignore", "old_column": "tenant"},
        )
    }


def test_columns_of_one_kind_become_rows_with_a_word_for_each() -> None:
    old = parse_catalog("person(id int pk, name text, phone_home text, phone_work varchar(20), fax text)")
    new = parse_catalog(
        "person(id int pk, name text); phone(person_id int pk -> person.id, kind text pk, number text!)"
    )
    (shape,) = suggested(old, new).shapes
    assert shape.columns == ("phone_home", "phone_work"), "nothing says that a fax is one"
    assert shape.entries["person -> phone"] == (
        {
            "action": "rows",
            "from": "(VALUES ('home', old.phone_home), ('work', old.phone_work)) AS item(kind, value)",
            "where": "item.value IS NOT NULL",
        },
        {"action": "transform", "old_column": "id", "new_column": "person_id"},
        {"action": "transform", "new_column": "kind", "transform_sql": "item.kind"},
        {"action": "transform", "new_column": "number", "transform_sql": "item.value"},
    )


def test_columns_that_the_new_table_has_are_not_several_of_one() -> None:
    old = "item(id int pk, name text, amount int, amount_kept int)"
    new = "item(id int pk, name text); stock(id int pk = 1, item_id int! -> item.id, amount int!, amount_kept int! = 0)"
    assert questions(old, new) == ["Do columns of 'item' fill 'stock'?"]


def test_columns_of_numbers_become_rows_with_their_number() -> None:
    old = parse_catalog("dept(id int pk, q1 numeric, q2 numeric, q3 numeric)")
    new = parse_catalog("dept(id int pk); budget(dept_id int pk -> dept.id, quarter int pk, amount numeric!)")
    (shape,) = suggested(old, new).shapes
    first = shape.entries["dept -> budget"][0]
    assert first["from"] == "(VALUES (1, old.q1), (2, old.q2), (3, old.q3)) AS item(kind, value)"
    # Two columns of other names are no such row.
    fewer = parse_catalog("dept(id int pk, cost numeric, plan numeric)")
    assert not suggested(fewer, new).shapes


def test_tables_of_the_same_columns_in_two_schemas_go_into_one() -> None:
    columns = "(id int pk, login text, role text, meta jsonb)"
    old = parse_catalog(
        f"t1.users{columns}; t2.users{columns}; t3.users{columns}", schemas=("t1", "t2", "t3")
    )
    new = parse_catalog("users(id int pk, login text, role_id int, tenant text!)")
    found = suggested(old, new)
    assert "Table 't1.users' likely renamed to 'public.users' in new DB" in [q.text for q in found.questions]
    offsets = {
        key: e["as"] for shape in found.shapes for key, own in shape.entries.items() for e in own if "as" in e
    }
    assert offsets == {"t2.users": {"offset": 1_000_000}, "t3.users": {"offset": 2_000_000}}
    assert {shape.question for shape in found.shapes} == {
        "Do the rows of 't2.users' go into 'users', too?",
        "Do the rows of 't3.users' go into 'users', too?",
    }
    assert {q.table: q.suggestion for q in found.questions if q.table.startswith("t")} == {
        "t2.users": "see _suggestions 1",
        "t3.users": "see _suggestions 2",
    }


TENANTS = ("t1", "t2", "t3")


def of_tenants(columns: str) -> Catalog:
    return parse_catalog("; ".join(f"{one}.users{columns}" for one in TENANTS), schemas=TENANTS)


def constants(found: Suggestions) -> dict[str, object]:
    """Returns by key what the shapes say that the column of the tenant holds."""
    said = [one for shape in found.shapes for one in shape.entries.items()]
    return {key: e["default_value"] for key, own in said for e in own if e["action"] == "default"}


@pytest.mark.parametrize(
    "column",
    ["tenant text", "tenant text!", "realm_code text!", "tenant varchar(2)!"],
)
def test_rows_of_a_tenant_are_named_by_its_schema(column: str) -> None:
    old = of_tenants("(id int pk, login text, role text)")
    found = suggested(old, parse_catalog(f"users(id int pk, login text, role text, {column})"))
    assert constants(found) == {"users": "t1", "t2.users": "t2", "t3.users": "t3"}
    name = column.split()[0]
    (why,) = {fact for shape in found.shapes for fact in shape.facts(values=False) if name in fact}
    assert why == f"nothing of OLD fills '{name}', and each of the tables is in a schema of its own"


def test_the_question_about_the_column_of_the_tenant_suggests_its_schema() -> None:
    old = of_tenants("(id int pk, login text, role text)")
    new = parse_catalog("users(id int pk, login text, role text, tenant text!)")
    (asked,) = [q for q in suggested(old, new).questions if "'tenant'" in q.text]
    assert (asked.table, asked.suggestion) == ("users", "default tenant = 't1' (a guess)")


def test_a_tenant_that_is_no_text_is_left_to_a_person() -> None:
    old = of_tenants("(id int pk, login text, role text)")
    sides = {"side": ("a", "b")}
    for column in ("tenant_id int!", "customer uuid", "tenant varchar(1)!", "tenant side!"):
        new = parse_catalog(f"users(id int pk, login text, role text, {column})", enums=sides)
        found = suggested(old, new)
        assert set(constants(found).values()) == {"SPECIFY_DEFAULT_VALUE"}, column
        assert len(constants(found)) == 3, column


def test_a_key_with_the_tenant_needs_no_offset() -> None:
    old = of_tenants("(id int pk, login text, role text)")
    new = parse_catalog("users(tenant text pk, id int pk, login text, role text)")
    found = suggested(old, new)
    assert set(constants(found).values()) == set(TENANTS)
    assert "new_key" not in [e["action"] for s in found.shapes for own in s.entries.values() for e in own]


def test_columns_that_may_hold_anything_are_not_filled_with_a_tenant() -> None:
    old = of_tenants("(id int pk, login text, role text)")
    for columns in ("notes text", "role_id int", "made timestamp!", "first text!, last text!"):
        found = suggested(old, parse_catalog(f"users(id int pk, login text, role text, {columns})"))
        assert found.shapes and constants(found) == {}, columns


def test_tables_of_one_schema_are_no_tenants() -> None:
    old = parse_catalog("log_1(id int pk, line text, at date); log_2(id int pk, line text, at date)")
    found = suggested(old, parse_catalog("log(id int pk, line text, at date, tenant text)"))
    assert constants(found) == {}


def test_a_word_for_the_kind_of_a_row_is_no_tenant() -> None:
    columns = "(id int pk, name text, weight int)"
    old = parse_catalog(f"cats.cat{columns}; dogs.dog{columns}", schemas=("cats", "dogs"))
    new = parse_catalog(
        "animal(id int pk, name text, weight int, kind kind!)", enums={"kind": ("cat", "dog")}
    )
    found = suggested(old, new)
    assert "SPECIFY_DEFAULT_VALUE" not in constants(found).values()


def counted(table: str, column: str, **values: int) -> ColumnFacts:
    rows = sum(values.values())
    listed = tuple(ValueCount(value, number) for value, number in values.items())
    return ColumnFacts(ColumnRef(TableName("public", table), column), rows, 0, len(values), values=listed)


def test_every_spelling_of_an_attribute_fills_its_column() -> None:
    """The last spelling alone filled it: eleven colours of twelve were lost, and nothing was rejected."""
    old = parse_catalog("item(id int pk); attr(id int pk, item_id int -> item.id, name text!, val text)")
    new = parse_catalog("item(id int pk, colour text)")
    found = suggested(old, new, Evidence(columns=(counted("attr", "name", colour=11, Colour=1, weight=2),)))
    (shape,) = found.shapes
    (entry,) = shape.entries["item"]
    assert str(entry["transform_sql"]).endswith("AND a.name IN ('colour', 'Colour'))")
    assert "names that would be left behind: 'weight'" in shape.facts(values=True)


def test_every_spelling_of_a_key_fills_its_column_its_own_first() -> None:
    old, new = parse_catalog("item(id int pk, data jsonb)"), parse_catalog("item(id int pk, colour text)")
    keys = tuple(JsonKey(name, rows, ("string",)) for name, rows in (("Colour", 3), ("colour", 9), ("x", 1)))
    known = JsonKeys(ColumnRef(TableName("public", "item"), "data"), 12, keys)
    (shape,) = suggested(old, new, Evidence(shapes=ShapeEvidence(json_keys=(known,)))).shapes
    (entry,) = shape.entries["item"]
    value = "CAST(old.data AS jsonb) ->> "
    assert entry["transform_sql"] == f"coalesce({value}'colour', {value}'Colour')"
    assert "keys that would be left behind: 'x'" in shape.facts(values=True)


def test_a_reference_of_any_table_is_led_to_each_by_its_kind() -> None:
    """It was suggested as the key of one of these tables, whatever its kind said."""
    tables = "post(id int pk, title text); photo(id int pk, path text)"
    old = parse_catalog(f"{tables}; remark(id int pk, about_type text, about_id int, body text)")
    referring = "remark(id int pk, post_id int -> post.id, photo_id int -> photo.id, body text)"
    new = parse_catalog(f"{tables}; {referring}")
    kinds = counted("remark", "about_type", Post=20, Photo=10, Video=1)
    found = suggested(old, new, Evidence(columns=(kinds,)))
    assert not [question for question in found.questions if "renamed" in question.text]
    (shape,) = found.shapes
    assert {str(entry["new_column"]): entry["transform_sql"] for entry in shape.entries["remark"]} == {
        "post_id": "CASE WHEN old.about_type = 'Post' THEN old.about_id END",
        "photo_id": "CASE WHEN old.about_type = 'Photo' THEN old.about_id END",
    }
    assert "kinds that would be left behind: 'Video'" in shape.facts(values=True)


def test_a_table_that_is_called_like_a_kind_takes_its_rows_alone() -> None:
    """Every vehicle became a truck, because a truck has a load."""
    old = parse_catalog("vehicle(id int pk, type text!, name text, doors int, payload int)")
    new = parse_catalog("cars(id int pk, name text, doors int); trucks(id int pk, name text, payload int)")
    found = suggested(old, new, Evidence(columns=(counted("vehicle", "type", Car=2, Truck=1, Bike=1),)))
    filters = {
        key: entry["where"]
        for shape in found.shapes
        for key, entries in shape.entries.items()
        for entry in entries
        if entry["action"] == "filter"
    }
    assert filters == {"vehicle": "old.type = 'Car'", "vehicle -> trucks": "old.type = 'Truck'"}
