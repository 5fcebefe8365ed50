"""Kinds of change that are composed of a word and an ending exist for every word."""

from __future__ import annotations

import re

import pytest

from tranship.model.change_kind import ChangeKind
from tranship.sql.queries import query

OTHERS = re.findall(r"::regclass, o\.oid, '([a-z ]+)'", query("catalog_other_objects"))


@pytest.mark.parametrize("word", [*OTHERS, "view", "materialized view", "foreign table"])
@pytest.mark.parametrize("ending", ["added", "removed", "differs"])
def test_every_object_has_its_kinds_of_change(word: str, ending: str) -> None:
    assert len(OTHERS) == 14
    assert ChangeKind(f"{word.replace(' ', '_')}_{ending}")
