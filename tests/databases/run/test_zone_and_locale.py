"""Values mean what they mean in their own database: its time zone holds in every session of a run."""

from __future__ import annotations

import json
from pathlib import Path

from support import MakePair, Pair
from support.asking import ask_all, transform
from support.runs import migrate


async def zoned(pair: Pair, old: str, new: str) -> Pair:
    for database, zone in ((pair.old, old), (pair.new, new)):
        await database.run(f"ALTER DATABASE \"{database.name}\" SET TimeZone = '{zone}'")
    return pair


EVENTS = """CREATE TABLE event (id int PRIMARY KEY, at timestamptz, day date); SET TimeZone = 'Asia/Tokyo';
    INSERT INTO event SELECT g, m, m::date
        FROM (SELECT g, timestamptz '2023-06-01 00:00+00' + g * interval '1 hour' AS m
    FROM generate_series(1, 24) AS g) AS s;"""


async def test_expressions_checks_and_defaults_in_the_databases_own_zone(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(
        EVENTS,
        """CREATE TABLE event (id int PRIMARY KEY, at timestamptz, day date, copied date,
                made timestamp DEFAULT now(),
            CONSTRAINT of_the_day CHECK (at::date = day))""",
        template=False,
    )
    await zoned(pair, "Asia/Tokyo", "Asia/Tokyo")
    decided = {
        "action": "transform",
        "old_column": "at",
        "new_column": "copied",
        "transform_sql": "old.at::date",
    }
    found = await ask_all(pair, {"event": [decided]})
    assert found.records["public.event"] == []
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"event": [decided]}}))
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"))
    assert result.exit_status == 0
    assert await pair.new.value("SELECT count(*) FROM event WHERE copied = at::date") == 24
    assert await pair.new.value(
        "SELECT bool_and(abs(extract(epoch FROM made - localtimestamp)) < 3600) FROM event"
    )


async def test_a_check_of_new_is_judged_in_news_zone(make_pair: MakePair, tmp_path: Path) -> None:
    """The same CHECK on both sides: rows that OLD accepted in its zone are refused in another one,
    and predicted.
    """
    check = "CONSTRAINT of_the_day CHECK (at::date = day)"
    pair = await make_pair(
        EVENTS + f"ALTER TABLE event ADD {check};",
        f"CREATE TABLE event (id int PRIMARY KEY, at timestamptz, day date, {check})",
        template=False,
    )
    await zoned(pair, "Asia/Tokyo", "America/Lima")
    found = await ask_all(pair)
    result = await migrate(pair, tmp_path)
    assert len(found.records["public.event"]) == 14 == result.tables[0].rows_failed
    assert await pair.new.value("SELECT count(*) FROM event") == 10


async def test_texts_without_a_zone_mean_olds_zone(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY, w text, p timestamp);"
        " INSERT INTO t VALUES (1, '2023-01-01 12:00', '2023-01-01 12:00')",
        "CREATE TABLE t (id int PRIMARY KEY, w timestamptz, p timestamptz, CONSTRAINT early"
        " CHECK (w::time < '13:00'))",
        template=False,
    )
    await zoned(pair, "Asia/Tokyo", "America/Lima")
    decisions = {"t": [transform("w"), transform("p")]}
    assert (await ask_all(pair, decisions)).records["public.t"] == []
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": decisions}))
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"))
    warned = [problem.code for problem in result.problems]
    assert "TS349" in warned and result.exit_status == 0
    assert await pair.new.fetch("SELECT w AT TIME ZONE 'UTC' = '2023-01-01 03:00', w = p FROM t") == [
        (True, True)
    ]
