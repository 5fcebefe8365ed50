"""Values that a conversion accepts and changes: each row that loses something is counted,
whatever the value is wrapped in.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from support import MakePair
from support.asking import ask_all, transform

SPANS = """(1, '2 years 5 mons 9 days 11:22:33.444'), (2, '1 mon -30 days'), (3, '40:00:00'), (4, '70 days'),
        (5, '3 years'), (6, NULL)"""


async def counted(
    make_pair: MakePair,
    before: str,
    after: str,
    rows: str,
    *,
    types: tuple[str, str] = ("", ""),
    column: str = "v",
) -> dict[str, int]:
    pair = await make_pair(
        f"{types[0]}; CREATE TABLE t (id int PRIMARY KEY, v {before}); INSERT INTO t VALUES {rows}",
        f"{types[1]}; CREATE TABLE t (id int PRIMARY KEY, v {after})",
        template=False,
    )
    findings = (await ask_all(pair, {"t": [transform(column)]})).findings["public.t"]
    return {loss.loss: loss.rows for loss in findings.losses}


@pytest.mark.parametrize(
    ("after", "losses"),
    [
        ("interval second(0)", {"rounded": 1}),
        ("interval hour to second(2)", {"rounded": 1}),
        ("interval(3)", {}),
        ("interval minute", {"smaller units dropped": 1}),
        ("interval day to hour", {"smaller units dropped": 1}),
        ("interval day", {"smaller units dropped": 2}),
        ("interval month", {"smaller units dropped": 4}),
        ("interval year", {"smaller units dropped": 4}),
    ],
)
async def test_intervals(make_pair: MakePair, after: str, losses: dict[str, int]) -> None:
    assert await counted(make_pair, "interval", after, SPANS) == losses


async def test_infinite_intervals_lose_nothing(make_pair: MakePair) -> None:
    assert await counted(make_pair, "interval", "interval year", "(1, 'infinity'), (2, '1 day')") == {
        "smaller units dropped": 1
    }


@pytest.mark.parametrize(
    ("before", "after", "rows", "losses"),
    [
        ("numeric[]", "numeric(5,1)[]", ["{1.25,2}", "{{3.0},{4.10}}", "{}", "{5.55,NULL}", None],
         {"rounded": 2}),
        ("timestamp[]", "timestamp(0)[]", ["{2021-02-03 04:05:06.7}", "{2021-02-03}"], {"rounded": 1}),
        ("interval[]", "interval day[]", ["{1 day 1 hour}", "{1 day}"], {"smaller units dropped": 1}),
        ("varchar[]", "varchar(3)[]", ["{abc,\"de    \"}", "{abc}"], {"trailing spaces cut": 1}),
        ("float8[]", "float4[]", ["{0.1}", "{0.5,NULL}"], {"not exactly representable": 1}),
        ("numrange", "nr", ["[1.25,2]", "[1,2)", "empty", "(,3.14)"], {"rounded": 2}),
        ("numeric", "money", ["1.239", "2", "-3.50", None], {"rounded": 1}),
        ("money", "numeric(9,1)", ["1.25", "2.50"], {"rounded": 1}),
        ("integer", "boolean", ["0", "1", "5", None], {"number became true": 1}),
        ("time", "interval(0)", ["10:00:00.4", "10:00:00"], {"rounded": 1}),
        ("json", "varchar(4)", ["{}   ", "[1]"], {"trailing spaces cut": 1}),
        ("timestamp", "timestamp(0)", ["294276-12-31 23:59:59.999999", "infinity", "2020-01-01 00:00:00.5"],
         {"rounded": 1}),
    ],
)  # fmt: skip
async def test_arrays_ranges_and_money(
    make_pair: MakePair, before: str, after: str, rows: Sequence[str | None], losses: dict[str, int]
) -> None:
    values = ", ".join(
        f"({n}, {f'{chr(39)}{row}{chr(39)}' if row is not None else 'NULL'})" for n, row in enumerate(rows)
    )
    types = ("", "CREATE DOMAIN tenth AS numeric(9,1); CREATE TYPE nr AS RANGE (SUBTYPE = tenth)")
    assert await counted(make_pair, before, after, values, types=types) == losses


async def test_domains_and_composites_within_each_other(make_pair: MakePair) -> None:
    def types(scale: str, precision: str) -> str:
        return f"""CREATE DOMAIN amount AS numeric{scale}; CREATE DOMAIN amounts AS amount[];
            CREATE TYPE entry AS (what text, price amount, at time{precision});
            CREATE TYPE bill AS (id int, lines entry[], extra amounts)"""

    rows = """(1, ROW(1, ARRAY[ROW('a', 1.005, '10:00'), ROW('b', 2, '11:00:00.5')]::entry[], '{}')),
        (2, ROW(2, ARRAY[ROW('a', 1.5, '10:00')]::entry[], '{0.001}')), (3, ROW(3, NULL, '{7}')), (4, NULL)"""
    both = (types("", ""), types("(9,2)", "(0)"))
    assert await counted(make_pair, "bill", "bill", rows, types=both) == {"rounded": 2}


@pytest.mark.parametrize(
    ("after", "rows", "losses"),
    [
        ("numeric(6,2)", ["1.239", "1.5e-3", " 2.50 ", "NaN", "12"], {"rounded": 2}),
        ("numeric(3,-2)", ["150", "200"], {"rounded": 1}),
        ("real", ["0.1", "0.5", "16777217", "1e-60"], {"not exactly representable": 1}),
        ("money", ["1.239", "$2.00", "3"], {"rounded": 1}),
        ("date", ["2024-01-02 10:00", "2024-01-02 00:00:00+05:30", "2024-01-02", "infinity"], {"time of day dropped": 1}),
        ("timestamp(0)", ["2024-01-02 10:00:00.5", "2024-01-02 10:00:00.000", "02.01.2024"],
         {"rounded": 1, "day and month read by NEW's DateStyle": 1}),
        ("timestamp", ["2024-01-02 10:00:00.1234567", "2024-01-02 10:00:00.123456"], {"rounded": 1}),
        ("time(3)", ["10:00:00.1234", "10:00"], {"rounded": 1}),
        ("interval(0)", ["1.5 hours", "00:00:01.5", "2.25", "1 mon"], {"rounded": 2}),
        ("char(5)", ["ab ", "ab"], {"trailing spaces cut": 1}),
    ],
)  # fmt: skip
async def test_what_a_type_does_not_keep_of_a_text_is_counted_by_its_shape(
    make_pair: MakePair, after: str, rows: Sequence[str], losses: dict[str, int]
) -> None:
    values = ", ".join(f"({n}, '{row}')" for n, row in enumerate(rows))
    assert await counted(make_pair, "text", after, values) == losses
