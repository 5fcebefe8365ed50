"""What the judgements of type pairs promise, held against real servers: every pair of types,
values at their extremes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from support import Database, MakePair
from tranship.model.catalog import Catalog, Table
from tranship.model.expression import Conversion, Loss, Rule, Take
from tranship.model.names import TableName
from tranship.model.plan import ColumnMapping, Origin, TablePlan
from tranship.planning.types.conversion import convert
from tranship.server.catalog import read_catalog
from tranship.sql.expression import compile_text

SAMPLES = {
    "smallint": ["-32768", "0", "32767"],
    "integer": ["-2147483648", "16777217", "2147483647", "7"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "9007199254740993", "1"],
    "numeric": ["NaN", "Infinity", "1.50", "123456789012345678901234567890.123", "-0.0001", "2.5"],
    "numeric(10,2)": ["12345678.91", "NaN", "-0.01", "2.50"],
    "numeric(12,2)": ["1234567890.91"],
    "numeric(19,0)": ["9999999999999999999"],
    "numeric(3,-2)": ["99900"],
    "real": ["NaN", "Infinity", "1.1", "3.4028235e38", "1e-45", "-0"],
    "double precision": [
        "NaN",
        "-Infinity",
        "0.1",
        "1.7976931348623157e308",
        "5e-324",
        "0.30000000000000004",
        "2.5",
    ],
    "boolean": ["t", "f"],
    "text": ["", "a", "12", "2024-01-02", "  x ", "true", "{1,2}"],
    "varchar": ["", "abc  ", "3"],
    "varchar(5)": ["abcde", "ab", "  "],
    "varchar(20)": ["xxxxxxxxxxxxxxxxxxxx", "2024-01-01"],
    "char(5)": ["ab", "", "abcde"],
    "char(8)": ["ab"],
    "bytea": ["\\x00ff", "\\x"],
    "date": ["-infinity", "4714-11-24 BC", "2024-02-29", "5874897-12-31"],
    "timestamp": [
        "infinity",
        "294275-12-31 23:59:59.999999",
        "2024-01-01 12:34:56.5",
        "4713-01-01 00:00:00 BC",
    ],
    "timestamp(0)": ["2024-01-01 12:34:56"],
    "timestamptz": ["infinity", "2024-07-01 12:00:00+02", "294275-12-31 23:59:59.999999+00"],
    "time": ["24:00:00", "12:34:56.789", "00:00:00"],
    "time(0)": ["12:34:56"],
    "timetz": ["12:00:00+02", "24:00:00-15:59"],
    "interval": ["1 mon -30 days +00:00:01.5", "-178000000 years"],
    "interval(0)": ["1 day"],
    "interval year to month": ["1 year 2 mons"],
    "bit(3)": ["101"],
    "bit(8)": ["10101010"],
    "varbit": ["", "1010101011"],
    "varbit(8)": ["10101010"],
    "json": ['{"b": 1,  "a":2, "a":3}', "1"],
    "jsonb": ['{"a": 1}', "null"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "inet": ["1.2.3.4", "10.0.0.1/8", "::1"],
    "cidr": ["10.0.0.0/8"],
    "macaddr": ["08:00:2b:01:02:03"],
    "macaddr8": ["08:00:2b:ff:fe:01:02:03", "08:00:2b:01:02:03:04:05"],
    "oid": ["4294967295", "1"],
    "int4range": ["[1,5)", "empty"],
    "int8range": ["[1,9223372036854775807)"],
    "numrange": ["(1.5,2)"],
    "daterange": ["[2024-01-01,2024-02-01)"],
    "smallint[]": ["{1,NULL}"],
    "integer[]": ["{1,NULL,3}", "[0:1]={1,2}"],
    "bigint[]": ["{9223372036854775807}"],
    "text[]": ['{a,NULL,"b c"}'],
    "boolean[]": ["{t,f}"],
    "varchar(3)[]": ["{abc}"],
    "varchar(9)[]": ["{abcdefghi}"],
    "char(3)[]": ["{ab}"],
    "numeric[]": ["{1.5,NaN}"],
    "date[]": ["{2024-01-01}"],
    "timestamp[]": ["{2024-01-01}"],
    "point": ["(1,2)"],
    "box[]": ["{(1,1),(0,0);(2,2),(1,1)}"],
    "mood": ["sad", "ok"],
    "happy": ["ok", "joy"],
    "short": ["ab"],
    "even": ["2"],
    "couple": ["(1,a)"],
}
TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE happy AS ENUM ('sad', 'ok', 'joy');
CREATE DOMAIN short AS varchar(3);
CREATE DOMAIN even AS integer CHECK (VALUE % 2 = 0); CREATE TYPE couple AS (a integer, b varchar(4));
"""
NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


