"""Each value of every pair of types that a bare conversion joins arrives with its meaning, or its loss is
counted, or its row is rejected and the dry run says so.

One migration moves all pairs: a table per old type, a column per new type, and in each row one value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

from long.properties.edges import TYPES, drawn, edges
from support import Database, MakePair, Pair
from tranship import api
from tranship.config import load_config
from tranship.model.names import TableName
from tranship.model.options import MigrateOptions
from tranship.planning.types.conversion import convert
from tranship.server.catalog import read_catalog

ZONE = "America/New_York"
STRINGS = frozenset(
    t for t in edges() if re.match(r"text|varchar|char|name|short", t) and not t.endswith("[]")
)
NO_WAY_BACK = {
    ("smallint", "boolean"): "0 and 1 alone are read, and boolean has no cast to smallint",
    ("bigint", "boolean"): "likewise",
    ("json", "jsonb"): "normalised, as the question says",
}
"""Pairs whose result the old type cannot read, with what stands in for the comparison."""
SAME = f"""
SET TimeZone = '{ZONE}'; SET extra_float_digits = 1; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres';
CREATE FUNCTION pg_temp.tried(tried text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE answer boolean; BEGIN EXECUTE 'SELECT ' || tried INTO answer; RETURN answer;
EXCEPTION WHEN OTHERS THEN RETURN false; END $$;
"""
"""A condition that raises does not hold."""


@dataclass(frozen=True)
class Joined:
    """One pair of types: a column of a table."""

    table: str
    column: str
    old: str
    new: str

    @property
    def ways(self) -> Iterator[str]:
        """Conditions of which one says that the text ``a`` in NEW means what ``v`` means in OLD, with %L for
        the two.
        """
        # The word char alone means char(1), bpchar has no length.
        bare = re.sub(r"\([-0-9, ]+\)", "", re.sub(r"\bchar\(", "bpchar(", self.new))
        if self.old in STRINGS and self.new not in STRINGS:
            # NEW reads the text: as it would without a length or precision.
            yield f"CAST(CAST(%2$L AS {bare}) AS text) = %1$L"
            yield f"CAST(%2$L AS {bare}) = CAST(%1$L AS {bare})"
            return
        for back in (f"CAST(%1$L AS {self.old})", f"CAST(CAST(%1$L AS {self.new}) AS {self.old})"):
            yield f"{back} IS NOT DISTINCT FROM CAST(%2$L AS {self.old})"
            yield f"CAST({back} AS text) = CAST(CAST(%2$L AS {self.old}) AS text)"


async def known(database: Database) -> dict[str, Any]:
    """The types that a server has, as the catalog describes them."""
    async with database.connect() as conn:
        found = []
        for number, type_ in enumerate(edges()):
            try:
                await conn.execute(f"CREATE TABLE probe{number} (c {type_})")
            except asyncpg.PostgresError:
                continue
            found.append((number, type_))
        catalog = await read_catalog(conn, ("public",))
        tables = {type_: catalog.table(TableName("public", f"probe{n}")) for n, type_ in found}
        for number, _ in found:
            await conn.execute(f"DROP TABLE probe{number}")
        version = catalog.server_version
    return {type_: (table.columns[0].type, version) for type_, table in tables.items() if table is not None}


async def joined(pair: Pair, share: float) -> list[Joined]:
    """A share of the pairs of types that a bare conversion joins, the same ones each time."""
    old, new = await known(pair.old), await known(pair.new)
    found = []
    for number, (before, (old_type, old_version)) in enumerate(old.items()):
        for place, (after, (new_type, new_version)) in enumerate(new.items()):
            judged = convert(old_type, new_type, old_version=old_version, new_version=new_version)
            if judged.bare and Random(f"{before} {after}").random() < share:
                found.append(Joined(f"t{number}", f"c{place}", before, after))
    return found


async def fill(pair: Pair, pairs: Sequence[Joined], values: Mapping[str, Sequence[str]]) -> None:
    tables: dict[str, list[Joined]] = {}
    for one in pairs:
        tables.setdefault(one.table, []).append(one)
    for name, columns in tables.items():
        old, new = (", ".join(f"{c.column} {getattr(c, side)}" for c in columns) for side in ("old", "new"))
        given = [(c.column, value) for c in columns for value in values[c.old]]
        rows = "".join(
            f"INSERT INTO {name} (id, {column}) VALUES ({n}, $v${value}$v$);"
            for n, (column, value) in enumerate(given)
        )
        await pair.old.run(f"CREATE TABLE {name} (id int PRIMARY KEY, {old}); {rows}")
        await pair.new.run(f"CREATE TABLE {name} (id int PRIMARY KEY, {new})")


async def moved(pair: Pair, pairs: Sequence[Joined], folder: Path, *, live: bool) -> tuple[Any, Any]:
    """A run's losses by table and column, and its rejects by table and id."""
    entries: dict[str, list[object]] = {}
    for one in (one for one in pairs if one.old != one.new):
        entry = {"action": "transform", "old_column": one.column, "new_column": one.column}
        entries.setdefault(one.table, []).append(entry)
    decisions = folder / "decisions.json"
    decisions.write_text(json.dumps({"resolutions": entries}), encoding="utf-8")
    options = MigrateOptions(live=live, results_dir=str(folder), resolutions=str(decisions), jobs=2)
    result, _ = await api.migrate(load_config(pair.config(folder)), options)
    losses: dict[tuple[str, str], int] = {}
    for table in result.tables:
        for loss in table.losses:
            place = (table.table.removeprefix("public."), loss.column)
            losses[place] = losses.get(place, 0) + loss.rows
    rejects = {}
    if result.rejects_file is not None:
        told_in = Path(result.rejects_file)
        for line in told_in.read_text(encoding="utf-8").splitlines():  # noqa: ASYNC240
            told = json.loads(line)
            place = (told["table"].removeprefix("public."), told["key"]["id"])
            rejects[place] = (told["column"], told["sqlstate"])
    return losses, rejects


async def changed(pair: Pair, one: Joined, rejects: Mapping[tuple[str, int], Any]) -> list[str] | str:
    """The values of a column that arrived as something else; in words, if one neither arrived nor was
    rejected.
    """
    read = f"SELECT id, CAST({one.column} AS text) AS v FROM {one.table} WHERE {one.column} IS NOT NULL"
    async with pair.old.connect() as old, pair.new.connect() as new:
        for conn in (old, new):
            await conn.execute(SAME)
        sent, there = dict(await old.fetch(read)), dict(await new.fetch(read))
        lacking = [n for n in sent if n not in there and (one.table, n) not in rejects]
        if lacking:
            return f"neither there nor rejected: {[sent[n] for n in lacking]}"
        left = {n: (there[n], sent[n]) for n in there}
        # Either server may lack one of the types.
        for conn in (old, new):
            for way in one.ways:
                asked = "SELECT n FROM unnest($1::int[], $2::text[], $3::text[]) AS q(n, a, v)"
                asked += " WHERE pg_temp.tried(format($4, a, v))"
                texts = [list(side) for side in zip(*left.values(), strict=True)] or [[], []]
                for row in await conn.fetch(asked, list(left), *texts, way):
                    del left[row["n"]]
    return [f"{v!r} → {a!r}" for a, v in left.values()]


async def check(pair: Pair, folder: Path, share: float, more: int) -> None:
    for side in (pair.old, pair.new):
        await side.run(
            f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''{ZONE}''', current_database());"
            f" END $$; {TYPES}"
        )
    pairs = await joined(pair, share)
    values = edges()
    random = Random(7)
    for type_, given in values.items():
        given += [value for _ in range(more) if (value := drawn(type_, random)) is not None]
    await fill(pair, pairs, values)
    foreseen, predicted = await moved(pair, pairs, folder, live=False)
    losses, rejects = await moved(pair, pairs, folder, live=True)
    assert rejects == predicted
    assert losses == foreseen
    wrong = []
    for one in pairs:
        found = await changed(pair, one, rejects)
        counted = losses.get((one.table, one.column), 0)
        if isinstance(found, str) or (
            len(found) > counted and "money" not in one.new and (one.old, one.new) not in NO_WAY_BACK
        ):
            wrong.append(f"{one.old} → {one.new}: counted {counted}, changed {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("majors", [(15, 18), (17, 15)])
async def test_a_part_of_all_pairs(make_pair: MakePair, tmp_path: Path, majors: tuple[int, int]) -> None:
    await check(await make_pair(majors=majors, template=False), tmp_path, share=0.06, more=1)


@pytest.mark.campaign
@pytest.mark.parametrize("majors", [(15, 18), (18, 15), (17, 15), (17, 18)])
async def test_all_pairs(make_pair: MakePair, tmp_path: Path, majors: tuple[int, int]) -> None:
    await check(await make_pair(majors=majors, template=False), tmp_path, share=1, more=12)
