"""Asking against the truth: the same rows inserted one by one, in OLD key order,
into a copy of NEW's table.
"""

from __future__ import annotations

import json
import random

import asyncpg
import pytest

from support import MakePair
from support.asking import ask_all

_OLD = "CREATE TABLE t (id int PRIMARY KEY, a text, b int, c numeric, during int4range, up int, kind text)"
_NEW = """CREATE TABLE t (id int PRIMARY KEY, a varchar(2) NOT NULL, b smallint, c numeric(3,1) UNIQUE,
        during int4range, up int, kind text,
    CONSTRAINT b_a UNIQUE NULLS NOT DISTINCT (b, a), CONSTRAINT even CHECK (b % 2 = 0 OR kind = 'odd'),
    CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (kind = 'x'));
    CREATE UNIQUE INDEX lower_a ON t (lower(a)) WHERE kind = 'one'"""
_PARTITIONED = """CREATE TABLE t (id int, a varchar(2) NOT NULL, b smallint, c numeric(3,1), during int4range,
    up int,
kind text) PARTITION BY LIST (kind);
    CREATE TABLE t_x PARTITION OF t FOR VALUES IN ('x', NULL);
    CREATE TABLE t_o PARTITION OF t FOR VALUES IN ('odd') PARTITION BY RANGE (b);
    CREATE TABLE t_o1 PARTITION OF t_o FOR VALUES FROM (-5) TO (50); ALTER TABLE t ADD UNIQUE (kind, b)"""
_TRANSFORMS = [
    {"action": "transform", "old_column": column, "new_column": column} for column in ("a", "b", "c")
]


def _rows(chance: random.Random, count: int) -> list[tuple[object, ...]]:
    def row(n: int) -> tuple[object, ...]:
        text = chance.choice([None, "a", "A", "b", "ab ", "aB", "abc", "é", ""])
        low = chance.randrange(0, 60)
        during = chance.choice([None, f"[{low},{low + chance.randrange(1, 4)})", "empty"])
        number = chance.choice([None, chance.randrange(-6, 9), chance.randrange(0, 60), 40000])
        decimal = chance.choice(
            [None, f"{chance.randrange(0, 90)}.{chance.randrange(0, 99)}", "100.0", "NaN"]
        )
        parent = chance.choice([None, None, n, chance.randrange(0, count + 2)])
        return n, text, number, decimal, during, parent, chance.choice([None, "x", "one", "odd", "x"])

    return [row(n) for n in chance.sample(range(count), count)]


_INSERT = """INSERT INTO t SELECT r.* FROM json_to_record($1) AS r(id int, a varchar(2), b smallint,
    c numeric(3,1), during int4range,
up int, kind text)"""


async def _truth(conn: asyncpg.Connection, rows: list[tuple[object, ...]], *, self_key: bool) -> set[int]:
    """Who is refused: row by row, then whoever lacks a parent until nothing changes."""
    refused = set()
    for row in sorted(rows, key=lambda r: int(str(r[0]))):
        try:
            await conn.execute(_INSERT, _json(row))
        except asyncpg.PostgresError:
            refused.add(int(str(row[0])))
    orphans = (
        "DELETE FROM t WHERE up IS NOT NULL AND NOT EXISTS (SELECT FROM t p WHERE p.id = t.up) RETURNING id"
    )
    while self_key and (gone := await conn.fetch(orphans)):
        refused |= {record["id"] for record in gone}
    return refused


def _json(row: tuple[object, ...]) -> str:
    return json.dumps(dict(zip(("id", "a", "b", "c", "during", "up", "kind"), row, strict=True)))


@pytest.mark.parametrize(
    ("seed", "majors"),
    [(0, (15, 15)), (1, (15, 15)), (2, (15, 18)), (3, (17, 18)), (4, (17, 18)), (5, (18, 18))],
)
@pytest.mark.parametrize("partitioned", [False, True])
async def test_exactly_the_rows_that_new_refuses(
    make_pair: MakePair, seed: int, majors: tuple[int, int], partitioned: bool
) -> None:
    schema = _PARTITIONED if partitioned else _NEW
    self_key = "" if partitioned else "; ALTER TABLE t ADD CONSTRAINT up_fk FOREIGN KEY (up) REFERENCES t"
    pair = await make_pair(_OLD, schema + self_key, majors=majors)
    truth = await make_pair("", schema, majors=majors)
    rows = _rows(random.Random(seed), 60)
    async with pair.old.connect() as conn:
        await conn.execute(
            "INSERT INTO t SELECT r.* FROM json_populate_recordset(NULL::t, $1) AS r",
            f"[{','.join(map(_json, rows))}]",
        )
    async with truth.new.connect() as conn:
        expected = await _truth(conn, rows, self_key=not partitioned)
    found = await ask_all(pair, {"t": _TRANSFORMS}, batch_rows=7)
    assert not found.findings["public.t"].not_asked
    assert set(found.keys("public.t")) == expected
