"""Every pair of types that a bare ``transform`` converts, values at their extremes: one live run, whose sums and
second opinion agree with what NEW holds.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from long.properties.test_conversions import SAMPLES, TYPES, of, schema, session
from support import MakePair
from support.runs import migrate
from tranship.execution.proof import second_opinion
from tranship.planning.types.conversion import convert

MORE = {
    "text": [
        *(
            " +7\n",
            "007",
            "-0",
            "1e3",
            ".5",
            "5.",
            "1_000",
            "0x1F",
            "NaN",
            "\u0661",
            " Yes ",
            "of",
            "tru",
            "0",
        ),
        *("2024-02-29 10:11:12.5", "2024-02-30", "24:00:00", "infinity", "05/06/2020", "1.005", "99999.995"),
        *('{"a": 1.50, "a": [1e2, -0.0]}', "[1e-7]", '"\\u00e9"', "A0EEBC999C0B4EF8BB6D6BB9BD380A11", "sad"),
        *(
            "äöü  ",
            "abcdefghijklmnopqrst  ",
            "9" * 40,
            "{a,NULL}",
            "10.0.0.1",
            "1 day",
            "101",
            "0" * 4400 + "7",
        ),
    ],
    "numeric": ["99999.995", "-2.5", "0.005", "99999999.995", "1e30", "32767.5", "0.000", "-0.4"],
    "double precision": ["3.5", "-0.5", "1e22", "9007199254740993", "-0", "32767.5", "2147483647.5", "1e15"],
    "real": ["2.5", "16777217", "-3.5", "1e10"],
    "date": [
        "0001-01-01",
        "0044-03-15 BC",
        "9999-12-31",
        "10000-01-01",
        "2024-03-31",
        "1883-11-18",
        "infinity",
    ],
    "timestamp": ["2024-03-31 02:30:00", "2024-10-27 02:30:00", "0001-01-01", "1883-11-18 12:00:00.000001"],
    "timestamptz": [
        *(
            "0001-01-01 00:00:00+00",
            "9999-12-31 23:59:59.5-11",
            "10000-01-01 00:30:00+01",
            "1890-01-01 00:00:00+00",
        ),
        *("2024-06-01 00:00:00.000001+00", "4713-01-02 00:00:00+00 BC"),
    ],
}
"""Beside the samples of the conversions."""
TABLES = 40
"""The tables that one run moves."""


@pytest.mark.thinned(3)
@pytest.mark.parametrize("majors", [(17, 18), (15, 18), (18, 15)])
async def test_no_pair_of_types_is_called_different(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, majors: tuple[int, int]
) -> None:
    """Each row has one value, so that its reject takes no other along. Every row is looked at."""
    monkeypatch.setattr(second_opinion, "DRAWN", 100_000)
    known = await make_pair(schema(filled=False), schema(filled=False), majors=majors)
    async with session(known.old) as (_, old), session(known.new) as (_, new):
        versions = {"old_version": old.server_version, "new_version": new.server_version}
        names = list(SAMPLES)
        ways = {
            n: [
                m
                for m in range(len(names))
                if convert(of(old, n).columns[0].type, of(new, m).columns[0].type, **versions).bare
            ]
            for n in range(len(names))
        }
    computed = 0
    for first in range(0, len(names), TABLES):
        part = {n: ways[n] for n in range(first, min(first + TABLES, len(names)))}
        scripts = _old(names, part), _new(names, part)
        pair = await make_pair(*scripts, majors=majors, template=False)
        for database, zone in ((pair.old, "Europe/Berlin"), (pair.new, "America/New_York")):
            await database.run(f"ALTER DATABASE \"{database.name}\" SET TimeZone = '{zone}'")
        path = tmp_path / f"{first}.json"
        path.write_text(json.dumps({"resolutions": _decisions(part)}))
        result = await migrate(pair, tmp_path, resolutions=str(path))
        wrong = [
            (names[int(one.table.removeprefix("public.t"))], names[int(column[1:])])
            for table in result.tables
            for one in table.differences
            for column in one.columns or ("c0",)
        ]
        assert (result.exit_status, wrong) == (1, []), wrong
        computed += sum(table.second_opinion.cells for table in result.tables if table.second_opinion)
    print("computed", computed)
    assert computed > 20_000


def _old(names: list[str], part: dict[int, list[int]]) -> str:
    script = [TYPES]
    for n, ways in part.items():
        columns = "".join(f", c{m} {names[n]}" for m in ways)
        script.append(f"CREATE TABLE t{n} (id int PRIMARY KEY{columns});")
        values = [*SAMPLES[names[n]], *MORE.get(names[n], ())]
        script += [
            f"INSERT INTO t{n} (id, c{m}) VALUES ({m * 1000 + k}, $v${value}$v$);"
            for m in ways
            for k, value in enumerate(values)
        ]
    return "\n".join(script)


def _new(names: list[str], part: dict[int, list[int]]) -> str:
    tables = [
        f"CREATE TABLE t{n} (id int PRIMARY KEY{''.join(f', c{m} {names[m]}' for m in ways)});"
        for n, ways in part.items()
    ]
    return "\n".join([TYPES, *tables])


def _decisions(part: dict[int, list[int]]) -> dict[str, list[dict[str, str]]]:
    return {
        f"t{n}": [{"action": "transform", "old_column": f"c{m}", "new_column": f"c{m}"} for m in ways]
        for n, ways in part.items()
    }
