"""Which expressions take every value."""

import pytest

from tranship.planning.printed.may_raise import may_raise

TOTAL = (
    "lower(name)",
    "lower((email)::text)",
    "lower(TRIM(BOTH FROM email))",
    "concat_ws(' '::text, first, initcap(last))",
    "COALESCE(a, 'x-y'::text)",
    "(data ->> 'n'::text)",
    "((first || ' '::text) || last)",
    "to_tsvector('english'::regconfig, body)",
    "(deleted_at IS NULL)",
    "((state)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
    '"Lower(x)/2"',
    "(a >= 0)",
)
RAISING = (
    "(10 / a)",
    "((data ->> 'n'::text))::integer",
    "public.f(a)",
    "abs(a)",
    "(- a)",
    "(s)::character varying(3)",
    "date_trunc('day'::text, at)",
    "(a OPERATOR(public.=) b)",
)


@pytest.mark.parametrize("expression", TOTAL)
def test_total(expression: str) -> None:
    assert not may_raise(expression)


@pytest.mark.parametrize("expression", RAISING)
def test_raising(expression: str) -> None:
    assert may_raise(expression)
