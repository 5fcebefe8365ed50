"""Names in printed expressions."""

from __future__ import annotations

import pytest

from tranship.planning.printed.names import with_columns


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("(a * b)", "(old.a * b)"),
        ("(\"A b\" || 'a')", "(old.\"A b\" || 'a')"),
        ("a(a)", "a(old.a)"),
        ("(b)::a", "(b)::a"),
        ("'it''s a'", "'it''s a'"),
    ],
)
def test_columns_are_written_in_another_way(expression: str, text: str) -> None:
    assert with_columns(expression, {"a": "old.a", "A b": 'old."A b"'}) == text
