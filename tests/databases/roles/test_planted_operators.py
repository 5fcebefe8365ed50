"""Operators and functions that somebody planted on the search_path never run with the rights of the role that
migrates: not in tranship's own statements, and not in those of the driver.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from support import CliResult, MakePair
from support.planted import MARK, PLANT
from tranship.server.deadline import WatchedConnection
from tranship.sql import queries
from tranship.sql.queries import query

UNDER_AN_EMPTY_PATH = "catalog_"
"""Queries whose names begin so run under an empty search_path (``server/catalog/printing.py``)."""
FILES = sorted(
    path.stem
    for path in Path(queries.__file__).parent.glob("*.sql")
    if not path.stem.startswith(UNDER_AN_EMPTY_PATH)
)

TABLES = """
CREATE TYPE public.mood AS ENUM ('glad', 'sad');
CREATE TABLE public.person (id {id} PRIMARY KEY, name {name} UNIQUE, mood public.mood, moods public.mood[]);
CREATE TABLE public.note (id {id} PRIMARY KEY, person {id} CONSTRAINT note_person REFERENCES public.person, up {id});
CREATE TABLE public.line (words text);
"""
OLD = (
    TABLES.format(id="int", name="text")
    + """
INSERT INTO public.person SELECT g, 'n' || g::text, 'glad', '{glad,sad}' FROM pg_catalog.generate_series(1, 60) AS g;
INSERT INTO public.note SELECT g, g, 1 FROM pg_catalog.generate_series(1, 60) AS g;
INSERT INTO public.line SELECT 'words' FROM pg_catalog.generate_series(1, 60);
"""
)
NEW = (
    TABLES.format(id="bigint", name="varchar(9)")
    + """
ALTER TABLE public.person ADD CONSTRAINT seven CHECK (name::text <> 'n7'::text);
ALTER TABLE public.note ADD CONSTRAINT note_up FOREIGN KEY (up) REFERENCES public.note;
CREATE INDEX note_by_person ON public.note (person);
CREATE FUNCTION public.seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER seen AFTER INSERT ON public.note FOR EACH ROW EXECUTE FUNCTION public.seen();
INSERT INTO public.person VALUES (1, 'n1', 'glad', '{glad,sad}');
"""
)
DECIDED = '{"resolutions": {"person": [{"action": "transform", "old_column": "name", "new_column": "name"}]}}'


async def test_the_queries_take_only_built_in_operators(make_pair: MakePair) -> None:
    pair = await make_pair("", PLANT, majors=(18, 18))
    found = []
    async with pair.new.connect(connection_class=WatchedConnection) as conn:
        for name in FILES:
            statement = await conn.prepare(f"EXPLAIN (VERBOSE, GENERIC_PLAN, COSTS OFF) {query(name)}")
            lines = await statement.fetch(*[None] * len(statement.get_parameters()))
            if any("public." in line[0] for line in lines):
                found.append(name)
    assert found == []


def test_a_whole_run_takes_only_built_in_operators(
    make_pair: MakePair, tmp_path: Path, run_cli: Callable[..., CliResult]
) -> None:
    pair = asyncio.run(make_pair(PLANT + OLD, PLANT + NEW))
    config = pair.config(tmp_path, tables=["person", "note", "line"])
    (tmp_path / "decided.json").write_text(DECIDED)
    migrate = ("migrate", config, "--resolutions", "decided.json")
    for command in (
        ("analyze", config),
        migrate,
        (*migrate, "--rehearse"),
        (*migrate, "--live", "--rebuild-indexes", "always", "--batch-size", "25"),
        (*migrate, "--live"),
        ("doctor", config),
        ("status", config),
        ("rollback", config, "--live"),
    ):
        done = run_cli(*command)
        assert MARK not in str(done)
        assert done.status == (1 if command[0] == "migrate" else 0), done
        if command[0] == "migrate":
            assert re.search(
                r"read = 177 written \+ 2 rejected|177 rows would be written, 1 is there already, 2 rejected",
                done.stdout,
            ), done
