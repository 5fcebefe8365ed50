"""NEW's catalog while something is switched off, as it will be again."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import parse_catalog
from tranship.model.catalog import Catalog, Check, ForeignKey, Index, Rule, Table, Trigger
from tranship.model.catalog_codes import TriggerState
from tranship.model.names import TableName
from tranship.model.undo import (
    CheckDropped,
    CommentDropped,
    IndexDropped,
    IndexShape,
    KeyDropped,
    KeyUnvalidated,
    RuleDisabled,
    SwitchedOff,
    TriggerDisabled,
    Unreadable,
)
from tranship.planning.comparing.fingerprint import fingerprinted
from tranship.planning.comparing.restored import as_restored

NAME = TableName("public", "child")
KEY = ForeignKey("up", ("parent",), TableName("public", "parent"), ("id",))
CHECK = Check("short", "(word <> ''::text)", ("word",), validated=False)
INDEX = Index("by_word", "CREATE INDEX by_word")


def changed(catalog: Catalog, **fields: object) -> Catalog:
    """Returns the catalog with other facts about ``child``."""
    tables: list[Table] = [replace(t, **fields) if t.name == NAME else t for t in catalog.tables]
    return fingerprinted(replace(catalog, tables=tuple(tables)))


def test_everything_is_as_it_was() -> None:
    bare = parse_catalog("parent(id integer pk); child(id integer pk, parent integer, word text)")
    trigger, rule = (
        Trigger("t", TriggerState.ALWAYS, "CREATE"),
        Rule("r", "DELETE", True, TriggerState.REPLICA, "CREATE"),
    )
    before = changed(
        bare, triggers=(trigger,), rules=(rule,), foreign_keys=(KEY,), indexes=(INDEX,), checks=(CHECK,)
    )
    away = changed(
        bare,
        triggers=(replace(trigger, enabled=TriggerState.DISABLED),),
        rules=(replace(rule, enabled=TriggerState.DISABLED),),
    )
    off: list[SwitchedOff] = [
        IndexDropped(NAME, INDEX, IndexShape("btree", ()), "public"),
        KeyDropped(NAME, KEY, False),
        CheckDropped(NAME, CHECK, "CHECK", TableName("tranship", "check_1")),
        KeyUnvalidated(NAME, "up"),
        CommentDropped(NAME, "up", "words"),
        RuleDisabled(NAME, "r", "R"),
        TriggerDisabled(NAME, "t", "A"),
        TriggerDisabled(TableName("public", "gone"), "t", "A"),
        Unreadable("trigger x of child", "DROP TABLE child"),
    ]
    assert away.fingerprint != before.fingerprint
    back = as_restored(away, off)
    assert back.fingerprint == before.fingerprint
    child = back.table(NAME)
    assert child is not None
    (key,) = child.foreign_keys
    assert key.operators == ("OPERATOR(pg_catalog.=)",)


def test_a_key_that_came_back_not_valid_counts_as_valid() -> None:
    bare = parse_catalog("parent(id integer pk); child(id integer pk, parent integer)")
    invalid = changed(bare, foreign_keys=(replace(KEY, validated=False),))
    assert (
        as_restored(invalid, [KeyUnvalidated(NAME, "up")]).fingerprint
        == changed(bare, foreign_keys=(KEY,)).fingerprint
    )
    assert as_restored(invalid, []) is invalid
