"""Every kind of object that the catalog query names has its kinds of change."""

from __future__ import annotations

import re

import pytest

from tranship.model.change_kind import ChangeKind
from tranship.sql.queries import query

KINDS = sorted(set(re.findall(r"(?:oid, )'([a-z ]+)'(?: as kind)?", query("catalog_other_objects"))))


def test_the_query_names_kinds() -> None:
    assert {"extended statistics", "cast", "operator class"} <= set(KINDS)
    assert len(KINDS) == 15


@pytest.mark.parametrize("how", ["added", "differs", "removed"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_object_has_its_kinds_of_change(kind: str, how: str) -> None:
    assert ChangeKind(f"{kind.replace(' ', '_')}_{how}")
