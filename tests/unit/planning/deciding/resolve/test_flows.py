"""Flows: what keys such as ``"members -> profiles"`` mean, and what entries say about rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.build import parse_catalog
from tranship.codec import read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.change import ChangeClass
from tranship.model.expression import Lookup
from tranship.model.names import TableName
from tranship.model.plan import TablePlan
from tranship.model.resolution import Action, Problem
from tranship.model.shape import PLAIN, Children, Filter, KeyKind, Merge, NewKey, Shape, Taken
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.resolve import decide, open_questions
from tranship.planning.deciding.resolve.flows import with_queries
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.planning.plan.build import build
from tranship.planning.plan.not_executed import not_executed

OLD = """
    members(id int pk, name text, bio text, gone timestamptz); orders(id int pk, member_id int -> members.id);
    codes(id int pk, k text)
"""
NEW = """
    members(id int pk, name text); orders(id int pk, member_id int -> members.id);
    profiles(user_id int pk, bio text); codes(id int pk, k text)
"""
FILTER = {"action": "filter", "where": "old.gone IS NULL"}
GONE = {"action": "ignore", "old_column": "gone"}
NO_BIO = {"action": "ignore", "old_column": "bio"}
CODES = {"action": "query", "sql": "SELECT 1 AS id, '' AS k", "key": "id"}
USER = {"action": "transform", "old_column": "id", "new_column": "user_id"}


class Said:
    """What a resolutions file comes to: problems, open changes, and the plan of each flow by its name."""

    def __init__(
        self,
        folder: Path,
        entries: Mapping[str, object],
        *,
        old: str = OLD,
        new: str = NEW,
        tables: tuple[str, ...] | None = None,
    ) -> None:
        path = folder / "r.json"
        path.write_text(json.dumps({"resolutions": entries}), encoding="utf-8")
        file = parse_resolutions(read_jsonc(path))
        before, after = parse_catalog(old, database="old"), parse_catalog(new, database="new")
        scope, wrong = make_scope(before, after, tables)
        assert not wrong
        before = with_queries(file, before, after)
        answers, decided, self.problems = decide(file, before, after, scope)
        self.answers = answers
        matching = match(before, after, scope, decided)
        comparison = compare(before, after, matching, answers)
        open_ = open_questions(comparison, answers)
        self.open = [f"{change.table}.{change.old_column or change.new_column}" for change in open_]
        self.breaking = comparison.of(ChangeClass.BREAKING)
        plan, _ = build(before, after, comparison, answers, scope.tables)
        self.refused = not_executed(plan, after)
        self.order = [str(one.flow) for one in plan.tables]
        self.plans: dict[str, TablePlan] = {str(one.flow): one for one in plan.tables}

    @property
    def wrong(self) -> list[str]:
        return [told(problem) for problem in self.problems if not problem.warning]


def told(problem: Problem) -> str:
    return f"{problem.code} {problem.object}: {problem.message} {problem.hint}"


def test_a_filter_is_part_of_the_plan(tmp_path: Path) -> None:
    children = {"action": "filter", "where": "old.gone IS NULL", "children": {"orders": "leave_out"}}
    said = Said(tmp_path, {"members": [children, GONE, {"action": "ignore", "old_column": "bio"}]})
    assert not said.problems
    assert not said.open
    assert said.plans["public.members"].shape == Shape(
        filter=Filter("old.gone IS NULL", of=((TableName("public", "orders"), Children.LEAVE_OUT),))
    )
    (parent,) = said.plans["public.orders"].shape.left_with
    assert (parent.table, parent.flows) == (TableName("public", "members"), (Taken("old.gone IS NULL"),))


def test_a_condition_does_not_settle_what_becomes_of_a_column(tmp_path: Path) -> None:
    assert Said(tmp_path, {"members": [FILTER]}).open == ["public.members.bio", "public.members.gone"]


@pytest.mark.parametrize(
    "key", ["members -> profiles", "members→profiles", "public.members ->public.profiles"]
)
def test_a_flow_of_a_name_takes_columns_of_the_same_name(tmp_path: Path, key: str) -> None:
    said = Said(tmp_path, {"members": [GONE], key: [FILTER, USER]})
    assert not said.problems
    assert not said.open
    flow = said.plans["members -> profiles"]
    assert (str(flow.old), str(flow.new)) == ("public.members", "public.profiles")
    assert {m.column for m in flow.columns if m.origin != "server"} == {"user_id", "bio"}
    assert flow.shape.filter is not None
    assert said.plans["public.members"].shape == PLAIN


def test_what_no_flow_takes_is_asked_once(tmp_path: Path) -> None:
    assert Said(tmp_path, {"members -> profiles": [USER]}).open == ["public.members.gone"]


@pytest.mark.parametrize("entries", [[], [FILTER]])
def test_a_flow_asks_for_what_its_new_table_needs(tmp_path: Path, entries: list[object]) -> None:
    new = NEW.replace("user_id int", "u int!")
    said = Said(tmp_path, {"members": [GONE], "members -> profiles": entries}, new=new)
    assert said.open == ["members -> profiles.u"]


def test_a_table_may_drive_flows_and_have_no_counterpart(tmp_path: Path) -> None:
    new = "people(id int pk, name text); profiles(user_id int pk, bio text); codes(id int pk, k text); orders(id int pk, member_id int)"
    entries = {"members -> people": [FILTER], "members -> profiles": [USER]}
    said = Said(tmp_path, entries, new=new)
    assert not said.problems
    assert said.open == ["members -> people.gone"]
    settled = Said(tmp_path, {**entries, "members": [GONE]}, new=new)
    assert not settled.problems
    assert not settled.open
    assert list(settled.plans) == [
        "public.codes",
        "members -> people",
        "members -> profiles",
        "public.orders",
    ]


def test_a_name_for_the_pair_that_was_found_is_that_flow(tmp_path: Path) -> None:
    said = Said(
        tmp_path,
        {"members -> members": [FILTER], "members": [GONE, {"action": "ignore", "old_column": "bio"}]},
    )
    assert not said.problems
    assert not said.open
    assert said.plans["public.members"].shape.filter is not None


def test_flows_come_in_the_order_of_the_configuration(tmp_path: Path) -> None:
    entries = {
        "members": [GONE],
        "members -> profiles": [USER],
        "codes -> profiles": [{**USER, "new_column": "user_id"}],
    }
    flows = ["codes -> profiles", "members -> profiles"]
    assert Said(tmp_path, entries).order == ["public.codes", *flows, "public.members", "public.orders"]
    chosen = Said(tmp_path, entries, tables=("codes", "members"))
    assert chosen.order == ["public.codes", "codes -> profiles", "public.members", "members -> profiles"]


def test_flows_are_chosen_by_old_or_new_name(tmp_path: Path) -> None:
    named = {"action": "transform", "old_column": "name", "new_column": "name", "transform_sql": "old.name"}
    entries = {"members": [named, GONE, NO_BIO], "members -> profiles": [USER], "x -> codes": [CODES]}
    alone = Said(tmp_path, entries, tables=("profiles",))
    assert alone.order == ["members -> profiles"]
    assert "bio" in [m.column for m in alone.plans["members -> profiles"].columns if m.origin != "server"]
    by_new = Said(tmp_path, entries, tables=("profiles", "codes"))
    assert by_new.order == ["members -> profiles", "public.codes", "x -> codes"]
    assert [told(problem)[:34] for problem in by_new.problems] == ["TS319 $.resolutions.members[0] (me"]
    assert Said(tmp_path, entries, tables=("members",)).order == ["public.members", "members -> profiles"]
    renamed = OLD.replace("codes(", "old_codes(")
    moved = {"old_codes": [{"action": "rename_table", "new_table": "codes"}]}
    assert Said(tmp_path, moved, old=renamed, tables=("codes",)).order == ["public.old_codes"]


TWO = "customers(id int pk, name text); suppliers(id int pk, name text); bills(id int pk, payer int)"
ONE = "parties(id int pk, name text); bills(id int pk, payer int -> parties.id)"
BOTH = {name: [{"action": "rename_table", "new_table": "parties"}] for name in ("customers", "suppliers")}


def test_which_of_several_parents_is_meant_is_a_question(tmp_path: Path) -> None:
    def asked(*entries: object, old: str = TWO) -> list[str]:
        said = Said(tmp_path, {**BOTH, "bills": list(entries)}, old=old, new=ONE)
        return [change.description for change in said.breaking if "may refer" in change.description]

    assert asked() == ["Column 'payer' may refer to rows of public.customers or public.suppliers"]
    assert asked({"action": "transform", "old_column": "payer", "new_column": "payer"}) == []
    assert asked({"action": "adopt", "constraint": "bills_payer_fkey"}) == []
    assert asked(old=TWO.replace("payer int", "payer int -> suppliers.id")) == []
    one = {"customers": BOTH["customers"], "suppliers": [{"action": "drop_table"}]}
    assert Said(tmp_path, {**one, "bills": []}, old=TWO, new=ONE).open == ["public.bills.payer"]


def test_new_values_of_a_key(tmp_path: Path) -> None:
    asked = {"action": "new_key", "column": "id", "as": {"offset": 1000}}
    said = Said(tmp_path, {"codes": [asked]})
    assert not said.problems
    assert said.plans["public.codes"].shape.new_keys == (NewKey("id", KeyKind.OFFSET, offset=1000),)


@pytest.mark.parametrize("repointed", [False, True])
def test_children_are_not_led_to_items(tmp_path: Path, repointed: bool) -> None:
    """Each item of an old row may have another survivor, so that nothing says which one a child follows."""
    rows = {"action": "rows", "from": "unnest(ARRAY[old.name]) AS item(word)"}
    merge = {"action": "merge", "key": ["item.word"], "repoint_children": repointed}
    said = Said(tmp_path, {"members": [rows, merge]})
    assert said.plans["public.members"].shape.merge == Merge(("item.word",), repoint_children=repointed)
    assert [(one.code, "'repoint_children'" in one.message) for one in said.refused] == [
        ("TS309", True)
    ] * repointed


@pytest.mark.parametrize("action", ["merge", "existing"])
@pytest.mark.parametrize("repointed", [False, True])
def test_children_are_not_led_to_rows_of_a_query(tmp_path: Path, action: str, repointed: bool) -> None:
    """Its rows may become one, or be found in NEW, but no row of OLD refers to them."""
    query = {"action": "query", "sql": "SELECT 1 AS user_id", "key": "user_id"}
    key = ["old.user_id"] if action == "merge" else ["user_id"]
    beside = {"action": action, "key": key, "repoint_children": repointed}
    said = Said(tmp_path, {"x -> profiles": [query, beside]})
    assert [one.code for one in said.problems] == []
    assert [(one.code, "beside 'query'" in one.message) for one in said.refused] == [
        ("TS309", True)
    ] * repointed


MEMBERS = "members"
WRONG: dict[str, tuple[dict[str, list[dict[str, object]]], list[str]]] = {
    "unknown action": ({MEMBERS: [{"action": "fliter"}]}, ["'fliter'", "did you mean 'filter'?"]),
    "unknown field": ({MEMBERS: [{**FILTER, "childern": "null"}]}, ["did you mean 'children'?"]),
    "unknown value": ({MEMBERS: [{**FILTER, "children": "leave"}]}, ["'leave'", "leave_out"]),
    "missing field": ({MEMBERS: [{"action": "filter"}]}, ["action 'filter' needs 'where'"]),
    "field of another action": ({MEMBERS: [{**FILTER, "keep": "old.id"}]}, ["'keep' belongs to 'merge'"]),
    "empty condition": ({MEMBERS: [{**FILTER, "where": " "}]}, ["where is empty", "for example"]),
    "children of no table": ({MEMBERS: [{**FILTER, "children": {"order": "null"}}]}, ["'order'", "'orders'"]),
    "two filters": ({MEMBERS: [FILTER, FILTER]}, ["TS304", "$.resolutions.members[0] says already"]),
    "a flow from nowhere": ({"member -> profiles": [FILTER]}, ["'member'", "did you mean 'members'?"]),
    "a flow to nowhere": ({"members -> profile": [FILTER]}, ["'profile'", "did you mean 'profiles'?"]),
    "both": ({"member -> profile": [FILTER]}, ["'member'", "'profile'"]),
    "a table's action": ({"members -> profiles": [{"action": "drop_table"}]}, ["not about one flow"]),
    "query without flow": (
        {MEMBERS: [{"action": "query", "sql": "SELECT 1 AS id", "key": "id"}]},
        ["members -> new_table"],
    ),
    "rows of no table": ({"gone": [FILTER]}, ["OLD has no table 'gone'"]),
    "new values of no column": (
        {MEMBERS: [{"action": "new_key", "column": "ide", "as": "uuid"}]},
        ["no column 'ide'", "'id'"],
    ),
    "new values that do not fit": (
        {MEMBERS: [{"action": "new_key", "column": "id", "as": "uuid"}]},
        ["integer"],
    ),
    "new values of no key": (
        {MEMBERS: [{"action": "new_key", "column": "name", "as": "uuid"}]},
        ["TS305", "'name' is no key"],
    ),
    "unknown kind": ({MEMBERS: [{"action": "new_key", "column": "id", "as": "uid"}]}, ["'uid'", "'uuid'"]),
    "existing by no column": (
        {MEMBERS: [{"action": "existing", "key": ["nam"]}]},
        ["no column 'nam'", "did you mean 'name'?"],
    ),
    "existing by new values": (
        {"codes": [{"action": "existing"}, {"action": "new_key", "column": "id", "as": {"offset": 5}}]},
        ["cannot be found by 'id'", "$.resolutions.codes[1]"],
    ),
    "existing otherwise": ({MEMBERS: [{"action": "existing", "rows": "keeps"}]}, ["'keeps'", "'keep'"]),
    "items beside query": (
        {
            "x -> profiles": [
                {"action": "query", "sql": "SELECT 1 AS user_id", "key": "user_id"},
                {"action": "rows", "from": "unnest(ARRAY[old.user_id]) AS item(id)"},
            ]
        },
        ["TS304", "say it in the SELECT"],
    ),
}


LOOKUPS = "members(id int pk, town text)"
TOWNS = """
    members(id int pk, town_id int); towns(id int! = 1, name text pk); plain(id int! pk, name text);
    full(id int! pk = 1, name text, land text!); made(id int! pk = 1, name text)
