"""Columns that number items: the items of a row cannot all have its key."""

from __future__ import annotations

from msgspec.structs import replace

from support.build import catalog, table
from tranship.model.catalog import Table
from tranship.model.names import TableName
from tranship.model.resolution import Action, Decision, Resolution
from tranship.planning.deciding.resolve.item_keys import keys_left_to_new

OLD = table("post", "id int!", "tags text", key=["id"])
OTHER = table("other", "id int!", "name text", key=["id"])


def numbered(made: Table) -> Table:
    """The table with a sequence behind its column ``id``."""
    sequence = TableName("public", "numbers")
    columns = (replace(c, sequence=sequence) if c.name == "id" else c for c in made.columns)
    return replace(made, columns=tuple(columns))


def decided(of: Table, action: Action, new_column: str | None = None) -> Decision:
    entry = replace(Resolution(of.name.name, "", action.value), new_column=new_column)
    return Decision(action, of.name, of.name, entry)


def left(new: Table, *decisions: Decision) -> list[tuple[TableName, str]]:
    return list(keys_left_to_new(decisions, catalog(OLD, OTHER), catalog(new, OTHER)))


def test_a_key_of_the_same_name_is_left_to_a_sequence() -> None:
    new = table("post", "id bigint!", "tag text", key=["id"])
    rows = decided(OLD, Action.ROWS)
    assert left(numbered(new), rows) == [(OLD.name, "id")]
    assert left(new, rows) == []
    assert left(numbered(new), decided(OLD, Action.FILTER)) == []
    assert left(numbered(replace(new, keys=())), rows) == []


def test_a_decision_for_the_column_wins_and_one_of_another_table_does_not() -> None:
    new = numbered(table("post", "id bigint!", "tag text", key=["id"]))
    rows = decided(OLD, Action.ROWS)
    assert left(new, rows, decided(OLD, Action.TRANSFORM, "id")) == []
    assert left(new, rows, decided(OTHER, Action.TRANSFORM, "id")) == [(OLD.name, "id")]
