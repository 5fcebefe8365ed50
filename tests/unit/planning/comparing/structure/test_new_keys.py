"""What is said of a key that only NEW has."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.build import catalog, column, table
from tranship.model.catalog import Key
from tranship.planning.comparing.compare import compare
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope

OLD = catalog(table("t", "id int"))


@pytest.mark.parametrize(("refuses_null", "said"), [(True, False), (False, True)])
def test_a_column_that_is_an_open_question_is_not_filled_by_new(refuses_null: bool, said: bool) -> None:
    number = replace(column("number int"), not_null=refuses_null)
    numbered = table("t", "id int", number)
    key = Key("t_number_key", primary=False, columns=("number",))
    new = catalog(replace(numbered, keys=(key,)))
    notes = compare(OLD, new, match(OLD, new, make_scope(OLD, new, None)[0])).notes
    assert said is any("NEW fills its columns itself" in str(one) for one in notes)
