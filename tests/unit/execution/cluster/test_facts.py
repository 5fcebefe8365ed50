"""A worker copies for a run only if nothing tells it from the coordinator."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tranship.execution.cluster.facts import Facts

MINE = Facts("1.2.3", 2, "71/5", "72/5", "reader", "writer")


@pytest.mark.parametrize(
    ("field", "other", "said"),
    [
        ("version", "1.2.4", "it has tranship 1.2.4, this run 1.2.3"),
        ("format", 3, "it writes journal format 3, this run 2"),
        ("old", "71/6", "its OLD is another database"),
        ("new", "73/5", "its NEW is another database"),
        ("old_role", "postgres", "its role in OLD is postgres, not reader"),
        ("new_role", "postgres", "its role in NEW is postgres, not writer"),
    ],
)
def test_each_difference_is_told(field: str, other: object, said: str) -> None:
    assert said in MINE.unlike(replace(MINE, **{field: other}))
    assert said not in MINE.unlike(MINE)


def test_a_worker_like_the_coordinator_differs_in_nothing() -> None:
    assert MINE.unlike(Facts("1.2.3", 2, "71/5", "72/5", "reader", "writer")) == ""
