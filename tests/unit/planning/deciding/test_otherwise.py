"""Which texts a type takes although they may have meant something else."""

from __future__ import annotations

import pytest

from support.build import pg_type
from tranship.planning.deciding.otherwise import reads_as_another, says_another

TEXT = pg_type("text")


@pytest.mark.parametrize(
    ("new", "others", "same"),
    [
        ("integer", ["007", "-01", " 00 "], ["7", "0", "10", "-7", ""]),
        ("numeric", ["0123"], ["0.5", "12.50"]),
        ("date", ["03/04/2024", "4.3.2024", "20240304"], ["2024-03-04", "2024-3-4 10:00", " "]),
        (
            "timestamp without time zone",
            ["2024-03-31 02:30:00-07", "2024-03-31T02:30Z"],
            ["2024-03-31 02:30:00.5"],
        ),
        ("timestamp with time zone", ["31/03/2024 02:30"], ["2024-03-31 02:30:00-07", "2024-03-31 02:30"]),
    ],
)
def test_what_may_have_meant_something_else(new: str, others: list[str], same: list[str]) -> None:
    doubted = reads_as_another(TEXT, pg_type(new))
    assert doubted is not None
    assert [text for text in (*others, *same) if doubted(text)] == others
    assert says_another(1, pg_type(new)).startswith("1 row holds") and "rows hold" in says_another(
        2, pg_type(new)
    )


@pytest.mark.parametrize(("old", "new"), [("integer", "date"), ("text", "jsonb"), ("text", "boolean")])
def test_other_types_have_one_reading(old: str, new: str) -> None:
    assert reads_as_another(pg_type(old), pg_type(new)) is None
