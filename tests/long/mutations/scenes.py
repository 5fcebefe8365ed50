"""The migrations whose result is corrupted: every kind of value, every shape of a flow, three encodings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROWS: Final = 300
"""Of the larger tables: several batches of 100 rows."""


@dataclass(frozen=True)
class Scene:
    """Two schemas with rows and the decisions between them."""

    name: str
    old: str
    new: str
    decisions: dict[str, object]
    exit_status: int
    """Of an undisturbed live run: 1 where rows are rejected."""
    encodings: tuple[str, str] = ("UTF8", "UTF8")
    apart: frozenset[tuple[str, str]] = frozenset()
    """Tables and columns of NEW that no proof covers."""

    def decide(self, folder: Path) -> str:
        """Writes the file with the decisions and returns its path."""
        path = folder / "resolutions.json"
        path.write_text(json.dumps({"resolutions": self.decisions}), encoding="utf-8")
        return str(path)


def _bare(*columns: str) -> list[dict[str, object]]:
    return [{"action": "transform", "old_column": name, "new_column": name} for name in columns]


VALUES: Final = Scene(
    name="values",
    old=f"""
CREATE TABLE item (id int PRIMARY KEY, name text, code varchar(12), fixed char(6), price numeric, amount numeric, weight float8,
  small float4, at timestamptz, wall timestamp, day date, hour time, zoned timetz, span interval, doc json, tree jsonb, raw bytea,
  list int[], words text[], uid uuid, bits bit(5), flags varbit, net inet, spot point, during int4range, cost money, yes boolean,
  kind text, local timestamp, cents bigint);
INSERT INTO item SELECT g, CASE g % 50 WHEN 7 THEN NULL WHEN 8 THEN '' ELSE 'Name ' || g || ' é' END, 'c' || g, 'f' || g % 7,
  g + 0.50, g * 1.10, g / 3.0, g / 7.0, timestamptz '2024-03-30 22:00+00' + g * interval '17 minutes',
  timestamp '2024-01-01' + g * interval '61 seconds', date '2024-01-01' + g, time '00:00' + g * interval '3 minutes',
  timetz '10:00+02' + g * interval '1 minute', g * interval '1 day' + interval '1 mon', '{{"a": 1, "b": [1, 2]}}',
  jsonb_build_object('n', g), decode(md5(g::text), 'hex'), ARRAY[g, 2], ARRAY['a', 'b' || g], md5(g::text)::uuid,
  (g % 32)::bit(5), B'101', ('10.0.' || g % 250 || '.1')::inet, point(g, -g), int4range(g, g + 5), g::numeric::money, g % 2 = 0,
  CASE WHEN g % 2 = 0 THEN 'a' ELSE 'b' END, timestamp '2024-06-01' + g * interval '1 hour', g * 100
  FROM generate_series(1, {ROWS}) g;
CREATE TABLE log (line text, n int);
INSERT INTO log SELECT 'line ' || g / 2, g / 2 FROM generate_series(0, 199) g;
""",
    new="""
CREATE TYPE kind AS ENUM ('a', 'b', 'c');
CREATE TABLE item (id bigint PRIMARY KEY, name text, code text, fixed char(6), price numeric, amount numeric(12,3), weight float8,
  small float8, at timestamptz, wall timestamp, day date, hour time, zoned timetz, span interval, doc json, tree jsonb, raw bytea,
  list int[], words text[], uid uuid, bits bit(5), flags varbit, net inet, spot point, during int4range, cost money, yes boolean,
  kind kind, local timestamptz, cents numeric(14,2));
CREATE TABLE log (n int, line text);
""",
    decisions={
        "item": [
            *_bare("amount", "kind"),
            {
                "action": "transform",
                "old_column": "local",
                "new_column": "local",
                "transform_sql": "old.local AT TIME ZONE 'Europe/Berlin'",
            },
            {
                "action": "transform",
                "old_column": "cents",
                "new_column": "cents",
                "transform_sql": "old.cents / 100.0",
            },
        ]
    },
    exit_status=0,
)

SHAPES: Final = Scene(
    name="shapes",
    old=f"""
