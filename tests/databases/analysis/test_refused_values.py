"""Which values NEW would refuse is asked of NEW before an answer is suggested, whatever the pair of types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support import Database, MakePair
from tranship.analysis.evidence import gather
from tranship.analysis.sides import Connections
from tranship.codec import encode
from tranship.model.catalog import Catalog
from tranship.planning.deciding.resolve.words import SPECIFY_ACTION
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope
from tranship.server.catalog import read_catalog

TYPES = (
    """CREATE TYPE mood AS ENUM ('calm', 'loud'); CREATE DOMAIN plz AS text CHECK (VALUE ~ '^[0-9]{5}$');"""
)


async def _read(database: Database) -> Catalog:
    async with database.connect() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await read_catalog(conn, None)


async def entry(make_pair: MakePair, before: str, after: str, values: list[str | None]) -> dict[str, Any]:
    """The suggested entry for a column with these values."""
    rows = ", ".join(
        f"({n}, {'NULL' if value is None else chr(39) + value + chr(39)})" for n, value in enumerate(values)
    )
    pair = await make_pair(
        f"CREATE TABLE t (id int PRIMARY KEY, v {before}); INSERT INTO t VALUES {rows}",
        f"{TYPES} CREATE TABLE t (id int PRIMARY KEY, v {after})",
        template=False,
    )
    old, new = await _read(pair.old), await _read(pair.new)
    scope, _ = make_scope(old, new, None)
    async with pair.old.connect() as old_conn, pair.new.connect() as new_conn:
        evidence = await gather(Connections(old_conn, new_conn), old, new, scope, probe_seconds=30)
    assert evidence.not_asked == ()
    made = suggest(old, new, scope, evidence)
    (found,) = json.loads(encode(made.document))["resolutions"]["t"]
    return dict(found)


@pytest.mark.parametrize(
    ("before", "after", "values", "told"),
    [
        ("text", "timestamptz", ["2022-02-30 00:00", "2022-02-03 10:00", "2022-02-03 10:00"],
         "1 row holds a value that timestamp with time zone refuses (1 of 2 values): '2022-02-30 00:00'"),
        ("varchar(30)", "timestamp", ["never", "never", "2022-02-03"],
         "2 rows hold values that timestamp without time zone refuses (1 of 2 values): 'never'"),
        ("text", "time", ["25:00", "10:00"],
         "1 row holds a value that time without time zone refuses (1 of 2 values): '25:00'"),
        ("text", "interval", ["soon", "1 day"],
         "1 row holds a value that interval refuses (1 of 2 values): 'soon'"),
        ("text", "uuid", ["x", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
         "1 row holds a value that uuid refuses (1 of 2 values): 'x'"),
        ("text", "inet", ["10.0.0.300", "10.0.0.3"],
         "1 row holds a value that inet refuses (1 of 2 values): '10.0.0.300'"),
        ("text", "macaddr", ["x", "08:00:2b:01:02:03"],
         "1 row holds a value that macaddr refuses (1 of 2 values): 'x'"),
        ("text", "int4range", ["1-2", "[1,2)"],
         "1 row holds a value that int4range refuses (1 of 2 values): '1-2'"),
        ("text", "jsonb", ["{a}", "{}"],
         "1 row holds a value that jsonb refuses (1 of 2 values): '{a}'"),
        ("text", "plz", ["1234", "12345"],
         "1 row holds a value that public.plz refuses (1 of 2 values): '1234'"),
        ("money", "numeric(9,2)", ["12345678.00", "5.25", "-9999999.99", None],
         "1 row holds a value that numeric(9,2) refuses (1 of 3 values): '12345678.00'"),
        ("numeric", "money", ["1e30", "1"],
         "1 row holds a value that money refuses (1 of 2 values): '1000000000000000000000000000000'"),
        ("float8", "numeric(3,1)", ["99.96", "NaN", "5"],
         "1 row holds a value that numeric(3,1) refuses (1 of 3 values): '99.96'"),
        ("inet", "cidr", ["10.0.0.1/8", "10.0.0.0/8"],
         "1 row holds a value that cidr refuses (1 of 2 values): '10.0.0.1/8'"),
        ("json", "jsonb", ["[1e200000]", "{}"],
         "1 row holds a value that jsonb refuses (1 of 2 values): '[1e200000]'"),
    ],
)  # fmt: skip
async def test_some_are_refused(
    make_pair: MakePair, before: str, after: str, values: list[str | None], told: str
) -> None:
    """The bare conversion is suggested and not filled in; of dates those alone that are written year first."""
    found = await entry(make_pair, before, after, values)
    assert told in found["_evidence"], found["_evidence"]
    assert found["action"] == SPECIFY_ACTION
    suggested = found["_suggestion"]
    assert suggested["action"] == "transform" and "value_mapping" not in suggested
    assert suggested.get("transform_sql", "").endswith("ELSE 'not YYYY-MM-DD: ' || old.v END") is (
        (before, after) == ("varchar(30)", "timestamp")
    )


@pytest.mark.parametrize(
    ("before", "after", "values"),
    [
        ("text", "timestamp", ["2022-02-03 10:00", "2022-02-03 10:00:05.123"]),
        ("money", "numeric(9,2)", ["5.25", None]),
        ("text", "interval", ["1 day", "2 hours"]),
    ],
)
async def test_none_is_refused(
    make_pair: MakePair, before: str, after: str, values: list[str | None]
) -> None:
    found = await entry(make_pair, before, after, values)
    assert found["action"] == "transform" and not any("refuses" in told for told in found["_evidence"])


async def test_a_placeholder_becomes_null(make_pair: MakePair) -> None:
    values: list[str | None] = ["0000-00-00", "0000-00-00", "2022-02-03"]
    found = await entry(make_pair, "text", "timestamptz", values)
    assert (
        "2 rows hold values that timestamp with time zone refuses (1 of 2 values): '0000-00-00'"
        in found["_evidence"]
    )
    assert found["action"] == SPECIFY_ACTION
    assert found["_suggestion"]["transform_sql"] == "nullif(old.v, '0000-00-00')"
    kept = await entry(make_pair, "text", "timestamptz NOT NULL", values)
    assert "transform_sql" not in kept["_suggestion"]


async def test_all_are_refused(make_pair: MakePair) -> None:
    """Then only a mapping can mean anything."""
    found = await entry(make_pair, "text", "uuid", ["one", "two"])
    assert found["_suggestion"]["value_mapping"].keys() == {"one", "two"}


async def test_values_that_another_reading_takes_are_counted_too(make_pair: MakePair) -> None:
    found = await entry(make_pair, "text", "integer", ["x", "7", "3000000000"])
    assert "2 rows hold values that integer refuses (2 of 3 values): '3000000000', 'x'" in found["_evidence"]
    assert found["action"] == SPECIFY_ACTION
