"""Rounds of corruptions: a live run, strikes, a verification that has to name each of them, and the undoing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from long.mutations.scenes import Scene
from long.mutations.strikes import Found, Strikes, Target
from support import MakePair, Pair
from support.runs import migrate, verify
from tranship.model.difference import DifferenceKind
from tranship.model.verification import Verification
from tranship.sql.quote import ident

MOST_STRIKES = 6
"""Of one round."""
_COLUMNS = """
SELECT c.relname AS name, a.attname AS attribute, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
  COALESCE(array_position(i.indkey::int2[], a.attnum), -1) AS place
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1, a.attnum
"""


@dataclass
class Tally:
    """What a campaign counted."""

    strikes: int = 0
    rounds: int = 0
    clean: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


async def targets(
    new: asyncpg.Connection, moved: frozenset[str], apart: frozenset[tuple[str, str]]
) -> list[Target]:
    """Returns the tables that a run filled, with their keys and the columns that a proof covers."""
    keys: dict[str, dict[int, str]] = {}
    columns: dict[str, dict[str, str]] = {}
    for name, attribute, type_, place in await new.fetch(_COLUMNS):
        keys.setdefault(name, {})
        columns.setdefault(name, {})
        if place >= 0:
            keys[name][place] = attribute
        elif (name, attribute) not in apart:
            columns[name][attribute] = type_
    return [
        Target(name, tuple(found[n] for n in sorted(found)), columns[name])
        for name, found in keys.items()
        if name in moved
    ]


async def corrupt(
    scene: Scene,
    make_pair: MakePair,
    folder: Path,
    rng: random.Random,
    tally: Tally,
    *,
    wanted: int,
    majors: tuple[int, int] | None = None,
) -> None:
    """Moves a scene once, and corrupts and verifies it until ``wanted`` strikes are done."""
    pair = await make_pair(scene.old, scene.new, majors=majors, encodings=scene.encodings)
    moved = await run(scene, pair, folder, tally)
    until = tally.strikes + wanted
    while tally.strikes < until:
        async with pair.new.connect() as conn:
            struck = await _round(
                conn, await targets(conn, moved, scene.apart), rng, min(MOST_STRIKES, until - tally.strikes)
            )
            tally.strikes += len(struck.done)
            tally.rounds += 1
            tally.kinds.update(one.partition(":")[0] for one in struck.done)
            judge(scene, struck, await verify(pair, folder), tally)
            await _undo(conn, struck)
    await alarmless(scene, pair, folder, tally)
    await make_pair.drop_all()


async def run(scene: Scene, pair: Pair, folder: Path, tally: Tally) -> frozenset[str]:
    """Moves a scene with the default verification; returns the tables of NEW that it filled. Keeps a copy of them."""
    result = await migrate(pair, folder, resolutions=scene.decide(folder))
    proven = [table.verified for table in result.tables]
    if result.exit_status != scene.exit_status or not all(proven):
        tally.violations.append(
            f"{scene.name}: a clean run ended with {result.exit_status}, verified {proven}"
        )
    moved = frozenset(table.new_table.removeprefix("public.") for table in result.tables)
    copies = "".join(f"CREATE TABLE kept.{ident(t)} AS TABLE {ident(t)};" for t in sorted(moved))
    await pair.new.run(f"CREATE SCHEMA kept; {copies}")
    return moved


async def alarmless(scene: Scene, pair: Pair, folder: Path, tally: Tally) -> None:
    """Verifies a NEW that holds what it has to hold, rows that were put back included."""
    result = await verify(pair, folder)
    tally.clean += 1
    if (result.status, result.exit_status) != ("verified", 0):
        tally.violations.append(
            f"{scene.name}: false alarm: {[t for t in result.tables if t.verified is not True]}"
        )


async def _round(
    conn: asyncpg.Connection, chosen: Sequence[Target], rng: random.Random, most: int
) -> Strikes:
    strikes = Strikes(rng, conn)
    for _ in range(rng.randint(1, most)):
        # A table with more columns has more that can go wrong.
        while not await strikes.strike(*rng.choices(chosen, [1 + len(one.columns) for one in chosen])):
            pass
    return strikes


def judge(scene: Scene, strikes: Strikes, result: Verification, tally: Tally) -> None:
    """Compares what was named with what was done."""
    expected, named = (
        merged(strikes.expected),
        merged([found for table in result.tables for found in _named(table.differences)]),
    )
    if expected != named or (result.status, result.exit_status) != ("differs", 5):
        lacking = [str(one) for one in expected if one not in named]
        false = [str(one) for one in named if one not in expected]
        tally.violations.append(
            f"{scene.name}: {strikes.done}: not named {lacking}, named falsely {false}, exit {result.exit_status}"
        )


def _named(differences: Sequence[Any]) -> list[Found]:
    return [
        Found(d.table.removeprefix("public."), d.kind, tuple((d.key or {}).items()), d.columns, d.rows)
        for d in differences
    ]


def merged(found: Sequence[Found]) -> set[Found]:
    """Returns differences with those of tables without a key counted together, since such rows have no names."""
    counted: Counter[tuple[str, DifferenceKind]] = Counter()
    for one in found:
        if not one.key:
            counted[one.table, one.kind] += one.rows
    loose = {Found(table, kind, (), (), rows) for (table, kind), rows in counted.items()}
    return {one for one in found if one.key} | loose


async def _undo(conn: asyncpg.Connection, strikes: Strikes) -> None:
    """Puts the touched rows back, and the whole of a table without a key."""
    keys: dict[str, list[Mapping[str, str]]] = {}
    for found in strikes.expected:
        keys.setdefault(found.table, []).append(dict(found.key))
    async with conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        for table, found_keys in keys.items():
            rows = [key for key in found_keys if key]
            if len(rows) < len(found_keys):
                await conn.execute(
                    f"DELETE FROM {ident(table)}; INSERT INTO {ident(table)} TABLE kept.{ident(table)}"
                )
                continue
            same = [" AND ".join(f"{ident(c)}::text = '{v}'" for c, v in key.items()) for key in rows]
            condition = " OR ".join(f"({one})" for one in same)
            await conn.execute(f"DELETE FROM {ident(table)} WHERE {condition}")
            await conn.execute(
                f"INSERT INTO {ident(table)} SELECT * FROM kept.{ident(table)} WHERE {condition}"
            )