def schema(*, filled: bool) -> str:
    script = [TYPES]
    for n, (type_, values) in enumerate(SAMPLES.items()):
        script.append(f"CREATE TABLE t{n} (c {type_});")
        if filled:
            script += [f"INSERT INTO t{n} VALUES ($v${value}$v$);" for value in values]
    return "\n".join(script)


@asynccontextmanager
async def session(database: Database) -> AsyncIterator[tuple[Any, Catalog]]:
    async with database.connect() as conn:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            catalog = await read_catalog(conn, ("public",))
        await conn.execute(
            "SET extra_float_digits = 1; SET lc_monetary = 'C'; SET DateStyle = 'ISO, MDY';"
            " SET TimeZone = 'America/New_York'"
        )
        yield conn, catalog


def of(catalog: Catalog, number: int) -> Table:
    found = catalog.table(TableName("public", f"t{number}"))
    assert found is not None
    return found


async def refusals(conn: Any, number: int, texts: list[str]) -> tuple[list[str], list[str]]:
    """What NEW's input refuses, and what arrives of the rest."""
    refused, arrived = [], []
    for text in texts:
        quoted = text.replace("'", "''").replace("\\", "\\\\")
        try:
            # The value as a bare literal, as COPY gives it to the column's input function.
            row = await conn.fetchval(f"INSERT INTO t{number} VALUES (E'{quoted}') RETURNING c::text")
        except asyncpg.PostgresError as error:
            refused.append(f"{text!r}: {error}")
        else:
            arrived.append(row)
    return refused, arrived


def numbers_kept(old: str, new: str, sent: list[str], arrived: list[str]) -> bool:
    # A real keeps its bits as a double; their shortest decimals differ.
    if (
        not (old.startswith(NUMBERS) and new.startswith(NUMBERS))
        or "[" in old
        or (old, new) == ("real", "double precision")
    ):
        return True
    pairs = [(Decimal(a), Decimal(b)) for a, b in zip(sent, arrived, strict=True)]
    return all(a == b or (a.is_nan() and b.is_nan()) for a, b in pairs)


@pytest.mark.parametrize("majors", [(15, 18), (17, 17)])
async def test_promises_hold_on_real_servers(make_pair: MakePair, majors: tuple[int, int]) -> None:
    pair = await make_pair(schema(filled=True), schema(filled=False), majors=majors)
    broken: list[str] = []
    async with session(pair.old) as (old_conn, old), session(pair.new) as (new_conn, new):
        for n, old_type in enumerate(SAMPLES):
            for m, new_type in enumerate(SAMPLES):
                before, after = of(old, n), of(new, m)
                judged = convert(
                    before.columns[0].type,
                    after.columns[0].type,
                    old_version=old.server_version,
                    new_version=new.server_version,
                )
                if judged.bare:
                    broken += [
                        f"{old_type} → {new_type}: {told}"
                        for told in await _check(old_conn, new_conn, before, after, judged, (n, m))
                    ]
    assert not broken, "\n".join(broken)


async def _check(
    old_conn: Any, new_conn: Any, before: Table, after: Table, judged: Conversion, places: tuple[int, int]
) -> list[str]:
    n, m = places
    mapping = ColumnMapping(
        column="c", type=after.columns[0].type, expression=Take("c", judged), origin=Origin.RULE
    )
    plan = TablePlan(
        old=before.name, new=after.name, columns=(mapping,), key=(), sources=(), zone="America/New_York"
    )
    # Wall-clock times next to the end of what timestamps reach have no place in every zone.
    within = "WHERE c < '294276-01-01'" if judged.rule is Rule.ZONE else ""
    try:
        rows = await old_conn.fetch(
            f"SELECT {compile_text(plan, 0, before)}, c::text FROM t{n} AS old {within}"
        )
    except asyncpg.PostgresError as error:
        return [f"OLD cannot compute it: {error}"]
    refused, arrived = await refusals(new_conn, m, [row[0] for row in rows])
    if refused and not judged.fallible:
        return [f"refused though it cannot fail: {told}" for told in refused]
    lossless = judged.automatic and judged.loss is Loss.NONE and not refused
    if lossless and not numbers_kept(
        before.columns[0].type.base, after.columns[0].type.base, [row[1] for row in rows], arrived
    ):
        return [f"values changed: {[row[1] for row in rows]} became {arrived}"]
    if lossless and after.columns[0].type.base == "text" and [row[1] for row in rows] != arrived:
        return [f"text differs: {[row[1] for row in rows]} became {arrived}"]
    return []
