"""What a campaign does to a command: each kind strikes once, at a moment that its seed draws, and waits for the end."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support import CliResult, MakePair, Pair
from support.crashing import CrashableServer
from support.crowded import TABLES
from support.forked import Command
from support.oracle import MOVED, Truth, odd_end
from support.proxy import Proxy

KINDS = {
    "kill": 28,
    "kill at": 12,
    "reset": 8,
    "commit": 4,
    "close in copy": 4,
    "crash": 6,
    "race": 6,
    "stall": 3,
    "term": 5,
    "overtaken": 4,
    "backend": 8,
    "cancel": 4,
    "lock": 4,
}
"""Disturbances and how often each is drawn."""
COPY_BYTES = 400
DOWN_BYTES = (2_000, 400_000)
UP_BYTES = (500, 120_000)
COMMITS = 60
BY_CLOCK = 0.4
"""The part of the moments that is drawn by the clock; the others by the passages."""
RESETS_AT_A_MOMENT = 0.7
GONE = re.compile("TS430|TS500")
"""Rows that a run wrote are not in NEW any more."""
UNLOGGED = "cache"
REFUSED, STOPPED, DIFFERS = 3, 4, 5
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^tranship' ORDER BY pid"
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tranship' AND state = 'active'"


@dataclass
class Setting:
    """What all runs share."""

    make_pair: MakePair
    majors: tuple[int, int]
    truth: Truth
    options: tuple[str, ...]
    seconds: float
    """How long an undisturbed run takes."""
    passages: dict[str, int]
    kinds: tuple[str, ...]
    """What is drawn."""


@dataclass
class Story:
    """One run as it went."""

    number: int
    struck: list[tuple[str, str]] = field(default_factory=list)
    """What struck and the passage before it."""
    done: list[CliResult] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    crashed: bool = False
    """NEW's server crashed, which empties its UNLOGGED table."""
    emptied: bool = False
    """The last command said that rows of the UNLOGGED table are gone: the run has to be rolled back."""

    def end(self, command: Command, kind: str, passed: str | None) -> None:
        """Waits for a command and notes how it was disturbed (``passed`` None: it was not)."""
        try:
            done = command.wait()
        except TimeoutError as hang:
            self.violations.append(f"hang after {kind}: {hang}")
            return
        self.done.append(done)
        if not self.finds_emptied(done) and not (kind == "lock" and _found_in_use(done)):
            at_once = kind == "term" and not command.passages.get("batch.committed")
            killed = kind.startswith("kill")
            self.violations += [
                f"{text} after {kind}\n{done}"
                for text in odd_end(done.status, killed=killed, at_once=at_once)
            ]
        if passed is not None:
            self.struck.append((kind, passed))

    def finds_emptied(self, done: CliResult) -> bool:
        """Notes and returns whether a command said that the rows of the UNLOGGED table, and no others, are gone after a crash."""
        told = [line for line in (done.stdout + done.stderr).splitlines() if GONE.search(line)]
        self.emptied = self.crashed and bool(told) and all(UNLOGGED in line for line in told)
        return self.emptied and done.status in (STOPPED, DIFFERS)


def _found_in_use(done: CliResult) -> bool:
    """Whether a command was refused before it began, because the lock stood on a table whose triggers it has to take off."""
    return done.status == REFUSED and "TS347" in done.stderr


def _until(reached: Callable[[], bool]) -> None:
    while not reached():
        time.sleep(0.002)


async def _moment(rng: random.Random, setting: Setting, command: Command) -> None:
    """Somewhere in a command's life: by the clock (long steps are hit more often), else by the failpoints passed (quick ones are)."""
    if rng.random() < BY_CLOCK:
        await asyncio.sleep(rng.uniform(0.05, 1.0) * setting.seconds)
        return
    wanted = rng.randint(1, sum(setting.passages.values()))
    await asyncio.to_thread(_until, lambda: not command.running or sum(command.passages.values()) >= wanted)
    await asyncio.sleep(rng.uniform(0, 0.02))


