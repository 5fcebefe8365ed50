"""Which references follow rows that are merged into others."""

from __future__ import annotations

from support.build import parse_catalog
from tranship.model.change import ColumnPair, Pairing, TablePair
from tranship.model.names import TableName
from tranship.model.resolution import Action, Answers, Decision, Resolution
from tranship.planning.matching.repointed import repointings

OLD = "team(id int! pk, name text); member(id int! pk, team int -> team.id); log(id int! pk, team int); use(id int! pk, member int -> member.id)"
NEW = "team(id int! pk, name text); member(id int! pk, team int); log(id int! pk, team int -> team.id); use(id int! pk, member int)"


def paired(table: str, *columns: str) -> TablePair:
    """A pair of tables of one name in the schema public."""
    name = TableName("public", table)
    return TablePair(name, name, Pairing.NAME, tuple(ColumnPair(c, c, Pairing.NAME) for c in columns))


PAIRS = (
    paired("team", "id", "name"),
    paired("member", "id", "team"),
    paired("log", "id", "team"),
    paired("use", "id", "member"),
)


def merging(table: str, key: str, *, repoint: bool = True, where: str = "") -> tuple[Decision, ...]:
    """Decisions that merge the rows of a table."""
    name = TableName("public", table)
    entries = [(Action.MERGE, Resolution(table, "$", "merge", key=(key,), repoint_children=repoint))]
    if where:
        entries.append((Action.FILTER, Resolution(table, "$", "filter", where=where)))
    return tuple(Decision(action, name, name, entry) for action, entry in entries)


def test_children_over_keys_of_old_and_of_new_follow() -> None:
    old, new = parse_catalog(OLD), parse_catalog(NEW)
    found = repointings(PAIRS, Answers(merging("team", "old.name", where="old.id > 0")), old, new)
    assert {flow[0].name for flow in found} == {"member", "log"}
    (parents,) = found[TableName("public", "member"), ""].parents
    assert (parents.columns, parents.keys, parents.where) == (("team",), ("id",), "old.id > 0")
    assert found[TableName("public", "member"), ""].columns == ("id", "team")


def test_nobody_follows_who_was_not_asked_to() -> None:
    old, new = parse_catalog(OLD), parse_catalog(NEW)
    assert not repointings(PAIRS, Answers(merging("team", "old.name", repoint=False)), old, new)


def test_a_merge_by_a_reference_sees_what_the_reference_leads_to() -> None:
    """Members of one team are one member: of teams that are one, too."""
    old, new = parse_catalog(OLD), parse_catalog(NEW)
    answers = Answers((*merging("team", "old.name"), *merging("member", "old.team")))
    found = repointings(PAIRS, answers, old, new)
    (parents,) = found[TableName("public", "use"), ""].parents
    assert parents.table.name == "member"
    assert parents.repointing is not None
    assert [one.table.name for one in parents.repointing.parents] == ["team"]
