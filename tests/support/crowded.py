"""The scene of the fault tests in a NEW that is not empty, under two time zones, with a deferrable key, a citext key and an
UNLOGGED table.

``ends`` says where its migration ends. It is computed here from what both databases held before, row by row, by the rules of the manual
alone: nothing that an undisturbed run did takes part.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from support import Database, MakePair, Pair, scene

Row = dict[str, Any]
Rows = dict[str, list[Row]]

OLD_ZONE: Final = "America/New_York"
NEW_ZONE: Final = "Asia/Kolkata"
"""Half an hour beside every full hour of OLD's zone, and on another day for most of its evenings."""
LATEST_HOUR: Final = 22
"""Of NEW's clock; its CHECK refuses later moments."""

OLD = (
    scene.OLD
    + """
CREATE EXTENSION citext;
CREATE TABLE seat (id int PRIMARY KEY, place int, note text);
CREATE TABLE badge (id int PRIMARY KEY, seat int, note text);
CREATE TABLE word (name citext PRIMARY KEY, sense text);
CREATE TABLE wording (id int PRIMARY KEY, word citext, line text);
CREATE TABLE cache (k int PRIMARY KEY, v text);
CREATE TABLE moment (id int PRIMARY KEY, at timestamptz, wall timestamp);
CREATE TABLE reading (id int PRIMARY KEY, level int, amount int);
INSERT INTO reading SELECT n, n % 101, n % 17 FROM generate_series(1, 1500) n;
INSERT INTO seat SELECT n, CASE WHEN n % 9 = 0 THEN n - 1 ELSE n END, 'seat ' || n FROM generate_series(1, 400) n;
INSERT INTO badge SELECT n, 1 + n % 403, 'badge ' || n FROM generate_series(1, 900) n;
INSERT INTO word SELECT 'Word ' || n, 'sense ' || n % 40 FROM generate_series(1, 300) n;
INSERT INTO wording SELECT n, CASE n % 3 WHEN 0 THEN 'WORD ' WHEN 1 THEN 'word ' ELSE 'Word ' END || 1 + n % 305, 'line ' || n
  FROM generate_series(1, 600) n;
INSERT INTO cache SELECT n, 'value ' || n FROM generate_series(1, 500) n;
INSERT INTO moment SELECT n, timestamptz '2023-10-28 00:00+00' + n * interval '37 minutes', timestamp '2023-10-28 00:15' + n * interval '41 minutes'
  FROM generate_series(1, 500) n;
"""
)

_PERSONS = """
INSERT INTO town SELECT n, 'town ' || n, 'here before' FROM generate_series(10, 50, 10) n;
INSERT INTO town SELECT n, 'another ' || n, 'here before' FROM generate_series(5, 45, 10) n;
INSERT INTO person (id, town, mail, age) OVERRIDING SYSTEM VALUE
  SELECT n, n % 55, 'p' || n % 890 || '@example.org', n % 120 FROM generate_series(3, 600, 3) n WHERE n % 55 IN (10, 20, 30) AND n % 120 < 118;
INSERT INTO person (id, town, mail, age) OVERRIDING SYSTEM VALUE
  SELECT n, n % 55, 'other ' || n, n % 120 FROM generate_series(3, 600, 3) n WHERE n % 55 = 40 AND n % 120 < 118;
INSERT INTO person (id, mail) OVERRIDING SYSTEM VALUE SELECT 100000 + n, 'p' || n || '@example.org' FROM generate_series(7, 800, 100) n;
"""
"""Before there are triggers, one of which lets nobody write."""

