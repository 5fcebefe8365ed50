"""A table that a finished run of this OLD filled is not filled a second time by other decisions
or through another journal.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused, Stopped
from tranship.model.options import MigrateOptions
from tranship.model.progress import BatchDone, Event
from tranship.report.console import Console

OLD = """
CREATE TABLE sale (at date NOT NULL, state text NOT NULL);
INSERT INTO sale VALUES ('2025-03-01', 'o'), ('2025-03-02', 'p'), ('2025-03-03', '?');
CREATE TABLE shop (id integer PRIMARY KEY); INSERT INTO shop VALUES (1), (2);
"""
NEW = """
CREATE TABLE sale (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at date NOT NULL, state text NOT NULL);
CREATE TABLE shop (id integer PRIMARY KEY);
"""
FIRST = {"o": "open", "p": "paid"}
MENDED = {**FIRST, "?": "unknown"}


async def migrate(
    pair: Pair,
    folder: Path,
    states: Mapping[str, str],
    *,
    keys: Mapping[str, Any] | None = None,
    batches: int | None = None,
    **options: Any,
) -> Any:
    """A live run, ``live=False``: a dry run; ``batches``: after so many it is stopped."""
    stop, done = asyncio.Event(), 0

    def hear(event: Event) -> None:
        nonlocal done
        done += isinstance(event, BatchDone)
        if batches is not None and done >= batches:
            stop.set()

    entry = {"action": "transform", "old_column": "state", "new_column": "state", "value_mapping": states}
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"resolutions": {"sale": [entry]}}), encoding="utf-8")
    config = load_config(pair.config(folder, **(keys or {})))
    wanted = MigrateOptions(
        **{
            "live": True,
            "results_dir": str(folder),
            "resolutions": str(answers),
            "batch_size": 1,
            "jobs": 1,
            **options,
        }
    )
    return (await api.migrate(config, wanted, hear, stop))[0]


def refusals(result: Any) -> set[str]:
    return {problem.code for problem in result.problems if not problem.warning}


async def sales(pair: Pair) -> list[tuple[str, int]]:
    return await pair.new.fetch("SELECT state, count(*) FROM sale GROUP BY 1 ORDER BY 1")


async def test_other_decisions_are_refused_and_again_is_said(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    assert (await migrate(pair, tmp_path, FIRST)).exit_status == 1
    dry = await migrate(pair, tmp_path, MENDED, live=False)
    assert (dry.exit_status, refusals(dry)) == (3, {"TS390"})
    for rehearse in (False, True):
        with pytest.raises(Refused, match=r"the finished run .* moved its rows under other decisions"):
            await migrate(pair, tmp_path, MENDED, live=not rehearse, rehearse=rehearse)
    assert await sales(pair) == [("open", 1), ("paid", 1)]
    assert (await migrate(pair, tmp_path, MENDED, again=True)).exit_status == 0
    assert await sales(pair) == [("open", 2), ("paid", 2), ("unknown", 1)]
    assert await pair.new.value("SELECT count(*) FROM shop") == 2


async def test_a_run_that_moves_rows_again_is_resumed_without_saying_it_twice(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, FIRST)
    with pytest.raises(Stopped):
        await migrate(pair, tmp_path, MENDED, again=True, batches=1)
    assert (await migrate(pair, tmp_path, MENDED)).exit_status == 0
    assert await sales(pair) == [("open", 2), ("paid", 2), ("unknown", 1)]


async def test_a_table_of_which_nothing_was_written_may_be_tried_anew(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    assert (await migrate(pair, tmp_path, {"-": "none"})).exit_status == 1
    assert (await migrate(pair, tmp_path, MENDED)).exit_status == 0
    assert await sales(pair) == [("open", 1), ("paid", 1), ("unknown", 1)]


@pytest.mark.parametrize("finished", [True, False])
async def test_another_journal_that_knows_the_run_is_found(
    make_pair: MakePair, tmp_path: Path, finished: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    if finished:
        await migrate(pair, tmp_path, MENDED)
    else:
        with pytest.raises(Stopped):
            await migrate(pair, tmp_path, MENDED, batches=1)
    rows = await pair.new.value("SELECT count(*) FROM sale")
    other = {"journal_schema": "beside"}
    dry = await migrate(pair, tmp_path, MENDED, keys=other, live=False)
    assert (dry.exit_status, refusals(dry)) == (3, {"TS391"})
    with pytest.raises(Refused, match="journal in schema _tranship") as refused:
        await migrate(pair, tmp_path, MENDED, keys=other)
    assert refused.value.code == "TS391"
    assert await pair.new.value("SELECT count(*) FROM sale") == rows
    assert await pair.new.value("SELECT to_regnamespace('beside')") is None
    if finished:
        await migrate(pair, tmp_path, MENDED, keys=other, again=True)
        assert await pair.new.value("SELECT count(*) FROM sale") == 2 * rows
    else:
        with pytest.raises(Refused):
            await migrate(pair, tmp_path, MENDED, keys=other, again=True)


SINCE = [
    ("SELECT 1", {}),
    ("INSERT INTO sale VALUES ('2025-04-01', 'o')", {"sale": (3, 4, 1)}),
    ("UPDATE sale SET at = at + 1 WHERE state = 'o'", {"sale": (3, 3, 1)}),
    ("DELETE FROM shop WHERE id = 2", {"shop": (2, 1, 0)}),
    ("DELETE FROM shop WHERE id = 2; INSERT INTO shop VALUES (3)", {"shop": (2, 2, 1)}),
    ("SELECT * FROM shop FOR UPDATE", {}),
]


@pytest.mark.parametrize(("statement", "told"), SINCE)
@pytest.mark.parametrize("live", [True, False])
async def test_a_repeated_run_says_that_old_was_written_to(
    make_pair: MakePair, tmp_path: Path, statement: str, told: Mapping[str, tuple[int, int, int]], live: bool
) -> None:
    pair = await make_pair(OLD, NEW)
    await migrate(pair, tmp_path, MENDED)
    await pair.old.run(statement)
    again = await migrate(pair, tmp_path, MENDED, live=live)
    assert again.exit_status == 0
    held = {t.table: (t.rows_read, t.rows_in_old_now, t.rows_written_since) for t in again.tables}
    same = {"sale": (3, 3, 0), "shop": (2, 2, 0)}
    assert held == {f"public.{name}": told.get(name, what) for name, what in same.items()}
    lines = Console(MigrateOptions()).finish(again, "result.json")
    assert any("OLD was written to since, in 1 table," in line for line in lines) == bool(told)
    assert any("2 tables: as many rows now as then, none of them written since" in x for x in lines) != bool(
        told
    )


async def test_a_run_of_rejected_rows_counts_from_its_own_snapshot(
    make_pair: MakePair, tmp_path: Path
) -> None:
    pair = await make_pair(f"{OLD}; ALTER TABLE sale ADD PRIMARY KEY (at)", NEW)
    await migrate(pair, tmp_path, FIRST)
    await pair.old.run("UPDATE sale SET state = 'p' WHERE state = '?'")
    await migrate(pair, tmp_path, FIRST, rejects_only=True)
    again = await migrate(pair, tmp_path, FIRST)
    assert [t.rows_written_since for t in again.tables if t.table == "public.sale"] == [0]
