"""What is said of a run beside other runs on record: of rows that these rejected, and while one is at work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from tranship import api
from tranship.config import load_config
from tranship.model.options import MigrateOptions
from tranship.report.verdict import verdict

OLD = """
CREATE TABLE shop (id int PRIMARY KEY); INSERT INTO shop VALUES (1), (2);
CREATE TABLE sale (id int PRIMARY KEY); INSERT INTO sale VALUES (1), (2), (3);
"""
NEW = """
CREATE TABLE shop (id int PRIMARY KEY CONSTRAINT low CHECK (id < 2));
CREATE TABLE sale (id int PRIMARY KEY CONSTRAINT low CHECK (id < 2));
"""
STILL = "2 rows of other tables are still rejected: tranship status"


async def test_rows_of_other_tables_are_still_rejected(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    config = load_config(pair.config(tmp_path))
    assert (await migrate(pair, tmp_path)).exit_status == 1
    await pair.new.run("ALTER TABLE shop DROP CONSTRAINT low")
    options = MigrateOptions(live=True, rejects_only=True, results_dir=str(tmp_path))
    # Rows were moved; the same command again finds none; a run of all tables tells of its own rejects.
    for _ in range(2):
        result = (await api.migrate(replace(config, never=("sale",)), options)).result
        told = verdict(result, MigrateOptions())
        assert (result.exit_status, result.rows_rejected_elsewhere) == (0, 2)
        assert STILL in told
        assert "Nothing left to do" not in told
    report = await api.report(config, results_dir=str(tmp_path))
    assert STILL in report.verdict[-1]
    assert "Nothing left to do." not in report.verdict
    page = await asyncio.to_thread(Path(report.page).read_text, encoding="utf-8")
    assert "still rejected" in page
    await pair.new.run("ALTER TABLE sale DROP CONSTRAINT low")
    last = await migrate(pair, tmp_path, rejects_only=True)
    assert verdict(last, MigrateOptions()).endswith("Nothing left to do.")
    assert "still rejected" not in "".join((await api.report(config, results_dir=str(tmp_path))).verdict)


async def test_a_finished_run_is_not_at_work_while_a_later_one_is(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    config = load_config(pair.config(tmp_path))
    first = (await migrate(pair, tmp_path)).run_id
    await pair.new.run("ALTER TABLE shop DROP CONSTRAINT low")
    seen: list[bool] = []
    told: list[str] = []

    async def look() -> None:
        seen.extend(state.running for state in await api.status(config))
        told.extend((await api.report(config, run=first, results_dir=str(tmp_path))).verdict)

    observe.once("batch.copied", look)
    await migrate(pair, tmp_path, rejects_only=True)
    assert seen == [False, True]
    assert "At work" not in "".join(told)
