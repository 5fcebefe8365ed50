"""After a committed batch the exit status tells what became of the rows, whatever becomes of the files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from support import MakePair, connected
from support.observe import Observe
from tranship import api
from tranship.config import load_config
from tranship.errors import Stopped, UsageError
from tranship.model.notes import ResultUnwritten
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event, Noted
from tranship.report.notes import words

OLD = """
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT n, CASE WHEN n = 5 THEN 'bad' ELSE 'ok' END FROM generate_series(1, 60) n
"""
NEW = "CREATE TABLE t (id bigint PRIMARY KEY, v text CHECK (v = 'ok'))"


@pytest.mark.parametrize("place", ["run.finished", "batch.committed"])
async def test_the_folder_is_gone(make_pair: MakePair, tmp_path: Path, observe: Observe, place: str) -> None:
    pair = await make_pair(OLD, NEW)
    results = tmp_path / "results"
    decisions = tmp_path / "r.json"
    decisions.write_text('{"resolutions": {}}')
    heard: list[Event] = []

    async def replace_folder() -> None:
        shutil.rmtree(results)
        results.write_text("")
        decisions.unlink()

    observe.once(place, replace_folder)
    config = load_config(pair.config(tmp_path))
    options = MigrateOptions(live=True, results_dir=str(results), batch_size=20, resolutions=str(decisions))
    result, path = await api.migrate(config, options, heard.append)
    assert (result.exit_status, result.stats.rows_migrated, path) == (1, 59, None)
    (told,) = [e.what for e in heard if isinstance(e, Noted) and isinstance(e.what, ResultUnwritten)]
    assert json.loads(told.result)["stats"]["rows_failed"] == 1
    line = words(told)
    assert "\n" not in line and str(results) in line and "'bad'" not in line
    results.unlink()
    again, path = await api.migrate(config, MigrateOptions(live=True, results_dir=str(results)))
    assert (again.stats.rows_failed, path is not None) == (1, True)
    assert again.rejects_file is not None


async def test_a_stop_is_a_stop_without_a_folder(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    results = tmp_path / "results"

    async def harm() -> None:
        shutil.rmtree(results)
        results.write_text("")
        await pair.new.run("ALTER TABLE t RENAME TO away")

    observe.once("batch.committed", harm)
    options = MigrateOptions(live=True, results_dir=str(results), batch_size=20)
    heard: list[Event] = []
    with pytest.raises(Stopped):
        await api.migrate(load_config(pair.config(tmp_path)), options, heard.append)
    assert any(isinstance(e, Noted) and isinstance(e.what, ResultUnwritten) for e in heard)


@pytest.mark.parametrize("prefix", ["x" * 191, "é" * 100, "x" * 5000])
async def test_a_long_prefix_is_refused_first(make_pair: MakePair, tmp_path: Path, prefix: str) -> None:
    pair = await make_pair(OLD, NEW)
    config = load_config(pair.config(tmp_path))
    with pytest.raises(UsageError, match="the prefix is longer"):
        await api.migrate(config, MigrateOptions(live=True, results_dir=str(tmp_path), prefix=prefix))
    result, path = await api.migrate(
        config, MigrateOptions(live=True, results_dir=str(tmp_path), prefix="x" * 190)
    )
    assert path is not None and path.exists() and result.rejects_file is not None


async def test_what_changed_after_the_snapshot_was_lost_stops_and_does_not_refuse(
    make_pair: MakePair, tmp_path: Path, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)

    async def lose() -> None:
        async with connected(pair.old.server) as conn:
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", pair.old.name
            )
        await pair.old.run("SET lock_timeout = '5s'; ALTER TABLE t ADD more int")

    observe.once("batch.committed", lose)
    options = MigrateOptions(live=True, results_dir=str(tmp_path), batch_size=10, jobs=1)
    with pytest.raises(Stopped) as stopped:
        await api.migrate(load_config(pair.config(tmp_path)), options)
    assert stopped.value.exit_status == 4 and stopped.value.code == "TS433"
    assert _statuses(tmp_path) == [4]


def _statuses(folder: Path) -> list[int]:
    """The exit statuses that the result files of live runs tell."""
    return [json.loads(path.read_text())["exit_status"] for path in folder.glob("*result_live*.json")]
