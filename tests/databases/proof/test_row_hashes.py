"""The hash of a value: equal exactly where its text is, on both servers, whatever the type of the column became."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import MakePair
from support.runs import migrate, verify
from tranship.model.digest import HashForm, RowHash
from tranship.model.names import TableName
from tranship.model.types import PgType
from tranship.sql.digest import Value, hashed

EDGES = {
    "int2": ("-32768", "-1", "0", "1", "256", "32767"),
    "int4": ("-2147483648", "-65536", "-1", "0", "1", "65536", "2147483647"),
    # Pairs whose halves give the same under XOR, as the server's own hash of int8 folds them.
    "int8": (
        "-9223372036854775808",
        "-4294967296",
        "-1",
        "0",
        "1",
        "4294967296",
        "4294967297",
        "9223372036854775807",
    ),
    "bool": ("false", "true"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001"),
    "date": ("-infinity", "0044-03-15 BC", "0044-03-15", "2000-01-01", "5874897-12-31", "infinity"),
    "timestamp": (
        "-infinity",
        "2000-01-01",
        "2000-01-01 00:00:00.000001",
        "2000-01-01 01:11:34.967296",
        "294276-12-31",
    ),
    "timestamptz": (
        "2000-01-01 00:00+00",
        "2000-01-01 00:00+01",
        "2000-01-01 01:11:34.967296+00",
        "infinity",
    ),
    "numeric": ("0", "0.0", "1", "-1", "1.0", "100", "NaN"),
    "float8": ("0", "-0", "1", "NaN"),
    "text": ("", " ", "a", "A", "1"),
}


def of_type(name: str) -> PgType:
    """A built-in type."""
    return PgType(text=f"pg_catalog.{name}", base=f"pg_catalog.{name}", name=TableName("pg_catalog", name))


@pytest.mark.parametrize("name", EDGES)
async def test_hashes_are_equal_where_texts_are(name: str, make_pair: MakePair) -> None:
    pair = await make_pair()
    found = []
    for side, zone in ((pair.old, "America/New_York"), (pair.new, "Asia/Kolkata")):
        async with side.connect() as conn:
            await conn.execute(f"SET TimeZone = '{zone}'; SET extra_float_digits = 3")
            form = HashForm(RowHash.NATIVE)
            row = hashed([Value("v.value", of_type(name)), Value("v.value", of_type(name))], form)
            values = f"unnest($1::text[]) AS sent (text), LATERAL (SELECT sent.text::{name}) AS v (value)"
            found.append(
                [r[0] for r in await conn.fetch(f"SELECT {row} FROM {values}", [*EDGES[name], None])]
            )
    assert found[0] == found[1]
    assert len(set(found[0])) == len(EDGES[name]) + 1


async def test_a_row_whose_values_are_exchanged_has_another_hash(make_pair: MakePair) -> None:
    pair = await make_pair()
    kinds = [of_type("int4"), of_type("int4"), of_type("text"), of_type("text")]
    row = hashed(
        [Value(f"v.{c}", kind) for c, kind in zip("abcd", kinds, strict=True)], HashForm(RowHash.NATIVE)
    )
    rows = "(1,2,'x','y'), (2,1,'x','y'), (1,2,'y','x'), (1,NULL,'x','y'), (NULL,1,'x','y'), (NULL,NULL,NULL,''), (0,0,'',NULL)"
    async with pair.new.connect() as conn:
        found = [r[0] for r in await conn.fetch(f"SELECT {row} FROM (VALUES {rows}) AS v(a, b, c, d)")]
    assert len(set(found)) == len(found)


OLD = """
CREATE TABLE t (id int PRIMARY KEY, small smallint, large bigint, yes boolean, u uuid, at timestamp, n numeric, w text, f float8);
INSERT INTO t SELECT g, g, g, g % 2 = 0, md5(g::text)::uuid, timestamp '2024-01-01' + g * interval '1 hour', g, g, g
FROM generate_series(-50, 50) g;
"""
CHANGES = (
    "ALTER id TYPE bigint, ALTER small TYPE int, ALTER large TYPE smallint",
    "ALTER id TYPE text, ALTER small TYPE numeric, ALTER large TYPE text",
    "ALTER yes TYPE text, ALTER u TYPE text",
    "ALTER n TYPE bigint, ALTER w TYPE int USING w::int, ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC'",
    "ALTER n TYPE text, ALTER w TYPE varchar(20)",
)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_type_that_was_changed_since_is_no_difference(
    change: str, make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, OLD.partition(";")[0])
    assert (await migrate(pair, tmp_path)).exit_status == 0
    await pair.new.run(f"ALTER TABLE t {change}")
    assert (await verify(pair, tmp_path)).status == "verified"
    await pair.new.run(
        "UPDATE t SET small = '7' WHERE small::text = '5'; UPDATE t SET yes = 'true' WHERE id::text = '7'"
    )
    result = await verify(pair, tmp_path)
    assert (result.status, result.exit_status) == ("differs", 5)
    assert {one.columns for table in result.tables for one in table.differences} == {("small",), ("yes",)}