NEW = (
    scene.NEW.replace("CREATE FUNCTION touch", f"{_PERSONS}CREATE FUNCTION touch")
    + f"""
CREATE EXTENSION citext;
CREATE TABLE seat (id int PRIMARY KEY, place int, note text, CONSTRAINT seat_place UNIQUE (place) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE badge (id int PRIMARY KEY, seat int REFERENCES seat, note text);
CREATE TABLE word (name citext PRIMARY KEY, sense text, added text DEFAULT 'by default');
CREATE TABLE wording (id int PRIMARY KEY, word citext REFERENCES word, line text);
CREATE UNLOGGED TABLE cache (k int PRIMARY KEY, v text);
CREATE TABLE reading (id int PRIMARY KEY, level int CHECK (level < 97), amount int, share int);
CREATE TABLE moment (id int PRIMARY KEY, at timestamptz CONSTRAINT early CHECK (extract(hour FROM at) <= {LATEST_HOUR}), wall timestamptz,
  told text, made text DEFAULT to_char(timestamptz '2024-07-01 12:00+00', 'YYYY-MM-DD HH24:MI'));
INSERT INTO log SELECT timestamp '2020-01-01', 'line ' || n FROM generate_series(1, 30) n;
INSERT INTO seat SELECT n, n, 'seat ' || n FROM generate_series(4, 200, 10) n WHERE n % 9 > 0;
INSERT INTO seat SELECT n, n, 'taken ' || n FROM generate_series(6, 200, 10) n WHERE n % 9 BETWEEN 1 AND 7;
INSERT INTO seat SELECT 100000 + n, n, 'a stranger' FROM generate_series(307, 390, 10) n;
INSERT INTO badge SELECT n, 1 + n % 403, 'badge ' || n FROM generate_series(3, 183, 20) n WHERE (1 + n % 403) % 10 = 4 AND (1 + n % 403) % 9 > 0;
INSERT INTO word SELECT 'Word ' || n, 'sense ' || n % 40, 'here before' FROM generate_series(10, 100, 10) n;
INSERT INTO word SELECT 'Word ' || n, 'another sense', 'here before' FROM generate_series(5, 95, 10) n;
INSERT INTO word SELECT 'WORD ' || n, 'sense ' || n % 40, 'here before' FROM generate_series(102, 152, 10) n;
INSERT INTO moment VALUES (100000, '2023-01-01 00:00+00', NULL, 'a stranger', 'here before');
"""
)

RESOLUTIONS: Final = {
    # NEW holds some of OLD's persons and seats under other ids: by id, these are others.
    "person": [{"action": "existing", "rows": "same"}],
    "seat": [{"action": "existing", "rows": "same"}],
    "reading": [{"action": "transform", "new_column": "share", "transform_sql": "100 / (old.amount % 16)"}],
    "moment": [
        {"action": "transform", "old_column": "wall", "new_column": "wall"},
        {
            "action": "transform",
            "old_column": "at",
            "new_column": "told",
            "transform_sql": "to_char(old.at, 'YYYY-MM-DD HH24:MI')",
        },
    ],
}
"""Some rows of ``reading`` raise. Both of ``moment`` depend on OLD's time zone: what the clock on the wall meant, and how a moment is told."""
_ROWS: Final = "SELECT pg_catalog.to_jsonb(t)::text FROM public.{table} AS t"
_NEW_DEFAULTS: Final[Mapping[str, Row]] = {
    "town": {"region": "unknown"},
    "person": {"touched": None},
    "word": {"added": "by default"},
    "moment": {"made": "2024-07-01 17:30"},
}
"""What NEW puts into columns that OLD has not: ``made`` is noon in Greenwich on NEW's clock."""
_KEYS: Final[Mapping[str, str]] = {"word": "name", "cache": "k"}
"""Primary keys that are not called ``id``; ``log`` has none."""
_OTHER_KEYS: Final[Mapping[str, str]] = {"person": "mail", "seat": "place"}
_PARENTS: Final[Mapping[str, tuple[str, str]]] = {
    "person": ("town", "town"),
    "badge": ("seat", "seat"),
    "wording": ("word", "word"),
}
"""Table → its column that refers to another table, and that table, which is settled before."""
TABLES: Final = (
    "town",
    "person",
    "log",
    "loop_a",
    "loop_b",
    "seat",
    "badge",
    "word",
    "wording",
    "cache",
    "moment",
    "reading",
)
_CITEXT: Final = {("word", "name"), ("wording", "word")}


async def make(make_pair: MakePair, majors: tuple[int, int] | None = None, old: str = OLD) -> Pair:
    """Makes a pair of the scene, each database under its own time zone."""
    pair = await make_pair(old, NEW, majors=majors)
    for database, zone in ((pair.old, OLD_ZONE), (pair.new, NEW_ZONE)):
        await database.run(f"ALTER DATABASE \"{database.name}\" SET timezone = '{zone}'")
    return pair


def decide(folder: Path) -> Path:
    """Writes the resolutions of the scene and returns their file."""
    path = folder / "resolutions.json"
    path.write_text(json.dumps({"resolutions": RESOLUTIONS}))
    return path


async def held(database: Database) -> Rows:
    """Returns every row of every table of the scene, moments as in UTC."""
    async with database.connect(server_settings={"timezone": "UTC"}) as conn:
        return {
            table: [json.loads(row[0]) for row in await conn.fetch(_ROWS.format(table=table))]
            for table in TABLES
        }


