"""What a run cannot wait out stops it at once, resumable, in words; and a second run is refused
before it looks at anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from support import CliResult, MakePair
from support.observe import Observe
from support.runs import migrate, owned_by_a_plain_role
from support.scene import NEW, OLD, accounted, contents
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused, Stopped
from tranship.execution.resilience.stop_reasons import stopped_by
from tranship.model.options import MigrateOptions


@pytest.mark.parametrize(
    ("code", "harm", "cure"),
    [
        ("TS404", "REVOKE INSERT ON log FROM {role}", "GRANT INSERT ON log TO {role}"),
        ("TS405", "ALTER TABLE log RENAME TO gone", "ALTER TABLE gone RENAME TO log"),
    ],
)
async def test_a_cause_that_stays(
    make_pair: MakePair, tmp_path: Path, observe: Observe, code: str, harm: str, cure: str
) -> None:
    pair, calm = await make_pair(OLD, NEW), await make_pair(OLD, NEW)
    await migrate(calm, tmp_path)
    role = await owned_by_a_plain_role(pair)

    async def striking() -> None:
        await pair.new.run(harm.format(role=role["username"]))

    observe.once("batch.committed", striking)
    with pytest.raises(Stopped) as stopped:
        await migrate(pair, tmp_path, new=role)
    assert stopped.value.code == code
    assert "same command again" in stopped.value.hint
    await pair.new.run(cure.format(role=role["username"]))
    assert (await migrate(pair, tmp_path, new=role)).exit_status == 1
    assert await contents(pair.new) == await contents(calm.new)
    await accounted(pair)


def test_words_for_memory() -> None:
    assert stopped_by(asyncpg.OutOfMemoryError("out of memory")).code == "TS403"


async def test_a_second_run_is_refused_before_anything_is_compared(
    make_pair: MakePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observe: Observe
) -> None:
    pair = await make_pair(OLD, NEW)
    config, options = (
        load_config(pair.config(tmp_path)),
        MigrateOptions(live=True, results_dir=str(tmp_path), batch_size=100),
    )
    begun, refused = [], []

    async def never(*_: object) -> None:
        raise AssertionError("it compared")

    async def second(name: str) -> None:
        if name == "batch.committed" and not begun:
            begun.append(name)
            with monkeypatch.context() as patched, pytest.raises(Refused) as refusal:
                patched.setattr(sys.modules["tranship.api.migrate"], "prepare", never)
                await api.migrate(config, options)
            refused.append(refusal.value)

    observe(second)
    result, _ = await api.migrate(config, options)
    assert result.exit_status == 1
    assert refused[0].code == "TS360"
    assert "host " in refused[0].message


async def test_a_server_that_cannot_answer_a_dry_run(
    make_pair: MakePair, run_cli: Callable[..., CliResult], tmp_path: Path
) -> None:
    pair = await make_pair(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
        """CREATE FUNCTION greedy(int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'out of memory'
            USING ERRCODE = '53200'; END$$;
        CREATE TABLE t (id int PRIMARY KEY CHECK (greedy(id)))""",
    )
    told = run_cli("migrate", pair.config(tmp_path))
    assert told.status == 2, told
    assert "TS212 could not begin: out of memory (SQLSTATE 53200)" in told.stderr
    assert "Traceback" not in told.stderr
    assert "TS900" not in told.stderr
