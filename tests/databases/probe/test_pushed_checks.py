"""CHECKs that OLD computes: they reject exactly the rows that NEW refuses, and no other row is sent to NEW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from support import MakePair
from support.asking import ask_all, transform
from tranship.execution.probe import faults
from tranship.execution.probe.typed_rows import ask

COLUMNS = """id int PRIMARY KEY, n int, big bigint, amount numeric(12,2), ratio float8, ok boolean, name varchar(20),
    note text, day date, at timestamp, moment timestamptz"""
ROWS = """
    INSERT INTO t VALUES
    (1, 0, 0, 0, 0, true, '', '', '2020-01-01', '2020-01-01', '2020-01-01 00:00+00'),
    (2, 1, -1, 0.01, 'NaN', false, 'new', 'New', '1999-12-31', '1999-12-31 23:59:59.999999', '2019-12-31 23:59+00'),
    (3, -1, 9223372036854775807, 'NaN', 'Infinity', NULL, 'new ', 'it''s', 'infinity', '-infinity', 'infinity'),
    (4, 100, 5, -0.00, '-0', true, 'ääääää', E'a\\\\b', '0044-03-15 BC', '2020-06-01', '2020-01-01 02:00+02'),
    (5, 99, 6, 99.99, '-Infinity', false, 'paid', NULL, '2020-02-29', '2020-01-01 00:00:01', NULL),
    (6, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""
CHECKS = (
    "n > 0",
    "n >= 0 AND n < 100",
    "n BETWEEN -1 AND 1 OR n IS NULL",
    "NOT (n = 100)",
    "n <> ALL (ARRAY[1, 100])",
    "n IN (0, 1, 99)",
    "big < 9223372036854775807 AND big > -2",
    "n > 0.5",
    "amount > 0",
    "amount <> 'NaN'",
    "ratio >= 0",
    "ratio < 'Infinity'",
    "ok",
    "ok = true OR n > 1",
    "name IN ('new', 'paid', '')",
    "name <> 'new'",
    "length(name) <= 4",
    "char_length(note) < 4 AND note IS NOT NULL",
    "note = 'it''s' OR note <> 'a\\b'",
    "day >= '2000-01-01'",
    "at >= '2020-01-01' AND at < '2021-01-01 00:00:00.5'",
    "moment >= '2020-01-01 00:00+00'",
    "day IS NOT NULL AND n > big",
)


@pytest.mark.parametrize("check", CHECKS)
async def test_as_new_says(make_pair: MakePair, check: str) -> None:
    pair = await make_pair(
        f"CREATE TABLE t ({COLUMNS}); {ROWS}",
        f"CREATE TABLE t ({COLUMNS}, CONSTRAINT pushed CHECK ({check}))",
    )
    refused = []
    async with pair.old.connect() as old, pair.new.connect() as new:
        for row in await old.fetch("SELECT t.id, t.*::text AS whole FROM t ORDER BY id"):
            transaction = new.transaction()
            await transaction.start()
            try:
                await new.execute("INSERT INTO t SELECT (CAST($1::text AS t)).*", row["whole"])
            except asyncpg.CheckViolationError:
                refused.append(row["id"])
            finally:
                await transaction.rollback()
    assert (await ask_all(pair)).keys("public.t") == refused


async def test_rows_that_keep_the_check_stay_on_old(
    make_pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    async def counted(reader: Any, question: str, rows: Sequence[Any]) -> Any:
        sent.append(len(rows))
        return await ask(reader, question, rows)

    monkeypatch.setattr(faults, "ask", counted)
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, qty int); INSERT INTO t SELECT n, n - 3 FROM generate_series(1, 5000) n",
        "CREATE TABLE t (id bigint PRIMARY KEY, qty bigint CONSTRAINT positive CHECK (qty > 0))",
    )
    found = await ask_all(pair)
    assert found.keys("public.t") == [1, 2, 3]
    assert sent == [3]


@pytest.mark.parametrize(
    ("expression", "refused"),
    [("old.at AT TIME ZONE 'UTC'", []), ("old.at AT TIME ZONE old.zone", [2])],
)
async def test_sql_of_news_own_type(make_pair: MakePair, expression: str, refused: list[int]) -> None:
    pair = await make_pair(
        """CREATE TABLE t (id int PRIMARY KEY, at timestamp, zone text);
            INSERT INTO t VALUES (1, '2020-01-01', 'UTC'), (2, '2020-01-01', 'Nowhere/Land'), (3, NULL, NULL)""",
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, zone text)",
    )
    found = await ask_all(pair, {"t": [transform("at", transform_sql=expression)]})
    assert found.keys("public.t") == refused