def ends(old: Rows, before: Rows) -> tuple[dict[str, Counter[str]], dict[str, int], dict[str, int]]:
    """Returns what NEW holds after a complete run, and per table the rows that were already there and the rejected ones.

    The order of the rules: a row's own faults, rows of NEW and missing parents; then other keys, the first in OLD's key order wins;
    then children within the same table, until nothing changes.
    """
    arrived: Rows = {}
    there: dict[str, int] = {}
    rejected: dict[str, int] = {}
    for table in TABLES:
        rows = sorted(
            old[table], key=lambda row: str(row.get("name", "")) or row.get(_KEYS.get(table, "id"), 0)
        )
        equal, written = _settled(table, rows, before[table], arrived)
        arrived[table] = equal + written
        there[table], rejected[table] = len(equal), len(rows) - len(equal) - len(written)
        before = {**before, table: before[table] + [converted(table, row) for row in written]}
    return {table: counted(before[table]) for table in TABLES}, there, rejected


def _settled(table: str, rows: list[Row], before: list[Row], arrived: Rows) -> tuple[list[Row], list[Row]]:
    """Returns the rows of OLD that NEW held already, equal in all that moves, and those that are written."""
    key = _KEYS.get(table, "id")
    held_keys = {value(table, key, row): row for row in before if key in row}
    other = _OTHER_KEYS.get(table)
    taken = {row[other] for row in before if other and row[other] is not None}
    equal, written = [], []
    for row in rows:
        meant = converted(table, row)
        same = held_keys.get(value(table, key, meant)) if key in meant else None
        if same is not None:
            equal += [row] if _alike(table, meant, same) else []
        elif _sound(table, row, arrived) and not (other and row[other] in taken):
            written.append(row)
            taken |= {row[other]} if other else set()
    return equal, _with_bosses(equal, written) if table == "person" else written


def _alike(table: str, meant: Row, same: Row) -> bool:
    moved = meant.keys() - _NEW_DEFAULTS.get(table, {}).keys()
    return all(meant[column] == same[column] for column in moved)


def _sound(table: str, row: Row, arrived: Rows) -> bool:
    """Returns whether nothing is wrong with the row itself and its parent in another table arrived."""
    if table == "person" and row["age"] >= 118:
        return False
    if table == "reading" and (row["level"] >= 97 or row["amount"] % 16 == 0):
        return False
    if table == "moment" and _moment(row).astimezone(ZoneInfo(NEW_ZONE)).hour > LATEST_HOUR:
        return False
    if table not in _PARENTS:
        return True
    column, parents = _PARENTS[table]
    key = _KEYS.get(parents, "id")
    return value(table, column, row) in {value(parents, key, parent) for parent in arrived[parents]}


def _with_bosses(equal: list[Row], written: list[Row]) -> list[Row]:
    """Returns the persons whose boss arrived, and his, and so on."""
    while True:
        ids = {row["id"] for row in equal + written} | {None}
        kept = [row for row in written if row["boss"] in ids]
        if len(kept) == len(written):
            return kept
        written = kept


def converted(table: str, row: Row) -> Row:
    """Returns the row of NEW that a row of OLD becomes."""
    new = {**row, **_NEW_DEFAULTS.get(table, {})}
    if table == "reading" and row["amount"] % 16:
        new["share"] = 100 // (row["amount"] % 16)
    if table == "moment":
        # An hour that the clock showed twice means standard time, which PostgreSQL's manual says in its appendix on dates.
        wall = datetime.fromisoformat(row["wall"]).replace(tzinfo=ZoneInfo(OLD_ZONE), fold=1)
        new["wall"] = wall.astimezone(UTC).isoformat()
        new["told"] = _moment(row).astimezone(ZoneInfo(OLD_ZONE)).strftime("%Y-%m-%d %H:%M")
    return new


def value(table: str, column: str, row: Row) -> Any:
    """Returns a value so that those which the column's type calls equal are equal."""
    return row[column].lower() if (table, column) in _CITEXT else row[column]


def _moment(row: Row) -> datetime:
    return datetime.fromisoformat(row["at"])


def counted(rows: Iterable[Row]) -> Counter[str]:
    """Returns the rows as a multiset of texts."""
    return Counter(json.dumps(row, sort_keys=True) for row in rows)
