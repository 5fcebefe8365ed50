"""What values depend on in OLD beside the rows of their tables is recorded and compared:
no two states are mixed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support import Database, MakePair, Pair, Servers
from support.crashing import CrashableServer
from support.observe import Observe
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused, Stopped
from tranship.model.options import MigrateOptions, NewSnapshot
from tranship.model.progress import BatchDone, Event

OLD = """
CREATE TYPE state AS ENUM ('open', 'shut'); CREATE DOMAIN states AS state[];
CREATE TABLE price (code text PRIMARY KEY, cents integer); INSERT INTO price VALUES ('a', 100);
CREATE FUNCTION twice(n integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT n * 2';
CREATE FUNCTION indirect(n integer) RETURNS integer STABLE LANGUAGE plpgsql AS 'BEGIN RETURN public.twice(n); END';
CREATE FUNCTION cents(wanted text) RETURNS integer STABLE LANGUAGE plpgsql
  AS $$ BEGIN RETURN (SELECT p.cents FROM public.price AS p WHERE p.code = wanted); END $$;
CREATE TABLE line (id integer PRIMARY KEY, code text, states states, n integer, m integer);
INSERT INTO line SELECT g, 'a', '{open}', 1, 1 FROM generate_series(1, 300) g;
CREATE TABLE elsewhere (id integer);
"""
NEW = "CREATE TABLE line (id integer PRIMARY KEY, code integer, states text, n integer, m integer);"
BY_TABLE = "(SELECT p.cents FROM public.price AS p WHERE p.code = old.code)"
BY_FUNCTION = "public.cents(old.code)"
TWICE = "public.twice(old.n)"


async def migrate(
    pair: Pair, folder: Path, expression: str, *, batches: int | None = None, **options: Any
) -> Any:
    entries: list[Mapping[str, str]] = [
        {"action": "transform", "old_column": "code", "new_column": "code", "transform_sql": expression},
        {"action": "transform", "old_column": "states", "new_column": "states"},
    ]
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"resolutions": {"line": entries}}), encoding="utf-8")
    config = load_config(pair.config(folder, tables=["line"]))
    stop, done = asyncio.Event(), 0

    def hear(event: Event) -> None:
        nonlocal done
        done += isinstance(event, BatchDone)
        if batches is not None and done >= batches:
            stop.set()

    wanted = MigrateOptions(
        **{
            "live": True,
            "results_dir": str(folder),
            "resolutions": str(answers),
            "batch_size": 100,
            "jobs": 1,
            **options,
        }
    )
    return (await api.migrate(config, wanted, hear, stop))[0]


CHANGES = {
    "a table that is read": (BY_TABLE, "UPDATE price SET cents = 200", "rows of public.price"),
    "a function": (
        TWICE,
        "CREATE OR REPLACE FUNCTION twice(n integer) RETURNS integer IMMUTABLE LANGUAGE sql"
        " AS 'SELECT n * 3'",
        r"function public.twice\(integer\)",
    ),
    "an enum label": (
        TWICE,
        "ALTER TYPE state RENAME VALUE 'open' TO 'wide'",
        "label 'open' of enum public.state",
    ),
    "a column made again": (
        TWICE,
        "ALTER TABLE line DROP m; ALTER TABLE line ADD m integer DEFAULT 5",
        "column public.line.m",
    ),
    "columns that exchange their names": (
        TWICE,
        "ALTER TABLE line RENAME n TO x; ALTER TABLE line RENAME m TO n; ALTER TABLE line RENAME x TO m",
        "column public.line.m, column public.line.n",
    ),
    "what a function may read": (
        BY_FUNCTION,
        "INSERT INTO elsewhere VALUES (1)",
        "function public.cents reads",
    ),
}


async def test_a_crash_of_old_empties_an_unlogged_table_that_is_read(
    servers: Servers, make_pair: MakePair, tmp_path: Path
) -> None:
    """No transaction ends with it."""
    new = (await make_pair("", NEW)).new
    with CrashableServer(servers.installed[servers.default_majors[0]], name="reads") as server:
        pair = Pair(Database(server, "postgres"), new)
        await pair.old.run(OLD.replace("CREATE TABLE price", "CREATE UNLOGGED TABLE price"))
        with pytest.raises(Stopped):
            await migrate(pair, tmp_path, BY_TABLE, batches=1)
        server.crash()
        server.come_back()
        with pytest.raises(Stopped, match=r"rows of public\.price") as stopped:
            await migrate(pair, tmp_path, BY_TABLE)
        assert stopped.value.code == "TS411"


@pytest.mark.parametrize("change", CHANGES)
async def test_a_run_does_not_go_on_over_another_meaning(
    make_pair: MakePair, tmp_path: Path, change: str
) -> None:
    expression, statement, told = CHANGES[change]
    pair = await make_pair(OLD, NEW)
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, expression, batches=1)
    await pair.old.run(statement)
    with pytest.raises(Stopped, match=told) as stopped:
        await migrate(pair, tmp_path, expression)
    assert stopped.value.code == "TS411"
    result = await migrate(pair, tmp_path, expression, new_snapshot=NewSnapshot.UNFINISHED)
    assert result.exit_status == 0
    assert len(await pair.new.fetch("SELECT DISTINCT code, states, n, m FROM line")) == 1


async def test_what_has_nothing_to_do_with_it_stops_nothing(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, BY_TABLE, batches=1)
    await pair.old.run(
        "INSERT INTO elsewhere VALUES (1); ALTER TYPE state ADD VALUE 'ajar';"
        " ALTER TABLE line ALTER n SET DEFAULT 3;"
        "CREATE FUNCTION other() RETURNS integer LANGUAGE sql AS 'SELECT 1'; GRANT SELECT ON line TO PUBLIC"
    )
    assert (await migrate(pair, tmp_path, BY_TABLE)).exit_status == 0


BACK_AGAIN = {
    "a label": (
        TWICE,
        ["ALTER TYPE state RENAME VALUE 'open' TO 'wide'", "ALTER TYPE state RENAME VALUE 'wide' TO 'open'"],
        r"label 'open' of enum public\.state",
        "states",
    ),
    "two labels that change places": (
        TWICE,
        [
            "ALTER TYPE state RENAME VALUE 'open' TO 'x'; ALTER TYPE state RENAME VALUE 'shut' TO 'open';"
            "ALTER TYPE state RENAME VALUE 'x' TO 'shut'"
        ]
        * 2,
        r"label 'open' of enum public\.state",
        "states",
    ),
    "a function that another one calls": (
        "public.indirect(old.n)",
        [
            f"CREATE OR REPLACE FUNCTION twice(n integer) RETURNS integer STABLE LANGUAGE plpgsql"
            f" AS 'BEGIN RETURN n * {times}; END'"
            for times in (3, 2)
        ],
        r"function public\.twice\(integer\)",
        "code",
    ),
    "a function that another one calls, to the same text": (
        "public.indirect(old.n)",
        [
            f"CREATE OR REPLACE FUNCTION twice(n integer) RETURNS integer IMMUTABLE LANGUAGE sql"
            f" AS 'SELECT n * {times}'"
            for times in (3, 2)
        ],
        r"function public\.twice\(integer\)",
        "code",
    ),
}


@pytest.mark.parametrize("change", BACK_AGAIN)
async def test_what_changes_and_is_back_again_while_rows_are_read(
    make_pair: MakePair, tmp_path: Path, observe: Observe, change: str
) -> None:
    """The second batch reads another meaning than the first and the third one."""
    expression, (there, back), told, column = BACK_AGAIN[change]
    pair = await make_pair(OLD, NEW)

    statements = [there, back]

    async def changing(place: str) -> None:
        if place == "batch.committed" and statements:
            await pair.old.run(statements.pop(0))

    observe(changing)
    with pytest.raises(Stopped, match=told) as stopped:
        await migrate(pair, tmp_path, expression)
    assert stopped.value.code == "TS431"
    assert len(await pair.new.fetch(f"SELECT DISTINCT {column} FROM line")) == 2
    with pytest.raises(Stopped, match=told):
        await migrate(pair, tmp_path, expression)
    assert (await migrate(pair, tmp_path, expression, restart=True)).exit_status == 0
    assert len(await pair.new.fetch(f"SELECT DISTINCT {column} FROM line")) == 1


async def test_a_label_that_is_renamed_while_rows_are_read(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)

    async def renaming() -> None:
        await pair.old.run("ALTER TYPE state RENAME VALUE 'open' TO 'wide'")

    observe.once("batch.committed", renaming)
    with pytest.raises(Stopped, match=r"label 'open' of enum public\.state") as stopped:
        await migrate(pair, tmp_path, TWICE)
    assert stopped.value.code == "TS431"
    assert (await migrate(pair, tmp_path, TWICE, restart=True)).exit_status == 0


async def test_a_function_whose_reads_are_unseen_is_named(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    dry = await migrate(pair, tmp_path, BY_FUNCTION, live=False)
    assert [p.object for p in dry.problems if p.code == "TS394"] == ["function public.cents"]


@pytest.mark.parametrize(
    "expression", ["extract(epoch FROM now())::integer", "(CURRENT_DATE - DATE '2020-01-01')"]
)
async def test_the_current_time_is_refused(make_pair: MakePair, tmp_path: Path, expression: str) -> None:
    pair = await make_pair(OLD, NEW)
    with pytest.raises(Refused, match="reads the current time"):
        await migrate(pair, tmp_path, expression)
    assert (await migrate(pair, tmp_path, "length('now()' || old.code)", live=False)).exit_status == 0