CREATE TABLE team (id int PRIMARY KEY, name text);
CREATE TABLE person (id int PRIMARY KEY, team int REFERENCES team, mail text, status text, tags text, gone boolean);
CREATE TABLE visit (id int PRIMARY KEY, person int REFERENCES person, at timestamp, place text);
CREATE TABLE part (id int, day date, note text, PRIMARY KEY (id, day));
CREATE TABLE fact (person int, score int);
INSERT INTO team SELECT g, 'team ' || g FROM generate_series(1, 20) g;
INSERT INTO person SELECT g, 1 + g % 20, 'P' || CASE WHEN g % 10 = 0 THEN g - 1 ELSE g END || '@example.org',
  CASE g % 4 WHEN 0 THEN 'new' WHEN 1 THEN 'active' WHEN 2 THEN 'left' ELSE 'odd' END, 'x, y' || g, g % 11 = 0
  FROM generate_series(1, {ROWS}) g;
INSERT INTO visit SELECT g, 1 + g % {ROWS}, timestamp '2024-01-01' + g * interval '1 hour', 'place ' || g % 9
  FROM generate_series(1, 2 * {ROWS}) g;
INSERT INTO part SELECT g, date '2024-01-01' + g % 90, 'note ' || g FROM generate_series(1, {ROWS}) g;
INSERT INTO fact SELECT g % 40, g FROM generate_series(1, {ROWS}) g;
""",
    new="""
CREATE TABLE team (id uuid PRIMARY KEY, name text);
CREATE TABLE status (id int PRIMARY KEY, name text UNIQUE);
INSERT INTO status VALUES (1, 'new'), (2, 'active'), (3, 'left');
CREATE TABLE person (id int PRIMARY KEY, team uuid REFERENCES team, mail text UNIQUE, status int REFERENCES status);
CREATE TABLE person_tag (person_id int REFERENCES person, tag text, PRIMARY KEY (person_id, tag));
CREATE TABLE visit (id bigint PRIMARY KEY, person int REFERENCES person, at timestamp, place text, imported text DEFAULT 'then');
CREATE TABLE part (id int, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (MINVALUE) TO ('2024-02-01');
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2024-02-01') TO (MAXVALUE);
CREATE TABLE total (person int PRIMARY KEY, score bigint);
""",
    decisions={
        "team": [{"action": "new_key", "column": "id", "as": "uuid"}],
        "person": [
            {"action": "filter", "where": "NOT old.gone", "children": "leave_out"},
            {"action": "merge", "key": ["lower(old.mail)"], "keep": "old.id", "repoint_children": True},
            {
                "action": "transform",
                "old_column": "mail",
                "new_column": "mail",
                "transform_sql": "lower(old.mail)",
            },
            {
                "action": "transform",
                "old_column": "status",
                "new_column": "status",
                "lookup_table": {"table": "status", "key_column": "name", "value_column": "id"},
            },
            {"action": "ignore", "old_column": "gone", "because": "the filter reads it"},
        ],
        "person -> person_tag": [
            {"action": "filter", "where": "NOT old.gone AND old.id % 10 <> 0 AND old.id % 4 <> 3"},
            {"action": "rows", "from": "regexp_split_to_table(old.tags, ',') AS item(tag)"},
            {"action": "transform", "old_column": "id", "new_column": "person_id"},
            {"action": "transform", "new_column": "tag", "transform_sql": "trim(item.tag)"},
        ],
        "fact -> total": [
            {
                "action": "query",
                "key": ["person"],
                "sql": "SELECT f.person, sum(f.score) AS score FROM public.fact AS f GROUP BY f.person",
            }
        ],
    },
    exit_status=1,
    # NEW fills it by a default of its own.
    apart=frozenset({("visit", "imported")}),
)


def _encoded(name: str, encodings: tuple[str, str]) -> Scene:
    return Scene(
        name=name,
        old=f"""
CREATE TABLE word (id int PRIMARY KEY, name text, note varchar(40), at timestamptz);
INSERT INTO word SELECT g, 'wört ' || g, CASE WHEN g % 3 = 0 THEN NULL ELSE 'ñ' || g END, timestamptz '2024-10-27 00:00+00' + g * interval '7 minutes'
  FROM generate_series(1, {ROWS}) g;
CREATE TABLE loose (line text); INSERT INTO loose SELECT 'ligne é ' || g / 3 FROM generate_series(0, 199) g;
""",
        new="""
CREATE TABLE word (id bigint PRIMARY KEY, name text, note text, at timestamptz);
CREATE TABLE loose (line text);
""",
        decisions={},
        exit_status=0,
        encodings=encodings,
    )  # fmt: skip


SCENES: Final = (
    VALUES,
    SHAPES,
    _encoded("latin1", ("LATIN1", "UTF8")),
    _encoded("ascii", ("SQL_ASCII", "UTF8")),
    _encoded("to latin9", ("UTF8", "LATIN9")),
)
