"""Settings of a database are changed between an interruption and the same command again: what is left would be
read with another meaning, so it is not mixed in.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Refused, Stopped

OLD = """
CREATE TABLE t (id integer PRIMARY KEY, day text, at timestamptz);
INSERT INTO t SELECT n, '01/02/2024', '2024-07-01 20:00+00' FROM generate_series(1, 400) n;
"""
NEW = "CREATE TABLE t (id integer PRIMARY KEY, day {day}, at {at});"
READ = '{"action": "transform", "old_column": "day", "new_column": "day"}'
COMPUTED = READ[:-1] + ', "transform_sql": "old.day::date::text"}'
LOCAL = '{"action": "transform", "old_column": "at", "new_column": "at", "transform_sql": "old.at::date"}'


@pytest.mark.parametrize(
    ("types", "decided", "side", "setting", "held"),
    [
        (("date", "timestamptz"), READ, "new", "DateStyle = 'ISO, DMY'", "day = '2024-01-02'"),
        (("text", "timestamptz"), COMPUTED, "new", "DateStyle = 'ISO, DMY'", "day = '2024-01-02'"),
        (("text", "date"), LOCAL, "old", "TimeZone = 'Asia/Tokyo'", "at = '2024-07-01'"),
    ],
)
async def test_values_of_two_meanings_are_not_mixed(
    make_pair: MakePair,
    tmp_path: Path,
    observe: Observe,
    types: tuple[str, str],
    decided: str,
    side: str,
    setting: str,
    held: str,
) -> None:
    pair = await make_pair(OLD, NEW.format(day=types[0], at=types[1]))
    (tmp_path / "decided.json").write_text(f'{{"resolutions": {{"t": [{decided}]}}}}')
    options = {"resolutions": str(tmp_path / "decided.json")}
    stop = asyncio.Event()

    async def ending() -> None:
        stop.set()

    observe.once("batch.committed", ending)
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, stop=stop, **options)
    changed = pair.old if side == "old" else pair.new
    await changed.run(f'ALTER DATABASE "{changed.name}" SET {setting}')
    with pytest.raises(Refused) as refused:
        await migrate(pair, tmp_path, **options)
    assert "TS364" in [problem.code for problem in refused.value.problems]
    await changed.run(f'ALTER DATABASE "{changed.name}" RESET {setting.split()[0]}')
    assert (await migrate(pair, tmp_path, **options)).exit_status == 0
    assert await pair.new.fetch("SELECT count(*) FROM t WHERE " + held) == [(400,)]
