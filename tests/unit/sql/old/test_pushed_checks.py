"""Which CHECKs of NEW OLD may compute, and what it is asked."""

from __future__ import annotations

import pytest

from support.build import table
from support.schema_pair import planned, table_plans
from tranship.model.catalog import Table
from tranship.sql.old.pushed_checks import breaking

OLD = table(
    "t", "id int!", "n int", "name varchar(20)", "code char(3)", "day date", "at timestamp", "f float8"
)
NEW = table(
    "t", "id bigint!", "n bigint", "name text", "code char(3)", "day date", "at timestamp", "f float8"
)


def asked(check: str, old: Table = OLD, new: Table = NEW) -> str | None:
    plan, _ = planned([old], [new])
    return breaking(table_plans(plan)["t"], old, new, check)


def test_what_old_is_asked() -> None:
    assert asked("(day IS NOT NULL)") == '((old."day" IS NOT NULL) IS FALSE)'
    assert asked("((f > (0)::double precision) AND (NOT (day = '2000-01-01'::date)))") == (
        '(((old."f" OPERATOR(pg_catalog.>) CAST(0 AS pg_catalog.float8)) AND'
        """ (NOT (old."day" OPERATOR(pg_catalog.=) CAST('2000-01-01' AS pg_catalog.date)))) IS FALSE)"""
    )


@pytest.mark.parametrize(
    "check",
    [
        "((n >= 0) AND (n <= 100))",
        "(n = ANY (ARRAY[(1)::bigint, (2)::bigint]))",
        "(name = ANY (ARRAY['a'::text, 'it''s'::text]))",
        "((name)::text <> ALL ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
        "((length(name) < 10) OR (name IS NULL))",
        "(day >= '2000-01-01'::date)",
        "(at < '2000-01-01 00:00:00'::timestamp without time zone)",
        "(f >= (0)::double precision)",
        "((n)::numeric > 0.5)",
        "(n <> '-1'::integer)",
    ],
)
def test_old_can_tell(check: str) -> None:
    assert asked(check) is not None


@pytest.mark.parametrize(
    "check",
    [
        "(name > 'a'::text)",
        "(code = 'abc'::bpchar)",
        "(length(code) = 3)",
        "(name ~ '^a'::text)",
        "(name ~~ 'a%'::text)",
        "((n + 1) > 0)",
        "(n > own.limit())",
        "own(n)",
        "(upper(name) = 'A'::text)",
        "(n OPERATOR(own.>) 0)",
        "((n)::smallint > 0)",
        "(at > (day)::timestamp without time zone)",
        "(day > CURRENT_DATE)",
        "(n > missing)",
        "CASE WHEN (n > 0) THEN true ELSE false END",
        "((n > 0) IS TRUE)",
        "(ROW(n, id) > ROW(1, 2))",
        "((n > 0) AND",
        "",
        "n",
        "(name COLLATE \"C\" = 'a'::text)",
        "(n > (5)::numeric(3,1))",
        "(at < '2000-01-01 00:00:00'::timestamp(0) without time zone)",
        "(n = ANY (ARRAY[]::integer[]))",
    ],
)
def test_only_new_can_tell(check: str) -> None:
    assert asked(check) is None


def test_a_column_that_only_new_computes() -> None:
    assert asked("(n > 0)", table("t", "id int!", "n text"), table("t", "id int!", "n int")) is None
