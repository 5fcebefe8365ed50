"""Interrupted runs whose OLD has moved on, runs taken back, and the journal's own commands."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support import CliResult, MakePair, Pair
from support.observe import Observe
from support.runs import migrate
from support.scene import NEW, OLD, accounted, contents, definitions
from tranship.config import load_config
from tranship.errors import Refused, Stopped
from tranship.execution.rollback import delete as deleting
from tranship.execution.rollback.command import rollback
from tranship.execution.upkeep.doctor import examine, restore_all
from tranship.execution.upkeep.status import purge, status
from tranship.sql.new import sequences as sql_sequences

Run = Callable[..., CliResult]


async def interrupted(
    make_pair: MakePair, run_cli: Run, folder: Path, failpoint: str = "batch.committed:12"
) -> Pair:
    """A pair whose live run was killed in the middle."""
    pair = await make_pair(OLD, NEW)
    run_cli(
        "migrate",
        pair.config(folder),
        "--live",
        "--batch-size",
        "100",
        "--jobs",
        "1",
        env={"TRANSHIP_FAILPOINT": f"{failpoint}:kill"},
    )
    assert await pair.new.value("SELECT count(*) FROM _tranship.batch WHERE state = 'done'") > 0
    return pair


async def test_a_vacuum_and_other_transactions_on_old_do_not_matter(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await interrupted(make_pair, run_cli, tmp_path)
    await pair.old.run("CREATE TABLE elsewhere (x int); DROP TABLE elsewhere;")
    async with pair.old.connect() as old:
        await old.execute("VACUUM (FREEZE, ANALYZE)")
    assert (await migrate(pair, tmp_path)).exit_status == 1
    await accounted(pair)


async def test_an_old_that_was_written_to_is_asked_about(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await interrupted(make_pair, run_cli, tmp_path)
    done = " ".join(
        t for (t,) in await pair.new.fetch("SELECT old_table FROM _tranship.task WHERE state = 'done'")
    )
    writes = {
        "person": "UPDATE person SET age = 50 WHERE id % 2 = 0",
        "log": "DELETE FROM log WHERE line = 'line 7'",
        "town": "INSERT INTO town VALUES (51, 'late')",
    }
    assert 0 < sum(table in done for table in writes) < len(writes)
    await pair.old.run("; ".join(writes.values()))
    with pytest.raises(Stopped, match="written to") as stopped:
        await migrate(pair, tmp_path)
    assert stopped.value.code == "TS411"
    result = await migrate(pair, tmp_path, new_snapshot="unfinished")
    assert result.exit_status == 1
    calm = await make_pair(OLD, NEW)
    await calm.old.run("; ".join(sql for table, sql in writes.items() if table not in done))
    await migrate(calm, tmp_path)
    assert await contents(pair.new) == await contents(calm.new)


@pytest.mark.parametrize("choice", [{"new_snapshot": "all"}, {"restart": True}])
async def test_everything_may_start_over(
    make_pair: MakePair, run_cli: Run, tmp_path: Path, choice: dict[str, object]
) -> None:
    pair = await interrupted(make_pair, run_cli, tmp_path)
    await pair.old.run("DELETE FROM person WHERE id > 800; INSERT INTO town VALUES (51, 'late')")
    assert (await migrate(pair, tmp_path, **choice)).exit_status == 1
    await accounted(pair)
    assert await pair.new.value("SELECT count(*) FROM town") == 51


async def test_another_plan_for_an_unfinished_run_is_refused(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await interrupted(make_pair, run_cli, tmp_path)
    config = pair.config(tmp_path, tables=["log"])
    refused = run_cli("migrate", config, "--live")
    assert refused.status == 3, refused
    assert "another plan" in refused.stderr


async def test_rollback_takes_exactly_its_own_rows(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await pair.new.run("INSERT INTO log VALUES ('2000-01-01', 'ours before'); SELECT setval('numbers', 5)")
    before, held = await definitions(pair.new), await contents(pair.new)
    await migrate(pair, tmp_path)
    await pair.new.run(
        "INSERT INTO log VALUES ('2001-01-01', 'written since');"
        " UPDATE log SET line = 'changed' WHERE line = 'line 3'"
    )
    changed = await pair.new.value("SELECT count(*) FROM log WHERE line = 'changed'")
    config = load_config(pair.config(tmp_path))
    looked = await rollback(config, live=False)
    assert {t.table.name: t.left for t in looked.tables}["log"] == changed
    named = {name for t in looked.tables for key in t.others for name in key}
    assert named == {"ctid"}, "a table without a key has no other names for its rows"
    done = await rollback(config, live=True)
    assert done.deleted == sum(t.unchanged for t in looked.tables)
    assert await definitions(pair.new) == before
    now = await contents(pair.new)
    assert [line for (line,) in now.pop("log") if "changed" not in line] == [
        '("2000-01-01 00:00:00","ours before")',
        '("2001-01-01 00:00:00","written since")',
    ]
    held.pop("log")
    assert now == held
    await pair.new.run("DELETE FROM log WHERE line = 'changed'")
    assert (await migrate(pair, tmp_path)).exit_status == 1


@pytest.mark.parametrize("then", ["rollback", "migrate"])
@pytest.mark.parametrize(
    "place", ["rollback.begun", "rollback.deleted:2", "rollback.deleted:4", "rollback.done"]
)
async def test_an_interrupted_rollback_is_ended_by_whoever_comes_next(
    make_pair: MakePair, run_cli: Run, tmp_path: Path, place: str, then: str
) -> None:
    pair = await make_pair(OLD, NEW)
    config, before, empty = pair.config(tmp_path), await definitions(pair.new), await contents(pair.new)
    await migrate(pair, tmp_path)
    moved = await contents(pair.new)
    killed = run_cli("rollback", config, "--live", env={"TRANSHIP_FAILPOINT": f"{place}:kill"})
    assert killed.status == -signal.SIGKILL, killed
    (state,) = await status(load_config(config))
    assert state.rolling_back == msgspec.to_builtins(state)["going_back"] == (place != "rollback.done")
    now = await contents(pair.new)
    assert state.to_delete == sum(len(rows) - len(empty[table]) for table, rows in now.items())
    said = run_cli("status", config).stdout
    assert ("not deleted yet" in said) == state.rolling_back, said
    assert ("rows, 2250 left" in said) != state.rolling_back, said
    if then == "rollback":
        again = run_cli("rollback", config, "--live")
        assert again.status == 0, again
        assert await contents(pair.new) == empty
    else:
        assert (await migrate(pair, tmp_path)).exit_status == 1
        assert await contents(pair.new) == moved
        await accounted(pair)
    assert await definitions(pair.new) == before


async def test_rollback_goes_piece_by_piece_and_stops_when_asked(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observe: Observe
) -> None:
    table = (
        "CREATE TABLE line (no int, text text) PARTITION BY LIST ((no % 2));"
        " CREATE TABLE even PARTITION OF line FOR VALUES IN (0);"
    )
    table += "CREATE TABLE odd PARTITION OF line FOR VALUES IN (1);"
    pair = await make_pair(
        f"{table} INSERT INTO line SELECT n, repeat('x', 200) FROM generate_series(1, 3000) n", table
    )
    await migrate(pair, tmp_path)
    config, stop = load_config(pair.config(tmp_path)), asyncio.Event()
    monkeypatch.setattr(deleting, "PIECE", 4)
    left: list[int] = []

    async def passed(name: str) -> None:
        if name == "rollback.deleted":
            left.append(await pair.new.value("SELECT count(*) FROM line"))
            if len(left) == 3:
                stop.set()

    observe(passed)
    with pytest.raises(Stopped) as stopped:
        await rollback(config, live=True, stop=stop)
    assert (stopped.value.exit_status, len(left)) == (4, 3)
    assert 3000 > left[0] > left[1] > left[2] > 0
    done = await rollback(config, live=True)
    assert (done.deleted, [t.left for t in done.tables]) == (left[2], [0])
    assert await pair.new.value("SELECT count(*) FROM line") == 0


async def test_rollback_leaves_a_parent_that_others_refer_to(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    await pair.new.run("CREATE TABLE extra (town int REFERENCES town ON DELETE CASCADE)")
    await migrate(pair, tmp_path)
    await pair.new.run("INSERT INTO extra VALUES (7)")
    with pytest.raises(Refused, match="extra"):
        await rollback(load_config(pair.config(tmp_path)), live=True)
    assert await pair.new.value("SELECT count(*) FROM town") == 50


async def test_rollback_refuses_a_published_table_that_nothing_can_be_deleted_from(
    make_pair: MakePair, tmp_path: Path
) -> None:
    table = "CREATE TABLE line (words text)"
    pair = await make_pair(
        f"{table}; INSERT INTO line SELECT 'w' || n FROM generate_series(1, 100) n",
        f"{table}; CREATE PUBLICATION out FOR TABLE line",
    )
    await migrate(pair, tmp_path)
    config = load_config(pair.config(tmp_path))
    with pytest.raises(Refused) as refused:
        await rollback(config, live=True)
    assert refused.value.code == "TS355"
    assert refused.value.hint is not None
    await pair.new.run(refused.value.hint)
    assert (await rollback(config, live=True)).deleted == 100


async def test_status_doctor_and_purge(make_pair: MakePair, run_cli: Run, tmp_path: Path) -> None:
    pair = await interrupted(make_pair, run_cli, tmp_path, "batch.claimed:3")
    config = load_config(pair.config(tmp_path))
    (run,) = await status(config)
    assert not run.running
    assert run.rows[1] == sum(
        [await pair.old.value(f"SELECT count(*) FROM {t.table.name}") for t in run.tables]
    )
    with pytest.raises(Refused):
        await purge(config)
    await migrate(pair, tmp_path)
    assert await examine(config) == ()
    assert len((await purge(config)).runs) == 1
    assert await pair.new.value("SELECT count(*) FROM pg_namespace WHERE nspname = '_tranship'") == 0
    assert await status(config) == ()


async def test_doctor_puts_back_what_a_dead_run_left(
    make_pair: MakePair, run_cli: Run, tmp_path: Path
) -> None:
    pair = await make_pair(OLD, NEW)
    before = await definitions(pair.new)
    run_cli("migrate", pair.config(tmp_path), "--live", env={"TRANSHIP_FAILPOINT": "switches.off:1:kill"})
    config = load_config(pair.config(tmp_path))
    assert await definitions(pair.new) != before
    (found,) = await examine(config)
    assert "t_always" in found.undo.what or "a_b" in found.undo.what
    assert all(d.restored for d in await restore_all(config, print))
    assert await definitions(pair.new) == before


async def test_the_way_back_of_a_sequence_is_on_record_before_it_moves(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``setval`` is not undone by a rollback: whatever ends the transaction that moves a sequence,
    rollback finds where it stood.
    """
    pair = await make_pair(OLD, NEW)
    await pair.new.run("SELECT setval('numbers', 5)")
    real = sql_sequences.advance_sequence

    def failing(*arguments: Any, **options: Any) -> str:
        return (
            f"DO $$BEGIN PERFORM 1 FROM ({real(*arguments, **options)}) s;"
            " RAISE 'the connection is lost' USING ERRCODE = '53100'; END$$"
        )

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(sql_sequences, "advance_sequence", failing)
        await migrate(pair, tmp_path)
    assert await pair.new.value("SELECT last_value FROM numbers") == 4711
    done = await rollback(load_config(pair.config(tmp_path)), live=True)
    assert [str(name) for name in done.sequences] == ["public.numbers"]
    assert await pair.new.value("SELECT last_value FROM numbers") == 5