"""
TOWN = {"action": "transform", "old_column": "town", "new_column": "town_id"}


def looked_up(table: str, **more: object) -> dict[str, object]:
    return {**TOWN, "lookup_table": {"table": table, "key_column": "name", "value_column": "id", **more}}


def test_a_lookup_by_an_expression(tmp_path: Path) -> None:
    by_sql = {**looked_up("towns", add_missing=True), "key_sql": "trim(old.town)"}
    del by_sql["old_column"]
    said = Said(tmp_path, {"members": [by_sql]}, old=LOOKUPS, new=TOWNS)
    assert not said.problems
    (filled,) = [m.expression for m in said.plans["public.members"].columns if m.column == "town_id"]
    assert isinstance(filled, Lookup)
    assert (filled.key_sql, filled.columns, filled.add_missing) == (("trim(old.town)",), (), True)
    # Only a server can say whether the expression uses the column.
    assert said.open == ["public.members.town"]


WRONG_LOOKUPS: dict[str, tuple[dict[str, object], list[str]]] = {
    "nothing gives the value": (looked_up("plain", add_missing=True), ["nothing would fill its column 'id'"]),
    "nothing fills a column": (looked_up("full", add_missing=True), ["nothing would fill its column 'land'"]),
    "no key": (looked_up("made", add_missing=True), ["no unique key over name"]),
    "a table of OLD": (
        looked_up("members", database="old", key_column="id", value_column="town", add_missing=True),
        ["it is a table of OLD"],
    ),
    "an expression without a table": ({**TOWN, "key_sql": "old.town"}, ["there is no lookup_table"]),
    "an expression too many": (
        {**looked_up("towns"), "key_sql": ["old.town", "1"]},
        ["lookup_table has 1 key column,", "key_sql"],
    ),
    "not true": (looked_up("towns", add_missing="yes"), ["true or false"]),
}


@pytest.mark.parametrize("wrong", WRONG_LOOKUPS)
def test_wrong_lookups_are_refused(tmp_path: Path, wrong: str) -> None:
    entry, expected = WRONG_LOOKUPS[wrong]
    found = "\n".join(Said(tmp_path, {"members": [entry]}, old=LOOKUPS, new=TOWNS).wrong)
    for part in expected:
        assert part in found


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_entries_are_refused_with_a_cure(tmp_path: Path, wrong: str) -> None:
    entries, expected = WRONG[wrong]
    found = "\n".join(Said(tmp_path, entries).wrong)
    assert found
    for part in expected:
        assert part in found


def test_a_table_that_drives_several_flows_has_to_be_named(tmp_path: Path) -> None:
    new = "people(id int pk, name text); profiles(user_id int pk, bio text); codes(id int pk, k text); orders(id int pk)"
    said = Said(tmp_path, {"members": [FILTER], "members -> people": [], "members -> profiles": []}, new=new)
    (wrong,) = said.wrong
    assert "write the entry under one of members -> people, members -> profiles" in wrong
    assert said.plans.keys() >= {"members -> people", "members -> profiles"}


def test_the_same_flow_under_two_keys_is_decided_once(tmp_path: Path) -> None:
    said = Said(tmp_path, {"members -> profiles": [USER], "public.members -> profiles": [USER]})
    (wrong,) = said.wrong
    assert "'user_id' is already filled" in wrong
    assert [d.action for d in said.answers.decisions] == [Action.TRANSFORM]
