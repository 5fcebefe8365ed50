"""Which columns hold a new key, which refer to one, and which stay as they are."""

from __future__ import annotations

from support.build import parse_catalog
from tranship.model.change import ColumnPair, Pairing, TablePair
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers, Decision, Resolution
from tranship.model.shape import KeyKind, NewKey
from tranship.planning.matching.new_keys import rekeyed_columns


def paired(old: str, new: str, *columns: tuple[str, str]) -> TablePair:
    """A pair of tables of the schema public, with pairs of columns."""
    pairs = tuple(ColumnPair(a, b, Pairing.NAME) for a, b in columns)
    return TablePair(TableName("public", old), TableName("public", new), Pairing.NAME, pairs)


def keyed(table: str, *keys: NewKey) -> Answers:
    """Decisions for new keys of one old table."""
    name = TableName("public", table)
    return Answers(
        tuple(
            Decision(Action.NEW_KEY, name, name, Resolution(table, "$", "new_key", new_values=key))
            for key in keys
        )
    )


def test_children_follow_over_keys_of_old_and_of_new() -> None:
    old = parse_catalog(
        "team(id int! pk, boss int -> team.id); member(id int! pk, team int -> team.id, guess int); log(id int! pk, team int)"
    )
    new = parse_catalog(
        "team(id uuid! pk, boss uuid); member(id int! pk, team uuid, guess int); log(id int! pk, team uuid -> team.id)"
    )
    pairs = (
        paired("team", "team", ("id", "id"), ("boss", "boss")),
        paired("member", "member", ("id", "id"), ("team", "team"), ("guess", "guess")),
        paired("log", "log", ("id", "id"), ("team", "team")),
    )
    found = rekeyed_columns(pairs, keyed("team", NewKey("id", KeyKind.UUID)), old, new)
    assert {(place[0].name, place[2]): one.column for place, one in found.items()} == {
        ("team", "id"): "id",
        ("team", "boss"): "boss",
        ("member", "team"): "team",
        ("log", "team"): "team",
    }
    assert {one.table.name for one in found.values()} == {"team"}


def test_of_two_tables_that_become_one_only_old_tells_whose_key_is_meant() -> None:
    old = parse_catalog("a(id int! pk); b(id int! pk); c(id int! pk, b int -> b.id, loose int)")
    new = parse_catalog("p(id int! pk); c(id int! pk, b int -> p.id, loose int -> p.id)")
    pairs = (
        paired("a", "p", ("id", "id")),
        paired("b", "p", ("id", "id")),
        paired("c", "c", ("id", "id"), ("b", "b"), ("loose", "loose")),
    )
    found = rekeyed_columns(pairs, keyed("b", NewKey("id", KeyKind.OFFSET, offset=100)), old, new)
    assert {(place[0].name, place[2]) for place in found} == {("b", "id"), ("c", "b")}


def test_equal_references_may_be_written_otherwise() -> None:
    old = parse_catalog(
        "t(id numeric! pk); u(id int! pk, t numeric -> t.id); v(k text! pk); w(id int! pk, v text -> v.k)"
    )
    new = parse_catalog("t(id uuid! pk); u(id int! pk, t uuid); v(k uuid! pk); w(id int! pk, v uuid)")
    pairs = (
        paired("t", "t", ("id", "id")),
        paired("u", "u", ("t", "t")),
        paired("v", "v", ("k", "k")),
        paired("w", "w", ("v", "v")),
    )
    answers = Answers(
        (*keyed("t", NewKey("id", KeyKind.UUID)).decisions, *keyed("v", NewKey("k", KeyKind.UUID)).decisions)
    )
    found = {
        (place[0].name, place[2]): bool(one.equality)
        for place, one in rekeyed_columns(pairs, answers, old, new).items()
    }
    assert found == {("t", "id"): False, ("u", "t"): True, ("v", "k"): False, ("w", "v"): False}
