"""A run that brought every value as it should be is verified, whatever the types, and nothing is alarmed."""

from __future__ import annotations

from pathlib import Path

from support import MakePair
from support.runs import migrate

OLD = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TYPE place AS (street text, number int);
CREATE TABLE many (
  id int PRIMARY KEY, n numeric(10,2), wide numeric(8,2), f4 real, f8 double precision, b boolean, t text, v varchar(20),
  c char(5), raw bytea, d date, tm time, tz timetz, ts timestamp, tstz timestamptz, iv interval, u uuid, j json, jb jsonb,
  ip inet, bits varbit, m mood, arr int[], moments timestamptz[], texts text[], r int4range, trange tstzrange, p place,
  pt point, mo money, single "char", code text, flag text, word text, cents numeric, day timestamp, status text);
INSERT INTO many SELECT g, g * 1.5, g, g / 3.0, CASE g % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' ELSE g / 7.0 END, g % 2 = 0,
  CASE g % 4 WHEN 0 THEN '' WHEN 1 THEN 'a"b\\,(c) ' WHEN 2 THEN NULL ELSE 'ä€𝄞 ' || g END, 'v' || g, 'c' || g % 9,
  decode(md5(g::text), 'hex'), DATE '1900-01-01' + g, TIME '00:00' + g * INTERVAL '1 second', TIMETZ '12:00+05:30',
  TIMESTAMP '2024-02-29 12:00' + g * INTERVAL '1 microsecond', TIMESTAMPTZ '2024-03-31 01:59:59+00' + g * INTERVAL '1 hour',
  g * INTERVAL '1 month 2 days 3.000004 seconds', md5(g::text)::uuid, ('{"a" : ' || g || ' }')::json,
  jsonb_build_object('z', g, 'a', ARRAY[1.0, g]), ('10.0.0.' || g % 255)::inet, (g % 256)::bit(8)::varbit,
  (ARRAY['sad', 'ok', 'glad'])[g % 3 + 1]::mood, ARRAY[g, NULL, 2], ARRAY[TIMESTAMPTZ '2024-06-01 00:00+02'],
  ARRAY['x', NULL, '', 'NULL'], int4range(g, g + 3), tstzrange('2024-06-01 00:00+00', NULL), ROW('Main', g)::place,
  point(g, -g), (g * 1.25)::numeric::money, 'x', '0' || g, CASE WHEN g % 2 = 0 THEN 'yes' ELSE 'no' END, 'glad', g + 0.5,
  TIMESTAMP '2024-07-01 10:00' + g * INTERVAL '1 day', CASE g % 3 WHEN 0 THEN 'new' ELSE 'done' END
FROM generate_series(1, 400) g;
CREATE TABLE plain AS SELECT id, n, wide, f4, f8, b, t, v, raw, d, tm, tz, ts, tstz, iv, u, j, jb, ip, bits, m, arr, texts, r,
  pt, single, code, flag, word, cents, day, status FROM many;
ALTER TABLE plain ADD PRIMARY KEY (id);
"""
NEW = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TYPE place AS (street text, number int);
CREATE DOMAIN amount AS numeric(14,4);
CREATE TABLE many (
  id bigint PRIMARY KEY, n numeric(12,4), wide amount, f4 real, f8 double precision, b boolean, t text, v varchar(40),
  c char(8), raw bytea, d date, tm time, tz timetz, ts timestamp, tstz timestamptz, iv interval, u uuid, j json, jb jsonb,
  ip inet, bits varbit, m mood, arr int[], moments timestamptz[], texts text[], r int4range, trange tstzrange, p place,
  pt point, mo money, single "char", code int, flag boolean, word mood, cents int, day timestamptz, status int,
  made timestamptz DEFAULT now(), total numeric GENERATED ALWAYS AS (n * 2) STORED);
CREATE TABLE plain (
  id bigint PRIMARY KEY, n numeric(12,4), wide amount, f4 real, f8 double precision, b boolean, t text, v varchar(40),
  raw bytea, d date, tm time, tz timetz, ts timestamp, tstz timestamptz, iv interval, u uuid, j json, jb jsonb,
  ip inet, bits varbit, m mood, arr int[], texts text[], r int4range,
  pt point, single "char", code int, flag boolean, word mood, cents int, day timestamptz, status int);
"""
SAME = """
  {"action": "transform", "old_column": "code", "new_column": "code"},
  {"action": "transform", "old_column": "flag", "new_column": "flag"},
  {"action": "transform", "old_column": "word", "new_column": "word"},
  {"action": "transform", "old_column": "cents", "new_column": "cents"},
  {"action": "transform", "old_column": "day", "new_column": "day"},
  {"action": "transform", "old_column": "status", "new_column": "status", "value_mapping": {"new": 1, "done": 2}}"""
DECISIONS = f"""{{"resolutions": {{"plain": [{SAME}], "many": [{SAME},
  {{"action": "transform", "old_column": "c", "new_column": "c"}},
  {{"action": "default", "new_column": "made", "default_value": "USE_SCHEMA_DEFAULT"}}]}}}}"""


async def test_every_type_is_verified(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    (tmp_path / "resolutions.json").write_text(DECISIONS)
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "resolutions.json"))
    tables = {table.table: table for table in result.tables}
    found = [table.differences for table in result.tables]
    assert (result.status, result.exit_status) == ("done", 0), (result.problems, found)
    many, plain = tables["public.many"], tables["public.plain"]
    assert many.verified == "except public.many.made (NEW's default now())"
    assert plain.verified is True
    assert (many.cells_verified, plain.cells_verified) == (400 * 38, 400 * 32)
