"""Every way to answer that is offered is one that the check of entries takes."""

from __future__ import annotations

import pytest

from tranship.model.expression import Conversion, Rule
from tranship.model.resolution import Action
from tranship.planning.deciding.choices import Asked, choices
from tranship.planning.deciding.resolve.words import fields_of


@pytest.mark.parametrize(
    "asked",
    [
        Asked("a", "b"),
        Asked("a", "b", joined=True),
        Asked("a"),
        Asked("a", "SPECIFY_NEW_COLUMN_NAME"),
        Asked(None, "b"),
        Asked(),
        Asked(pattern=True),
    ],
)
def test_each_choice_asks_for_fields_that_its_action_takes(asked: Asked) -> None:
    offered = choices(asked)
    assert offered
    for choice in offered:
        assert {field.name for field in choice.fields} <= fields_of(choice.action)
    assert len({(one.name, one.action) for one in offered}) == len(offered)


def test_a_question_about_a_table_takes_no_expression() -> None:
    assert [one.action for one in choices(Asked())] == [Action.DROP_TABLE, Action.RENAME_TABLE]


def test_a_value_of_several_columns_is_no_rename() -> None:
    assert [one.name for one in choices(Asked("first", "full", joined=True))] == ["expression", "lookup"]


@pytest.mark.parametrize("required", [False, True])
def test_every_question_about_an_old_column_that_vanishes_offers_to_leave_it_behind(required: bool) -> None:
    """What fills the new column then is a question of its own, which `resolve generate` adds."""
    expression_only = Conversion(Rule.NEW_INPUT, automatic=False, bare=False)
    for conversion in (None, expression_only):
        asked = Asked("a", "b", conversion=conversion, required=required)
        (choice,) = [one for one in choices(asked) if one.action is Action.IGNORE]
        assert ("resolve generate" in choice.does) is required


def test_a_column_that_has_its_counterpart_is_not_left_behind_where_new_needs_a_value() -> None:
    paired = Asked("a", "a", paired=True, required=True)
    assert Action.IGNORE not in [one.action for one in choices(paired)]


def test_an_action_is_named_behind_a_choice_only_where_it_is_another_word() -> None:
    titles = [one.title for one in choices(Asked("a"))]
    assert titles[:3] == ["leave behind (ignore)", "rename", "convert (transform)"]
