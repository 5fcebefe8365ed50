"""What is said of changes that nobody has decided."""

from __future__ import annotations

import json

from msgspec.structs import replace

from support.build import catalog
from tranship.analysis.open_changes import undecided
from tranship.model.catalog import Table
from tranship.model.catalog_codes import RelationKind
from tranship.model.change import Change, ChangeClass
from tranship.model.change_kind import ChangeKind
from tranship.model.names import TableName
from tranship.planning.comparing.meaning import AS_THEY_ARE


def _change(kind: ChangeKind, *evidence: str) -> Change:
    return Change(
        ChangeClass.BREAKING,
        kind,
        "public.orders",
        "what differs",
        old_column="customer_id",
        evidence=evidence,
    )


def test_a_meaning_that_changes_is_not_decided_by_a_name() -> None:
    meaning, kind = undecided([_change(ChangeKind.MEANING_CHANGED), _change(ChangeKind.TYPE_CHANGED)])
    assert (meaning.code, meaning.object, kind.code) == ("TS301", "public.orders.customer_id", "TS301")
    assert "'rename' says nothing about them" in meaning.hint
    assert kind.hint == "decide it in the resolutions file"


def test_an_output_of_a_query_is_told_with_an_entry_that_can_be_pasted() -> None:
    name = 'a "b" \\ c'
    change = Change(
        ChangeClass.BREAKING, ChangeKind.TYPE_CHANGED, "q -> t", "differs", old_column=name, new_column=name
    )
    old = replace(catalog(), outside=(Table(TableName("", "q -> t"), RelationKind.QUERY),))
    (problem,) = undecided([change], old)
    told = problem.message[problem.message.index("{") :]
    assert json.loads(told) == {"action": "transform", "old_column": name, "new_column": name}


def test_values_are_offered_as_they_are_only_where_they_may_be_meant() -> None:
    kind = ChangeKind.MEANING_CHANGED
    certain, perhaps = undecided([_change(kind, "OLD refers elsewhere"), _change(kind, AS_THEY_ARE)])
    assert "the same columns alone" not in certain.hint
    assert "the same columns alone if the values themselves are meant" in perhaps.hint