async def _kill(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    command = Command.start(["migrate", str(pair.config(folder)), *setting.options], folder)
    await _moment(rng, setting, command)
    passed = command.passed if command.running else None
    command.send(signal.SIGKILL)
    await asyncio.to_thread(story.end, command, "kill", passed)


async def _kill_at(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    name = rng.choice(sorted(setting.passages))
    number = rng.randint(1, setting.passages[name])
    failpoint = {"TRANSHIP_FAILPOINT": f"{name}:{number}:kill"}
    command = Command.start(["migrate", str(pair.config(folder)), *setting.options], folder, env=failpoint)
    await asyncio.to_thread(command.process.join, 90)
    await asyncio.to_thread(
        story.end, command, "kill at", name if command.process.exitcode == -signal.SIGKILL else None
    )


async def _through(
    fault: str, k: int, side: str, name: str, setting: Setting, pair: Pair, folder: Path, story: Story
) -> None:
    """A command through a proxy that strikes once."""
    server = (pair.old if side == "old" else pair.new).server
    async with Proxy(server.host, server.port, fault, k) as proxy:
        config = pair.config(folder, name="config-proxy.json", **{side: proxy.address})
        command = Command.start(["migrate", str(config), *setting.options], folder)
        await asyncio.to_thread(_until, lambda: not command.running or proxy.struck)
        passed = command.passed if proxy.struck else None
        await asyncio.to_thread(story.end, command, f"{name} {side}", passed)


async def _spoiled(
    fault: str, name: str, rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story
) -> None:
    """A command through a proxy that strikes the connection which says something next, at a moment drawn as for SIGKILL."""
    side = rng.choice(("old", "new"))
    server = (pair.old if side == "old" else pair.new).server
    async with Proxy(server.host, server.port) as proxy:
        config = pair.config(folder, name="config-proxy.json", **{side: proxy.address})
        command = Command.start(["migrate", str(config), *setting.options], folder)
        await _moment(rng, setting, command)
        proxy.fault, passed = fault, command.passed
        await asyncio.to_thread(_until, lambda: not command.running or proxy.struck)
        await asyncio.to_thread(story.end, command, f"{name} {side}", passed if proxy.struck else None)


async def _reset(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    if rng.random() < RESETS_AT_A_MOMENT:
        await _spoiled(rng.choice(("reset down", "reset up")), "reset", rng, setting, pair, folder, story)
        return
    down = rng.random() < 0.5
    k = int(rng.uniform(*(DOWN_BYTES if down else UP_BYTES)) * rng.random()) + 1
    await _through(
        "reset down" if down else "reset up",
        k,
        rng.choice(("old", "new")),
        "reset",
        setting,
        pair,
        folder,
        story,
    )


async def _commit(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    fault = rng.choice(("commit request", "commit answer"))
    await _through(fault, rng.randint(1, COMMITS), "new", fault, setting, pair, folder, story)


async def _close_in_copy(
    rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story
) -> None:
    await _through(
        "close in copy", rng.randint(1, 6 * COPY_BYTES), "old", "close in copy", setting, pair, folder, story
    )


async def _crash(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    """A server dies as with ``stop -m immediate`` and comes back."""
    side = rng.choice(("old", "new"))
    server = (pair.old if side == "old" else pair.new).server
    assert isinstance(server, CrashableServer)
    command = Command.start(["migrate", str(pair.config(folder)), *setting.options], folder)
    await _moment(rng, setting, command)
    passed = command.passed if command.running else None
    story.crashed |= side == "new"
    await asyncio.to_thread(server.crash)
    await asyncio.sleep(rng.uniform(0.0, 1.5))
    await asyncio.to_thread(server.come_back)
    await asyncio.to_thread(story.end, command, f"crash {side}", passed)


async def _race(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    """Two commands; the later one must be refused within five seconds of its own time, or find everything done."""
    arguments = ["migrate", str(pair.config(folder)), *setting.options]
    first = Command.start(arguments, folder)
    await _moment(rng, setting, first)
    passed = first.passed if first.running else None
    second = Command.start(arguments, folder)
    ends = [await asyncio.to_thread(c.wait) for c in (first, second)]
    story.done += ends
    refused = [e for e in ends if e.status == 3]
    odd = [e for e in ends if e.status not in (0, MOVED, 3) and not story.finds_emptied(e)]
    if len(refused) > 1 or odd:
        story.violations.append(f"I6: a race ended with {[str(e) for e in ends]}")
    if any(
        "holds the lock: host" not in e.stderr + e.stdout
        and "holds the lock: backend" not in e.stderr + e.stdout
        for e in refused
    ):
        story.violations.append(f"I6: the refusal names nobody: {refused}")
    if passed is not None:
        story.struck.append(("race", passed))


async def _stall(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    """Silence; nothing is closed."""
    await _spoiled("stall", "stall", rng, setting, pair, folder, story)


async def _term(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    """SIGTERM or Ctrl-C once: an orderly stop."""
    command = Command.start(["migrate", str(pair.config(folder)), *setting.options], folder)
    await _moment(rng, setting, command)
    passed = command.passed if command.running and command.passages else None
    if passed is not None:
        command.send(rng.choice((signal.SIGTERM, signal.SIGINT)))
    await asyncio.to_thread(story.end, command, "term", passed)


async def _overtaken(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    """SIGSTOP, a run that takes over, SIGCONT: the sleeper can do nothing any more."""
    arguments = ["migrate", str(pair.config(folder)), *setting.options]
    first = Command.start(arguments, folder)
    await _moment(rng, setting, first)
    passed = first.passed if first.running and first.passages else None
    if passed is not None:
        first.send(signal.SIGSTOP)
        second = Command.start([*arguments, "--take-over"], folder)
        await asyncio.to_thread(second.process.join, rng.uniform(0.3, 3.0) * setting.seconds)
        first.send(signal.SIGCONT)
        await asyncio.to_thread(story.end, second, "taking over", None)
    await asyncio.to_thread(story.end, first, "overtaken", passed)


async def _backend(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    """One backend of the run, whatever its part, is ended."""
    database = rng.choice((pair.old, pair.new))
    command = Command.start(["migrate", str(pair.config(folder)), *setting.options], folder)
    await _moment(rng, setting, command)
    found = await database.fetch(BACKENDS)
    passed = command.passed if command.running and found else None
    if found:
        await database.value("SELECT pg_terminate_backend($1)", rng.choice(found)[0])
    await asyncio.to_thread(story.end, command, "backend", passed)


async def _cancel(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    """Every statement of the run on NEW is cancelled, again and again for a while, as by somebody who wants it to go away."""
    command = Command.start(["migrate", str(pair.config(folder)), *setting.options], folder)
    await _moment(rng, setting, command)
    passed = command.passed if command.running else None
    until = time.monotonic() + rng.uniform(0.1, 3.0)
    while command.running and time.monotonic() < until:
        await pair.new.fetch(CANCEL)
    await asyncio.to_thread(story.end, command, "cancel", passed)


async def _lock(rng: random.Random, setting: Setting, pair: Pair, folder: Path, story: Story) -> None:
    """Somebody locks a table of NEW for longer or shorter than a run waits."""
    command = Command.start(["migrate", str(pair.config(folder)), *setting.options], folder)
    await _moment(rng, setting, command)
    passed = command.passed if command.running else None
    async with pair.new.connect() as other:
        await other.execute(
            f"BEGIN; LOCK TABLE {rng.choice(TABLES)} IN {rng.choice(('SHARE', 'ACCESS EXCLUSIVE'))} MODE"
        )
        until = time.monotonic() + rng.uniform(0.1, 7.0)
        await asyncio.to_thread(_until, lambda: not command.running or time.monotonic() >= until)
    await asyncio.to_thread(story.end, command, "lock", passed)


STRIKES = {
    "kill": _kill,
    "kill at": _kill_at,
    "reset": _reset,
    "commit": _commit,
    "close in copy": _close_in_copy,
    "crash": _crash,
    "race": _race,
    "stall": _stall,
    "term": _term,
    "overtaken": _overtaken,
    "backend": _backend,
    "cancel": _cancel,
    "lock": _lock,
}
