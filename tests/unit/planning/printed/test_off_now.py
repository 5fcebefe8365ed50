"""How things that a run switched off stand, by what the server prints of them now."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from tranship.model.catalog import Check, ForeignKey, Index
from tranship.model.catalog_codes import TriggerState
from tranship.model.names import TableName
from tranship.model.undo import (
    Back,
    Blocked,
    CheckDropped,
    CommentDropped,
    Gone,
    IndexDropped,
    KeyDropped,
    KeyUnvalidated,
    Relation,
    RuleDisabled,
    Standing,
    SwitchedOff,
    TriggerDisabled,
    Unreadable,
    Waiting,
)
from tranship.planning.printed.definitions import index_shape
from tranship.planning.printed.off_now import (
    INVALID,
    NOT_WHOLE,
    ActingNow,
    ConstraintNow,
    IndexNow,
    Present,
    RelationNow,
    standing,
)

CHILD, PARENT = TableName("public", "child"), TableName("public", "parent")
COLUMNS = {1: "id", 2: "parent", 4: "word"}
KEY = ForeignKey("up", ("parent",), PARENT, ("id",), on_delete="n", set_columns=("parent",))
PRINTED = "FOREIGN KEY (parent) REFERENCES public.parent(id) ON DELETE SET NULL (parent)"
MADE = "CREATE INDEX by_word ON public.child USING btree (word DESC) INCLUDE (id) WITH (fillfactor='80')"
SHAPE = index_shape(MADE)
assert SHAPE is not None
TRIGGER = TriggerDisabled(CHILD, "t", "A", Relation(11), 99)
DROPPED = KeyDropped(CHILD, KEY, False, Relation(11, (2,)), Relation(12, (1,)), twins=("twin",))
INDEX = IndexDropped(
    CHILD, Index("by_word", MADE), SHAPE, "public", home=Relation(11, (4, 1)), twins=("old",)
)


def table(name: TableName = CHILD, columns: Mapping[int, str] = COLUMNS) -> RelationNow:
    return RelationNow(name, columns)


def constraint(name: str, definition: str = PRINTED, *, validated: bool = True) -> ConstraintNow:
    return ConstraintNow(name, definition.startswith("FOREIGN KEY"), definition, validated, None)


def index(name: str, definition: str = MADE, *, valid: bool = True) -> IndexNow:
    return IndexNow(name, index_shape(definition), definition, valid)


def now(**facts: object) -> Present:
    facts = {"same_server": True, "table": table(), "parent": table(PARENT, {1: "id"}), **facts}
    return Present(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("acting", "expected"),
    [
        ([], Gone("the trigger")),
        ([ActingNow("t", 99, TriggerState.DISABLED)], TRIGGER),
        ([ActingNow("t", 99, TriggerState.ALWAYS)], Back()),
        ([ActingNow("t", 99, TriggerState.REPLICA)], Back(form="ENABLE REPLICA")),
        ([ActingNow("renamed", 99, TriggerState.DISABLED)], replace(TRIGGER, trigger="renamed")),
        ([ActingNow("renamed", 99, TriggerState.ALWAYS)], Back(name="renamed")),
        ([ActingNow("other", 98, TriggerState.DISABLED)], Gone("the trigger")),
        ([ActingNow("t", 98, TriggerState.DISABLED)], TRIGGER),
    ],
)
def test_triggers(acting: list[ActingNow], expected: Standing) -> None:
    assert standing(TRIGGER, now(acting=tuple(acting))) == expected


def test_oids_of_another_server_mean_nothing() -> None:
    acting = (ActingNow("other", 99, TriggerState.DISABLED),)
    assert standing(TRIGGER, now(acting=acting, same_server=False)) == Gone("the trigger")
    renumbered = table(columns={1: "id", 2: "parent", 3: "word"})
    assert standing(INDEX, now(table=renumbered, same_server=False)) == INDEX
    assert standing(INDEX, now(table=renumbered)) == Gone("a column")


def test_rules_like_triggers() -> None:
    rule = RuleDisabled(CHILD, "r", "O", Relation(11), 7)
    assert standing(rule, now(acting=(ActingNow("x", 7, TriggerState.DISABLED),))) == replace(rule, rule="x")
    assert standing(rule, now()) == Gone("the rule")


@pytest.mark.parametrize(
    "off",
    [
        TRIGGER,
        DROPPED,
        INDEX,
        KeyUnvalidated(CHILD, "up", DROPPED),
        CommentDropped(CHILD, "up", "x", DROPPED),
    ],
)
def test_a_table_that_was_dropped(off: SwitchedOff) -> None:
    assert standing(off, now(table=None)) == Gone("the table")


def test_a_table_and_columns_with_other_names() -> None:
    moved = table(TableName("app", "kids"), {1: "key", 2: "of", 4: "text"})
    key = replace(KEY, columns=("of",), set_columns=("of",))
    assert standing(DROPPED, now(table=moved)) == replace(DROPPED, table=moved.name, key=key)
    made = standing(INDEX, now(table=moved))
    assert isinstance(made, IndexDropped)
    assert (made.table, made.schema) == (moved.name, "app")
    assert [one.column for one in made.shape.keys] == ["text"]
    assert made.shape.include == ("key",)


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ([], DROPPED),
        ([constraint("up")], Back()),
        ([constraint("up", PRINTED + " NOT VALID", validated=False)], Back()),
        ([constraint("hand")], Back(name="hand")),
        ([constraint("twin")], DROPPED),
        ([constraint("twin"), constraint("hand")], Back(name="hand")),
        ([constraint("hand", "FOREIGN KEY (parent) REFERENCES public.parent(id)")], DROPPED),
        (
            [constraint("up", "FOREIGN KEY (parent) REFERENCES public.parent(id)")],
            Back(form="FOREIGN KEY (parent) REFERENCES public.parent(id)"),
        ),
        (
            [constraint("up", "CHECK ((id > 0))")],
            Blocked("another constraint has its name: CHECK ((id > 0))"),
        ),
    ],
)
def test_keys(constraints: list[ConstraintNow], expected: Standing) -> None:
    assert standing(DROPPED, now(constraints=tuple(constraints))) == expected


def test_keys_whose_ends_are_gone() -> None:
    assert standing(DROPPED, now(parent=None)) == Gone("the table that it refers to")
    assert standing(DROPPED, now(parent=table(PARENT, {2: "id"}))) == Gone("a column")


def test_a_key_that_has_to_be_added_whole() -> None:
    whole = replace(DROPPED, partitioned=True)
    late = constraint("up", PRINTED + " NOT VALID", validated=False)
    assert standing(whole, now(constraints=(late,))) == Blocked(NOT_WHOLE)
    assert standing(whole, now(constraints=(constraint("up"),))) == Back()


def test_the_order_of_the_columns_does_not_count() -> None:
    pair = replace(
        KEY, columns=("parent", "word"), target_columns=("id", "word"), on_delete="a", set_columns=()
    )
    dropped = KeyDropped(CHILD, pair, False)
    back = constraint("hand", "FOREIGN KEY (word, parent) REFERENCES public.parent(word, id)")
    ends = now(parent=table(PARENT, {1: "id", 2: "word"}), constraints=(back,))
    assert standing(dropped, ends) == Back(name="hand")


@pytest.mark.parametrize(
    ("constraints", "key_off", "expected"),
    [
        ([], True, Waiting()),
        ([], False, Gone("the foreign key")),
        ([constraint("up", validated=False)], False, KeyUnvalidated(CHILD, "up", DROPPED)),
        ([constraint("up")], False, Back()),
        ([constraint("hand", validated=False)], False, KeyUnvalidated(CHILD, "hand", DROPPED)),
        ([constraint("twin", validated=False)], False, Gone("the foreign key")),
    ],
)
def test_validity(constraints: list[ConstraintNow], key_off: bool, expected: Standing) -> None:
    off = KeyUnvalidated(CHILD, "up", DROPPED)
    assert standing(off, now(constraints=tuple(constraints), key_off=key_off)) == expected


@pytest.mark.parametrize(
    ("comment", "expected"),
    [(None, CommentDropped(CHILD, "hand", "said", DROPPED)), ("said", Back()), ("new", Back(form="new"))],
)
def test_comments(comment: str | None, expected: Standing) -> None:
    back = replace(constraint("hand"), comment=comment)
    assert standing(CommentDropped(CHILD, "up", "said", DROPPED), now(constraints=(back,))) == expected


@pytest.mark.parametrize(
    ("indexes", "expected"),
    [
        ([], INDEX),
        ([index("by_word")], Back()),
        ([index("hand")], Back(name="hand")),
        ([index("hand", MADE.replace("80", "90"))], Back(name="hand")),
        ([index("old")], INDEX),
        ([index("hand", valid=False)], INDEX),
        ([index("hand", MADE.replace("CREATE", "CREATE UNIQUE"))], INDEX),
        ([index("by_word", MADE.replace(" DESC", ""))], Back(form=MADE.replace(" DESC", ""))),
        ([index("by_word", valid=False)], Blocked(INVALID)),
    ],
)
def test_indexes(indexes: list[IndexNow], expected: Standing) -> None:
    assert standing(INDEX, now(indexes=tuple(indexes))) == expected


def test_a_name_that_something_else_has() -> None:
    assert standing(INDEX, now(holder="a sequence")) == Blocked("a sequence has its name")
    assert standing(INDEX, now(holder="an index", indexes=(index("by_word"),))) == Back()


SHORT = CheckDropped(
    CHILD,
    Check("short", "(word <> ''::text)", ("word",), validated=False),
    "CHECK ((word <> ''::text)) NOT VALID",
    TableName("tranship", "check_1"),
    home=Relation(1, (3,)),
)


def test_checks() -> None:
    def stands(
        *constraints: ConstraintNow, columns: dict[int, str] | None = None, name: str = ""
    ) -> Standing:
        named = TableName("public", name) if name else CHILD
        return standing(
            SHORT, Present(True, RelationNow(named, columns or {3: "word"}), constraints=constraints)
        )

    def named(definition: str) -> ConstraintNow:
        return ConstraintNow("short", False, definition, False, None)

    assert stands() == SHORT
    assert stands(name="renamed") == replace(SHORT, table=TableName("public", "renamed"))
    assert stands(named(SHORT.definition)) == Back()
    assert stands(named("CHECK ((word <> 'x'::text))")) == Back(form="CHECK ((word <> 'x'::text))")
    assert isinstance(stands(named("UNIQUE (word)")), Blocked)
    assert isinstance(stands(columns={3: "wort"}), Blocked)
    assert stands(columns={4: "word"}) == Gone("a column")


def test_what_tranship_did_not_write_stays() -> None:
    off = Unreadable("trigger x", "DROP TABLE y")
    assert standing(off, now(table=None)) == off
