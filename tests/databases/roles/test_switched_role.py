"""A login role that takes on the owner by default (ALTER ROLE … SET role): what its own sessions do is hidden
from it, and it may not end them.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from support import MakePair
from support.forked import Command
from support.oracle import unaccounted
from support.runs import migrate, owned_by_a_plain_role
from support.scene import NEW, OLD
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused
from tranship.model.notes import Retrying
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event, Noted

OPTIONS = ("--live", "--batch-size", "100", "--jobs", "2")


def _at_its_third_batch(command: Command) -> None:
    deadline = time.monotonic() + 60
    while command.running and command.passages.get("batch.copied", 0) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)


async def test_a_second_run_is_refused_and_may_take_over(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    owner = (await owned_by_a_plain_role(pair))["username"]
    login = f"login_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {login} LOGIN PASSWORD 'secret' IN ROLE {owner};"
        f" ALTER ROLE {login} SET role = '{owner}'"
    )
    role = {"username": login, "password": "secret"}
    config = str(pair.config(tmp_path, name="first.json", new=role))
    first = Command.start(
        ["migrate", config, *OPTIONS], tmp_path, env={"TRANSHIP_FAILPOINT": "batch.copied:3:sleep=60"}
    )
    try:
        await asyncio.to_thread(_at_its_third_batch, first)
        first.send(signal.SIGSTOP)
        with pytest.raises(Refused, match=r"host .*, pid \d+, since") as refused:
            await migrate(pair, tmp_path, new=dict(role))
        assert refused.value.code == "TS360"
        assert (await migrate(pair, tmp_path, new=dict(role), take_over=True)).exit_status == 1
    finally:
        first.send(signal.SIGKILL)
        first.send(signal.SIGCONT)
    assert await unaccounted(pair) == []


async def test_its_own_limit_of_connections_counts(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(OLD, NEW)
    owner = (await owned_by_a_plain_role(pair))["username"]
    login = f"few_{pair.new.name}"
    await pair.new.run(
        f"CREATE ROLE {login} LOGIN PASSWORD 'secret' IN ROLE {owner} CONNECTION LIMIT 5;"
        f" ALTER ROLE {login} SET role = '{owner}'"
    )
    config = load_config(pair.config(tmp_path, new={"username": login, "password": "secret"}))
    events: list[Event] = []
    result, _ = await api.migrate(
        config, MigrateOptions(live=True, results_dir=str(tmp_path), batch_size=20, jobs=8), events.append
    )
    assert result.exit_status == 1
    assert "TS343" in {problem.code for problem in result.problems}
    assert not [e for e in events if isinstance(e, Noted) and isinstance(e.what, Retrying)]
