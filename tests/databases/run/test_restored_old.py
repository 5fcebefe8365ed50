"""An OLD that was made again from a dump, and NEW that holds what a run brought from the first one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support import MakePair, Pair
from support.runs import migrate
from tranship.model.verdict import MigrationResult

OLD = """
CREATE TABLE person (id int PRIMARY KEY, name text); INSERT INTO person VALUES (1, 'Ada'), (2, 'Bob');
CREATE TABLE log (at int, line text); INSERT INTO log VALUES (1, 'a'), (1, 'a'), (2, 'b');
"""
NEW = "CREATE TABLE person (id int PRIMARY KEY, name text); CREATE TABLE log (at int, line text);"


async def _made_again(make_pair: MakePair, folder: Path) -> Pair:
    """Returns NEW after a finished run, beside an OLD with the same rows and another identity."""
    first = await make_pair(OLD, NEW)
    assert (await migrate(first, folder)).exit_status == 0
    return Pair((await make_pair(OLD, "")).old, first.new)


async def _counts(pair: Pair) -> tuple[Any, ...]:
    counts: tuple[Any, ...]
    (counts,) = await pair.new.fetch("SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM log)")
    return counts


def _warned(result: MigrationResult) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.object) for problem in result.problems if problem.code == "TS376"]


async def test_rows_without_a_key_that_may_come_twice_are_warned_about(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await _made_again(make_pair, tmp_path)
    for live in (False, True):
        result = await migrate(pair, tmp_path, live=live)
        assert _warned(result) == [("TS376", "public.log")]
        assert result.exit_status == 0
    assert await _counts(pair) == (2, 6)


async def test_nobody_is_warned_who_asked_for_the_rows_again(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await _made_again(make_pair, tmp_path)
    assert _warned(await migrate(pair, tmp_path, again=True)) == []


async def test_rows_with_a_key_are_there_already(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await _made_again(make_pair, tmp_path)
    await pair.old.run("DROP TABLE log")
    assert _warned(await migrate(pair, tmp_path)) == []
    assert await _counts(pair) == (2, 3)


async def test_numbers_of_a_run_protect_no_row(make_pair: MakePair, tmp_path: Path) -> None:
    """NEW numbers the rows by itself: its key would be another one the second time."""
    numbered = "CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at int, line text);"
    first = await make_pair(OLD, NEW.partition("CREATE TABLE log")[0] + numbered)
    assert (await migrate(first, tmp_path)).exit_status == 0
    again = Pair((await make_pair(OLD, "")).old, first.new)
    assert _warned(await migrate(again, tmp_path, live=False)) == [("TS376", "public.log")]
