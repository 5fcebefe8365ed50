"""Amounts of money keep their worth between databases whose lc_monetary differs in digits,
decimal point and signs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support import MakePair, Pair, Servers
from support.asking import transform
from support.runs import migrate

LOCALES = {"ja_JP": 0, "en_US": 2, "de_DE": 2, "ar_KW": 3}
"""Names with the digits behind the point of their currency."""


@pytest.fixture(scope="module")
def local_servers() -> Iterator[Servers]:
    """Servers that find the locales, which are compiled for them where the system has only their sources."""
    tool = shutil.which("localedef")
    if tool is None or not Path("/usr/share/i18n/locales/ja_JP").exists():
        pytest.skip("no sources of locales on this machine")
    # Not below pytest's own folder: the servers may run under another account, which cannot read that.
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch, Servers() as servers:
        Path(folder).chmod(0o755)
        for name in LOCALES:
            made = [tool, "-i", name, "-f", "UTF-8", f"{folder}/{name}.utf8"]
            subprocess.run(made, check=False, capture_output=True)
        patch.setenv("LOCPATH", folder)
        yield servers


async def pair_of(servers: Servers, old_locale: str, new_locale: str, old: str, new: str) -> Pair:
    pair = await MakePair(servers)("", "")
    for database, locale, script in ((pair.old, old_locale, old), (pair.new, new_locale, new)):
        await database.run(f"ALTER DATABASE \"{database.name}\" SET lc_monetary = '{locale}.utf8'")
        await database.run(script)
    return pair


OLD = """CREATE TABLE bill (id int PRIMARY KEY, kept money, number money, shown money, became numeric,
        list money[]);
    INSERT INTO bill SELECT g, v::money, v::money, v::money, v, ARRAY[v::money]
    FROM (VALUES (1, 1234567::numeric), (2, -89), (3, 0), (4, 7)) AS s(g, v)"""
NEW = """CREATE TABLE bill (id bigint PRIMARY KEY, kept money, number numeric(14,3), shown text,
        became money);"""


@pytest.mark.parametrize(
    "locales",
    [("ja_JP", "ja_JP"), ("ar_KW", "ar_KW"), ("ja_JP", "de_DE"), ("en_US", "ar_KW"), ("de_DE", "en_US")],
)
async def test_whole_amounts(local_servers: Servers, tmp_path: Path, locales: tuple[str, str]) -> None:
    pair = await pair_of(local_servers, *locales, OLD, NEW)
    decided = [transform(name) for name in ("number", "shown", "became")]
    decided.append({"action": "ignore", "old_column": "list"})
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"bill": decided}}))
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"))
    assert result.exit_status == 0
    assert result.tables[0].losses == ()
    amounts = "SELECT id::int, kept::numeric, number::numeric, became::numeric FROM bill ORDER BY id"
    assert await pair.new.fetch(amounts) == [
        (n, Decimal(v), Decimal(v), Decimal(v)) for n, v in ((1, 1234567), (2, -89), (3, 0), (4, 7))
    ]
    printed = "SELECT id::int, shown::text FROM bill ORDER BY id"
    assert await pair.new.fetch(printed) == await pair.old.fetch(printed)


async def test_fractions_between_two_decimal_points(local_servers: Servers, tmp_path: Path) -> None:
    rows = "INSERT INTO bill VALUES (1, 1234567.89::numeric::money, 1.5), (2, (-0.05)::numeric::money, -2.25)"
    pair = await pair_of(
        local_servers,
        "de_DE",
        "en_US",
        f"CREATE TABLE bill (id int PRIMARY KEY, kept money, became numeric); {rows}",
        "CREATE TABLE bill (id int PRIMARY KEY, kept money, became money, CONSTRAINT dear"
        " CHECK (kept::numeric < 2000000))",
    )
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"bill": [transform("became")]}}))
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"))
    assert result.exit_status == 0
    assert await pair.new.fetch("SELECT kept::numeric, became::numeric FROM bill ORDER BY id") == [
        (Decimal("1234567.89"), Decimal("1.50")),
        (Decimal("-0.05"), Decimal("-2.25")),
    ]


async def test_fewer_digits_are_a_question(local_servers: Servers, tmp_path: Path) -> None:
    pair = await pair_of(
        local_servers,
        "en_US",
        "ja_JP",
        "CREATE TABLE bill (id int PRIMARY KEY, v money);"
        " INSERT INTO bill VALUES (1, 1.25::numeric::money), (2, 3::money)",
        "CREATE TABLE bill (id int PRIMARY KEY, v money)",
    )
    with pytest.raises(Exception, match="Breaking changes detected: 1"):
        await migrate(pair, tmp_path)
    (tmp_path / "r.json").write_text(json.dumps({"resolutions": {"bill": [transform("v")]}}))
    result = await migrate(pair, tmp_path, resolutions=str(tmp_path / "r.json"))
    assert [(loss.column, loss.loss, loss.rows) for loss in result.tables[0].losses] == [("v", "rounded", 1)]
    assert await pair.new.fetch("SELECT id, v::numeric FROM bill ORDER BY id") == [(1, 1), (2, 3)]
