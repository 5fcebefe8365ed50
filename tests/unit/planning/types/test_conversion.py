"""What the specification lists as automatic, what a person has to want,
and what no bare transform can mean.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from support.build import array, composite, domain, enum, extension_type, pg_type
from tranship.model.expression import Loss, Rule
from tranship.model.names import TableName
from tranship.model.types import PgType, TypeKind
from tranship.planning.types.conversion import OTHER_ORDER, convert, order_of_texts, same_type

AUTOMATIC = """
smallint -> integer, bigint, numeric, real, double precision, text, numeric(5,0), numeric(7,2)
integer -> bigint, numeric, real, double precision, text, numeric(10,0), numeric(12,2)
bigint -> numeric, text, numeric(19,0), numeric(21,2)
real -> double precision, numeric, text
varchar -> text
varchar(10) -> text, varchar, varchar(10), varchar(11)
text -> varchar
date -> timestamp, text
boolean -> text
numeric(10,2) -> numeric(12,2), numeric, numeric(12,4), numeric(10,2)
timestamp(0) -> timestamp, timestamp(3)
timestamptz(0) -> timestamptz
time(3) -> time
timetz(3) -> timetz(6)
interval(3) -> interval
interval year to month -> interval
varbit(8) -> varbit, varbit(9)
bit(8) -> varbit, varbit(8)
varchar(5)[] -> varchar(50)[], text[]
numeric(10,2)[] -> numeric(12,2)[]
integer[] -> bigint[]
boolean[] -> text[]
uuid -> text
cidr -> inet
int4range -> int8range
"""

ASKED = """
bigint -> integer, smallint, real, double precision, numeric(18,0), numeric(20,2)
integer -> smallint, numeric(9,0), numeric(10,2), varchar(20), boolean
smallint -> numeric(4,0)
double precision -> real, integer, numeric(8,1)
real -> integer, numeric(30,10)
numeric -> numeric(10,2), integer, real, double precision
numeric(10,2) -> numeric(10,1), numeric(10,3), numeric(9,0), bigint
numeric(3,0) -> smallint
varchar(100) -> varchar(10), char(100)
varchar -> varchar(10)
text -> varchar(10), char(3), integer, date, timestamp, boolean, uuid, jsonb, integer[], numeric(6,2)
text -> timestamptz
char(5) -> varchar(5), text, char(8), char(3), integer
boolean -> varchar(5), integer
timestamp -> timestamp(0), timestamptz, date
timestamptz -> timestamp, date, text
date -> timestamptz
time -> time(0)
timetz -> time
interval -> interval(0), interval year to month
varbit -> varbit(3)
json -> jsonb
inet -> text, cidr
varchar(50)[] -> varchar(5)[]
numeric(12,2)[] -> numeric(10,2)[]
bigint[] -> integer[]
integer[] -> text
int8range -> int4range
int4range -> numrange
"""

NOT_BARE = """
bytea -> text, varchar(10), integer
text -> bytea, name
integer -> date, uuid, integer[], timestamp, interval
date -> integer, time
timestamp -> time
time -> timetz, timestamp
bit(3) -> bit(4), integer
uuid -> integer
jsonb -> integer[]
numeric[] -> integer[]
timestamp[] -> timestamptz[]
boolean -> date, bigint
"""


def pairs(listing: str) -> list[tuple[str, str]]:
    found = []
    for line in listing.strip().splitlines():
        old, _, news = line.partition(" -> ")
        depth, start = 0, 0
        for place, letter in enumerate(news + ","):
            depth += (letter == "(") - (letter == ")")
            if letter == "," and depth == 0:
                found.append((old, news[start:place].strip()))
                start = place + 1
    return found


@pytest.mark.parametrize(("old", "new"), pairs(AUTOMATIC))
def test_automatic(old: str, new: str) -> None:
    judged = convert(pg_type(old), pg_type(new))
    assert judged.automatic
    assert judged.bare
    # Dates reach beyond the last timestamp: the one automatic conversion that NEW may refuse.
    assert judged.fallible == (old == "date" and new == "timestamp")


@pytest.mark.parametrize(("old", "new"), pairs(ASKED))
def test_a_person_decides(old: str, new: str) -> None:
    judged = convert(pg_type(old), pg_type(new))
    assert not judged.automatic
    assert judged.bare
    assert judged.why


@pytest.mark.parametrize(("old", "new"), pairs(NOT_BARE))
def test_no_bare_transform(old: str, new: str) -> None:
    judged = convert(pg_type(old), pg_type(new))
    assert not judged.bare
    assert not judged.automatic
    assert judged.why


@pytest.mark.parametrize(
    ("old", "new", "rule", "loss"),
    [
        ("integer", "real", Rule.OLD_CAST, Loss.FLOAT),
        ("real", "numeric", Rule.NEW_INPUT, Loss.NONE),
        ("double precision", "integer", Rule.ROUND, Loss.ROUNDED),
        ("numeric(10,4)", "numeric(6,2)", Rule.NEW_INPUT, Loss.ROUNDED),
        ("numeric(10,2)", "numeric(6,2)", Rule.NEW_INPUT, Loss.NONE),
        ("varchar(100)", "varchar(10)", Rule.NEW_INPUT, Loss.CUT_SPACES),
        ("timestamp", "timestamptz", Rule.ZONE, Loss.ZONE),
        ("timestamptz", "date", Rule.ZONE, Loss.TRUNCATED),
        ("timestamp", "date", Rule.OLD_CAST, Loss.TRUNCATED),
        ("timestamp", "timestamp(0)", Rule.NEW_INPUT, Loss.ROUNDED),
        ("boolean", "text", Rule.OLD_CAST, Loss.NONE),
        ("char(5)", "text", Rule.NEW_INPUT, Loss.NONE),
        ("varchar(5)[]", "text[]", Rule.OLD_CAST, Loss.NONE),
    ],
)
def test_rule_and_loss(old: str, new: str, rule: Rule, loss: Loss) -> None:
    judged = convert(pg_type(old), pg_type(new))
    assert (judged.rule, judged.loss) == (rule, loss)


def test_a_real_may_be_infinite_where_numeric_was_not() -> None:
    assert convert(pg_type("real"), pg_type("numeric"), new_version=130000).fallible
    assert not convert(pg_type("real"), pg_type("numeric"), new_version=140000).fallible


def test_enums() -> None:
    mood = enum("mood", "sad", "ok")
    assert convert(mood, enum("mood", "sad", "ok", "happy")).rule is Rule.SAME
    shrunk = convert(mood, enum("mood", "ok", "happy"))
    assert (shrunk.automatic, shrunk.bare, shrunk.fallible) == (False, True, True)
    assert "'sad'" in shrunk.why
    assert convert(mood, pg_type("text")).automatic
    assert not convert(mood, pg_type("varchar(9)")).automatic
    assert not convert(mood, pg_type("bigint")).bare
    assert convert(pg_type("text"), mood).fallible
    assert not convert(pg_type("varchar(3)"), mood).automatic
    assert not convert(array(mood), array(enum("mood", "ok"))).automatic


def test_domains() -> None:
    zip5 = domain("zip5", "text", "VALUE ~ '^[0-9]{5}$'")
    narrowed = convert(pg_type("text"), zip5)
    assert (narrowed.automatic, narrowed.fallible, narrowed.rule) == (False, True, Rule.NEW_INPUT)
    assert convert(zip5, pg_type("text")).rule is Rule.SAME
    assert convert(pg_type("text"), domain("free", "text", not_null=True)).automatic
    assert not convert(domain("short", "varchar(20)"), domain("short", "varchar(5)")).automatic
    stricter = convert(zip5, domain("zip5", "text", "VALUE ~ '^[0-9]{5}$'", "VALUE <> '00000'"))
    assert (stricter.automatic, stricter.fallible) == (True, True), (
        "a new check on the same domain is a new constraint, no question"
    )
    assert not convert(domain("code", "text"), zip5).automatic
    assert not convert(array(pg_type("text")), array(zip5)).automatic
    assert convert(domain("n", "integer"), pg_type("bigint")).automatic


def test_composites() -> None:
    old = composite("pair", a="integer", b="varchar(5)")
    assert convert(old, composite("pair", a="integer", b="varchar(5)")).rule is Rule.SAME
    assert convert(old, composite("pair", a="bigint", b="text")).automatic
    assert not convert(old, composite("pair", a="smallint", b="text")).automatic
    assert not convert(old, composite("pair", b="varchar(5)", a="integer")).bare
    assert not convert(old, composite("pair", a="integer")).bare
    assert not convert(composite("flag", f="boolean"), composite("flag", f="text")).bare, (
        "inside a composite a boolean prints t or f"
    )
    assert not convert(array(old), array(composite("pair", a="smallint", b="text"))).automatic


def test_types_of_paired_schemas_are_the_same() -> None:
    old, new = enum("mood", "ok"), enum("mood", "ok", schema="dbo")
    assert same_type(old, new, (("public", "dbo"),))
    assert not same_type(old, new)
    box = extension_type("hstore", "hstore")
    assert convert(box, extension_type("hstore", "hstore", schema="ext")).rule is Rule.SAME
    assert not convert(box, pg_type("jsonb")).bare
    assert not convert(extension_type("thing", "a"), extension_type("other", "a")).bare


def test_same_type_sees_the_whole_definition() -> None:
    assert same_type(pg_type("numeric(10,2)"), pg_type("numeric(10,2)"))
    assert not same_type(pg_type("numeric(10,2)"), pg_type("numeric(10,3)"))
    assert not same_type(pg_type("interval"), pg_type("interval year to month"))
    assert not same_type(array(pg_type("varchar(5)")), array(pg_type("varchar(6)")))
    assert not same_type(domain("d", "text"), domain("d", "text", "VALUE <> ''"))
    assert not same_type(enum("e", "a", "b"), enum("e", "b", "a"))


SCALARS = [
    "smallint", "integer", "bigint", "numeric", "numeric(10,2)", "numeric(12,2)", "real", "double precision",
    "money", "boolean", "text", "varchar", "varchar(5)", "varchar(9)", "char(3)", "char(5)",
    "name", "bytea", "date", "timestamp", "timestamp(0)", "timestamptz", "time", "timetz", "interval",
    "interval(2)", "bit(3)", "varbit", "varbit(4)", "json", "jsonb", "uuid", "inet", "cidr", "macaddr",
    "oid", "xml", "int4range", "int8range", "daterange", "point", "tsvector",
]  # fmt: skip
BUILT_IN = st.sampled_from(SCALARS).map(pg_type)
USER = st.sampled_from(
    [
        enum("e", "a"),
        enum("e", "a", "b"),
        enum("f", "b"),
        domain("d", "text"),
        domain("d", "text", "VALUE <> ''"),
        domain("i", "integer", not_null=True),
        composite("c", x="integer"),
        composite("c", x="bigint"),
        composite("c", x="boolean", y="text"),
        extension_type("citext", "citext"),
    ]
)
TYPES = st.recursive(
    BUILT_IN | USER, lambda inner: inner.filter(lambda t: t.kind != "array").map(array), max_leaves=2
)


@given(TYPES, TYPES)
def test_laws(old: PgType, new: PgType) -> None:
    judged = convert(old, new)
    if judged.automatic:
        assert judged.bare
        new_check = any(t.kind == "domain" and t.checks for t in (new, new.element or new))
        date = old.leaf.base.startswith("date") or (old.element is not None and old.element.base == "date")
        assert not judged.fallible or date or new_check or (new.element is not None and new.element.not_null)
    else:
        assert judged.why
    if judged.rule is Rule.SAME:
        assert judged.automatic
        assert not judged.fallible
        assert judged.loss is Loss.NONE
    if not judged.bare:
        assert not judged.automatic
    if same_type(old, new):
        assert judged.rule is Rule.SAME


@given(TYPES)
def test_a_type_is_the_same_as_itself(type_: PgType) -> None:
    assert same_type(type_, type_)
    assert convert(type_, type_).rule is Rule.SAME


@given(BUILT_IN, BUILT_IN)
def test_arrays_are_no_easier_than_their_elements(old: PgType, new: PgType) -> None:
    inner, outer = convert(old, new), convert(array(old), array(new))
    assert inner.bare or not outer.bare
    assert inner.automatic or not outer.automatic


def test_modifiers_of_extension_types() -> None:
    point, any_shape = (
        replace(extension_type("geometry", "postgis"), text=text)
        for text in ("public.geometry(Point,4326)", "public.geometry")
    )
    polygon = replace(point, text="public.geometry(Polygon,4326)")
    assert convert(point, any_shape).rule is Rule.SAME
    assert not convert(point, polygon).automatic
    assert not convert(any_shape, point).automatic
    assert same_type(point, point)
    assert not same_type(point, polygon)


@pytest.mark.parametrize(
    ("text", "versions", "fallible"),
    [
        ("interval", (170000, 150000), True),
        ("interval(3)", (180000, 160000), True),
        ("interval", (160000, 180000), True),  # its largest value reads as infinity there
        ("interval", (180000, 170000), False),
        ("interval", (150000, 160000), False),
        ("numeric", (140000, 130000), True),
        ("numeric", (130000, 140000), False),
        ("numeric(10,2)", (140000, 130000), False),
        ("regclass", (180000, 180000), True),
        ("aclitem", (170000, 180000), True),
        ("oid", (170000, 180000), False),
        ("xml", (170000, 180000), True),
        ("xml", (170000, 170005), False),
        ("timestamptz", (110000, 180000), False),
    ],
)
def test_new_may_refuse_a_value_of_the_same_type(
    text: str, versions: tuple[int, int], fallible: bool
) -> None:
    scalar = pg_type(text)
    wrapped = (scalar, array(scalar), domain("d", scalar), composite("c", n="integer", v=scalar))
    for one in wrapped:
        found = convert(one, one, old_version=versions[0], new_version=versions[1])
        assert (found.rule, found.automatic, found.fallible) == (Rule.SAME, True, fallible)


def test_a_type_of_an_extension_may_differ_between_majors() -> None:
    for name, differs in (("ltree", True), ("citext", False)):
        one = extension_type(name, name)
        assert convert(one, one, old_version=150000, new_version=180000).fallible is differs
        assert not convert(one, one, old_version=180000, new_version=180001).fallible


@pytest.mark.parametrize(
    ("versions", "rule", "bare"),
    [
        ((180000, 150000), Rule.SAME, True),
        ((140000, 180000), Rule.NEW_INPUT, True),  # OLD prints a bare byte, so the text is computed
        ((180000, 140000), Rule.NEW_INPUT, False),  # NEW reads no text as such a byte
    ],
)
def test_a_single_byte_is_printed_otherwise_before_15(
    versions: tuple[int, int], rule: Rule, bare: bool
) -> None:
    byte = PgType('"char"', '"char"', name=TableName("pg_catalog", "char"))
    found = convert(byte, byte, old_version=versions[0], new_version=versions[1])
    assert (found.rule, found.automatic, found.bare) == (rule, bare, bare)
    inside = convert(array(byte), array(byte), old_version=versions[0], new_version=versions[1])
    assert inside.bare is (rule is Rule.SAME)


def _text_range(*, collation: str | None = None, sorts: str = "") -> PgType:
    kind, name = TypeKind.RANGE, TableName("public", "words")
    return PgType(
        "public.words",
        "public.words",
        kind,
        name=name,
        element=pg_type("text"),
        collation=collation,
        sorts=sorts,
    )


def test_ranges_of_texts_are_asked_about_where_texts_sort_otherwise() -> None:
    """The bounds stay, but other texts lie between them."""
    here = _text_range(sorts="C")
    assert convert(here, here).automatic
    for other in (_text_range(sorts="en_us.utf8"), _text_range(collation='pg_catalog."de-x-icu"', sorts="C")):
        assert not same_type(here, other)
        for old, new in ((here, other), (array(here), array(other))):
            found = convert(old, new)
            assert (found.automatic, found.bare) == (False, True)
            assert OTHER_ORDER in found.why


@pytest.mark.parametrize("collation", ["C", "POSIX", "C.UTF-8", "C.utf8", "C b:C.UTF-8", "en_US.UTF-8 b:C"])
def test_locales_that_sort_by_code_points_are_one_order(collation: str) -> None:
    assert order_of_texts(collation) == "C"


def test_other_locales_are_orders_of_their_own() -> None:
    assert order_of_texts("en_US.UTF-8") == order_of_texts("en_US.utf8") != order_of_texts("de_DE.utf8")
    assert order_of_texts("C i:en-US") != "C"
