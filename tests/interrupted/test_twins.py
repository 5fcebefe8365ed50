"""A test of the tests: six engines, each broken in one way, must each be caught
where the sound engine passes.

The zombie, which takes long, is a campaign here; the simulation has one in every run.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from support import CliResult, MakePair, Pair
from support.forked import Command
from support.oracle import MOVED, Truth, catalog, judge, learn
from support.proxy import Proxy
from support.scene import NEW, OLD
from support.twins import TWINS

BIGGER = OLD.replace("generate_series(1, 700)", "generate_series(1, 6000)")
LATER = "UPDATE log SET line = line || ' of later'"
KNOWN: dict[str, Truth] = {}
"""Truths, by what OLD holds."""
EXPORTED = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
    " AND query ~ 'current_snapshot' AND pid <> pg_backend_pid())"
)
"""The twin sleeps there; the sound engine goes on too fast for it to be seen."""
LOCKED = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'log'::regclass AND mode = 'AccessShareLock'"
    " AND pid <> pg_backend_pid())"
)
"""From just before the sound engine's snapshot to its end."""
OPTIONS = ("--live", "--batch-size", "100", "--jobs", "1")


def migrate(
    pair: Pair, folder: Path, twin: str, *options: str, failpoint: str = "", **config: dict[str, object]
) -> Command:
    """Starts a live run of a twin (``""``: of the sound engine)."""
    env = {"TRANSHIP_FAILPOINT": failpoint} if failpoint else {}
    return Command.start(
        ["migrate", str(pair.config(folder, **config)), *(options or OPTIONS)], folder, env=env, twin=twin
    )


async def ended(command: Command) -> CliResult:
    """Its end, while other things go on."""
    return await asyncio.to_thread(command.wait)


async def until(seconds: float, reached: str, pair: Pair, *, old: bool = False) -> None:
    """Waits until a query says true."""
    deadline = time.monotonic() + seconds
    while not await (pair.old if old else pair.new).value(reached):
        assert time.monotonic() < deadline, f"never true: {reached}"
        await asyncio.sleep(0.02)


async def truth(make_pair: MakePair, folder: Path, script: str) -> Truth:
    """Where an undisturbed run ends."""
    if script in KNOWN:
        return KNOWN[script]
    calm = await make_pair(script, NEW)
    before = await catalog(calm.new)
    done = await ended(migrate(calm, folder, "", "--live"))
    assert done.status == MOVED, done
    KNOWN[script] = await learn(calm, before)
    return KNOWN[script]


async def completed(pair: Pair, folder: Path, twin: str, *options: str) -> list[str]:
    """Runs again until it is complete; what there is to say when it never is."""
    for _ in range(2):
        done = await ended(migrate(pair, folder, twin, *options))
        if done.status in (0, MOVED):
            return []
    return [f"never complete: {done}"]


async def killed(make_pair: MakePair, folder: Path, twin: str) -> list[str]:
    """Killed between copying a batch and its end."""
    expected = await truth(make_pair, folder, OLD)
    pair = await make_pair(OLD, NEW)
    assert (
        await ended(migrate(pair, folder, twin, failpoint="batch.copied:9:kill"))
    ).status == -signal.SIGKILL
    return await completed(pair, folder, twin) + await judge(pair, expected)


async def zombie(make_pair: MakePair, folder: Path, twin: str) -> list[str]:
    """Stopped dead, overtaken by a run that reads OLD anew, and woken up."""
    expected = await truth(make_pair, folder, f"{BIGGER}; {LATER}")
    pair = await make_pair(BIGGER, NEW)
    first = migrate(pair, folder, twin)
    await until(30, "SELECT to_regclass('log') IS NOT NULL AND EXISTS (SELECT FROM log)", pair)
    first.send(signal.SIGSTOP)
    await pair.old.run(LATER)
    await pair.new.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name ~ '^tranship'"
    )
    second = migrate(
        pair, folder, twin, *OPTIONS, "--new-snapshot", "unfinished", failpoint="run.taken:1:sleep=4"
    )
    await asyncio.to_thread(_until_passed, second, "run.taken")
    first.send(signal.SIGCONT)
    await ended(first)
    done = await ended(second)
    found = [] if done.status == MOVED else await completed(pair, folder, twin)
    judged = await judge(pair, expected)
    return found + [text for text in judged if "I4" not in text and "other rows are rejected" not in text]


def _until_passed(command: Command, name: str) -> None:
    deadline = time.monotonic() + 60
    while command.running and name not in command.passages and time.monotonic() < deadline:
        time.sleep(0.02)


async def truncated(make_pair: MakePair, folder: Path, twin: str) -> list[str]:
    """One transaction on OLD empties one table and fills another just when the run takes its view."""
    pair = await make_pair(OLD, NEW)
    command = migrate(pair, folder, twin)
    await until(30, EXPORTED if twin else LOCKED, pair, old=True)
    writing = asyncio.create_task(
        pair.old.run("BEGIN; TRUNCATE log; INSERT INTO town VALUES (51, 'late'); COMMIT")
    )
    done = await ended(command)
    await writing
    if done.status not in (0, MOVED):
        done = await ended(migrate(pair, folder, twin, *OPTIONS, "--new-snapshot", "all"))
    assert done.status in (0, MOVED), done
    seen = (
        await pair.new.value("SELECT count(*) FROM town"),
        await pair.new.value("SELECT count(*) FROM log"),
    )
    return (
        []
        if seen in ((50, 700), (51, 0))
        else [f"I3: town and log hold {seen} rows, which OLD never held together"]
    )


async def calm(make_pair: MakePair, folder: Path, twin: str) -> list[str]:
    """Nothing happens at all."""
    expected = await truth(make_pair, folder, OLD)
    pair = await make_pair(OLD, NEW)
    return await completed(pair, folder, twin) + await judge(pair, expected)


async def cut_short(make_pair: MakePair, folder: Path, twin: str) -> list[str]:
    """OLD's connection is closed in an orderly way in the middle of a COPY."""
    expected = await truth(make_pair, folder, BIGGER)
    pair = await make_pair(BIGGER, NEW)
    async with Proxy(pair.old.server.host, pair.old.server.port, "close in copy", 150_000) as proxy:
        options = ("--live", "--batch-size", "50000", "--jobs", "1")
        await ended(migrate(pair, folder, twin, *options, old=proxy.address))
        assert proxy.struck
    return await completed(pair, folder, twin, *options) + await judge(pair, expected)


SCENES = {
    "checkpoint_alone": killed,
    "no_fence": zombie,
    "lock_after_snapshot": truncated,
    "border_doubled": calm,
    "last_range_missing": calm,
    "end_of_stream": cut_short,
}


@pytest.mark.parametrize(
    "twin", [pytest.param(t, marks=pytest.mark.campaign if t == "no_fence" else ()) for t in TWINS]
)
async def test_a_broken_twin_is_caught(make_pair: MakePair, tmp_path: Path, twin: str) -> None:
    found = await SCENES[twin](make_pair, tmp_path, twin)
    print(twin, "caught by:", *found, sep="\n  ")
    assert found


@pytest.mark.parametrize("scene", [pytest.param(zombie, marks=pytest.mark.campaign), truncated])
async def test_the_sound_engine_passes_where_a_twin_fails(
    make_pair: MakePair, tmp_path: Path, scene: object
) -> None:
    """The other scenes are those of the kill and network tests."""
    assert callable(scene)
    assert await scene(make_pair, tmp_path, "") == []
