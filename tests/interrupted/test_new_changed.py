"""What NEW computes by itself is changed between an interruption and the same command again: its rows would
have two meanings, so the run does not go on.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from support.observe import Observe
from support.runs import migrate
from tranship.errors import Refused, Stopped

OLD = """
CREATE TABLE t (id integer PRIMARY KEY, n integer, m integer);
INSERT INTO t SELECT g, 1, 1 FROM generate_series(1, 400) g;
"""
NEW = """
CREATE SCHEMA one; CREATE SCHEMA two;
CREATE FUNCTION one.rate() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION two.rate() RETURNS integer LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION public.inner_rate() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.outer_rate() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN inner_rate(); END';
CREATE FUNCTION public.found_rate() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN rate(); END';
CREATE FUNCTION public.times(n integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT n * 2';
CREATE FUNCTION public.sound(n integer) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT n > 0';
CREATE FUNCTION public.same(a integer, b integer) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT a = b';
CREATE FUNCTION public.unused(n integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION public.place(n integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT n';
CREATE OPERATOR public.=== (FUNCTION = public.same, LEFTARG = integer, RIGHTARG = integer);
CREATE DOMAIN public.amount AS integer CHECK (public.sound(VALUE));
CREATE TABLE public.t (
  id integer PRIMARY KEY, n integer CHECK (n OPERATOR(public.===) 1), m public.amount DEFAULT public.unused(1),
  {column});
CREATE INDEX ON public.t (public.place(m));
"""
ADDED = {
    "default": "added integer DEFAULT public.outer_rate()",
    "generated": "added integer GENERATED ALWAYS AS (public.times(n)) STORED",
    "path": "added integer DEFAULT public.found_rate()",
    "constant": "added integer DEFAULT 1",
}
OTHERWISE = "CREATE OR REPLACE FUNCTION {} LANGUAGE {} AS '{}'"
INNER = "public.inner_rate() RETURNS integer"
TIMES = "public.times(n integer) RETURNS integer IMMUTABLE"
SOUND = "public.sound(n integer) RETURNS boolean IMMUTABLE"
SAME = "public.same(a integer, b integer) RETURNS boolean IMMUTABLE"
PLACE = "public.place(n integer) RETURNS integer IMMUTABLE"
PATH = 'ALTER DATABASE "{name}" SET search_path = {first}, public'
CHANGES = {
    "a function that a default's function calls": (
        "default",
        OTHERWISE.format(INNER, "sql", "SELECT 2"),
        OTHERWISE.format(INNER, "sql", "SELECT 1"),
        r"function public\.inner_rate\(\)",
    ),
    "a function of a generated column": (
        "generated",
        OTHERWISE.format(TIMES, "sql", "SELECT n * 3"),
        OTHERWISE.format(TIMES, "sql", "SELECT n * 2"),
        r"function public\.times\(integer\)",
    ),
    "a function of a domain": (
        "constant",
        OTHERWISE.format(SOUND, "sql", "SELECT n > 1"),
        OTHERWISE.format(SOUND, "sql", "SELECT n > 0"),
        r"function public\.sound\(integer\)",
    ),
    "a function of a CHECK's operator": (
        "constant",
        OTHERWISE.format(SAME, "sql", "SELECT a > b"),
        OTHERWISE.format(SAME, "sql", "SELECT a = b"),
        r"function public\.same\(integer,integer\)",
    ),
    "a function of an index": (
        "constant",
        OTHERWISE.format(PLACE, "sql", "SELECT -n"),
        OTHERWISE.format(PLACE, "sql", "SELECT n"),
        r"function public\.place\(integer\)",
    ),
    "a function that hides another one": (
        "path",
        "CREATE FUNCTION public.rate() RETURNS integer LANGUAGE sql AS 'SELECT 3'",
        "DROP FUNCTION public.rate()",
        r"function public\.rate\(\)",
    ),
    "the search_path": ("path", PATH.format(name="{name}", first="two"), PATH, "search_path"),
    "a default": (
        "default",
        "ALTER TABLE t ALTER added SET DEFAULT 2",
        "ALTER TABLE t ALTER added SET DEFAULT public.outer_rate()",
        r"default of public\.t\.added",
    ),
}


async def migrated(pair: Pair, folder: Path, **options: Any) -> Any:
    """A run whose one decision says that a plain integer may become one of a domain."""
    decided = folder / "decided.json"
    decided.write_text(
        '{"resolutions": {"t": [{"action": "transform", "old_column": "m", "new_column": "m"}]}}'
    )
    return await migrate(pair, folder, resolutions=str(decided), **options)


async def interrupted(pair: Pair, folder: Path, observe: Observe) -> None:
    """A run that is stopped after its first batch, in a NEW whose search_path begins with schema one."""
    await on_new(pair, PATH)
    stop = asyncio.Event()

    async def ending() -> None:
        stop.set()

    observe.once("batch.committed", ending)
    with pytest.raises(Stopped):
        await migrated(pair, folder, stop=stop)


async def on_new(pair: Pair, statement: str) -> None:
    await pair.new.run(statement.format(name=pair.new.name, first="one"))


@pytest.mark.thinned(2)
@pytest.mark.parametrize("change", CHANGES)
async def test_a_run_does_not_go_on_in_another_new(
    make_pair: MakePair, tmp_path: Path, observe: Observe, change: str
) -> None:
    added, there, back, told = CHANGES[change]
    pair = await make_pair(OLD, NEW.format(column=ADDED[added]))
    await interrupted(pair, tmp_path, observe)
    await on_new(pair, there)
    for live in (False, True):
        with pytest.raises(Refused, match=told) as refused:
            await migrated(pair, tmp_path, live=live)
        assert refused.value.code == "TS389"
    await on_new(pair, back)
    assert (await migrated(pair, tmp_path)).exit_status == 0
    assert len(await pair.new.fetch("SELECT DISTINCT added FROM t")) == 1


async def test_a_function_that_changes_while_rows_are_written(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW.format(column=ADDED["default"]))
    _, there, _, told = CHANGES["a function that a default's function calls"]

    async def changing() -> None:
        await on_new(pair, there)

    observe.once("batch.committed", changing)
    for live in (True, False, True):
        with pytest.raises(Stopped, match=told) as stopped:
            await migrated(pair, tmp_path, live=live)
        assert stopped.value.code == "TS431"
    assert (await migrated(pair, tmp_path, restart=True)).exit_status == 0
    assert await pair.new.fetch("SELECT added, count(*) FROM t GROUP BY 1") == [(2, 400)]


async def test_restart_copies_all_in_new_as_it_is(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW.format(column=ADDED["path"]))
    await interrupted(pair, tmp_path, observe)
    await on_new(pair, CHANGES["the search_path"][1])
    assert (await migrated(pair, tmp_path, restart=True)).exit_status == 0
    assert await pair.new.fetch("SELECT added, count(*) FROM t GROUP BY 1") == [(2, 400)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE OR REPLACE FUNCTION public.unused(n integer) RETURNS integer IMMUTABLE LANGUAGE sql"
        " AS 'SELECT n + 1'",
        "CREATE OR REPLACE FUNCTION two.rate() RETURNS integer LANGUAGE sql AS 'SELECT 3'",
        "CREATE INDEX ON t (n); ALTER TABLE t ALTER m DROP DEFAULT",
    ],
)
async def test_what_no_filled_column_needs_stops_nothing(
    make_pair: MakePair, tmp_path: Path, observe: Observe, statement: str
) -> None:
    pair = await make_pair(OLD, NEW.format(column=ADDED["default"]))
    await interrupted(pair, tmp_path, observe)
    await on_new(pair, statement)
    assert (await migrated(pair, tmp_path)).exit_status == 0


async def test_a_journal_without_the_record_still_resumes(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW.format(column=ADDED["default"]))
    await interrupted(pair, tmp_path, observe)
    await pair.new.run(
        "UPDATE _tranship.run SET depends ="
        " convert_to((convert_from(depends, 'UTF8')::jsonb - 'computed')::text, 'UTF8')"
    )
    assert (await migrated(pair, tmp_path)).exit_status == 0
