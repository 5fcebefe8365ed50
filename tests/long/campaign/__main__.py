"""Hundreds of seeded disturbances: ``python3 dev.py test --campaign faults --seed N --runs M``.

Each run is a fresh pair of databases, one to six disturbances, commands until one is complete, and the oracle's judgement. It prints its seed
(``--seed N --only I`` repeats run I), what struck and the failpoint passed last. One run at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from long.campaign.strikes import KINDS, STRIKES, Setting, Story
from support import MakePair, Pair, Servers, crowded, portions
from support.crashing import CrashableServer
from support.forked import Command, preload
from support.oracle import MOVED, Held, catalog, judge, leaked, learn

OPTIONS = ("--live", "--jobs", "2", "--rebuild-indexes", "always", "--batch-size")
BATCH_SIZES = ("100", "100", "700")
"""Of a whole run: small batches have many borders, large ones can be divided."""
TRIES = 6
"""Commands after the last disturbance until one must be complete; a server that restarts can cost some."""
SCENE = crowded.OLD.replace("generate_series(1, 700)", "generate_series(1, 3000)").replace(
    "'value ' || n FROM generate_series(1, 500)", "'value ' || n FROM generate_series(1, 6000)"
)
TS411 = "were counted, and its snapshot is gone"
UNCOUNTED = ("--new-snapshot", "unfinished")
STRIKES_A_RUN = (1, 2, 3, 4, 5, 6)


async def one_run(seed: int, number: int, setting: Setting, folder: Path) -> Story:
    """A pair, its disturbances, commands until one is complete, judgement."""
    rng = random.Random(f"{seed}.{number}")
    story = Story(number)
    pair = await crowded.make(setting.make_pair, setting.majors, SCENE)
    setting = replace(setting, options=(*decided(folder), *OPTIONS, rng.choice(BATCH_SIZES)))
    for _ in range(rng.choice(STRIKES_A_RUN)):
        (kind,) = rng.choices(setting.kinds, [KINDS[kind] for kind in setting.kinds])
        await STRIKES[kind](rng, setting, pair, folder, story)
        await mend(pair, folder, story)
    for _ in range(TRIES):
        # What was not counted before a crash cannot be proven, and a person says to copy it again.
        again = UNCOUNTED if story.done and TS411 in str(story.done[-1]) else ()
        command = Command.start(["migrate", str(pair.config(folder)), *setting.options, *again], folder)
        await asyncio.to_thread(story.end, command, "nothing", None)
        if story.done and story.done[-1].status in (0, MOVED):
            break
        await mend(pair, folder, story)
    else:
        story.violations.append(f"never complete: {story.done[-1] if story.done else 'every command hung'}")
    story.violations += await judge(pair, setting.truth)
    story.violations += await leaked(
        pair, folder, story.done, (pair.old.server.password, pair.new.server.password)
    )
    await setting.make_pair.drop_all()
    return story


async def mend(pair: Pair, folder: Path, story: Story) -> None:
    """Does what the manual says where the UNLOGGED table was emptied: the run is rolled back, and the next command begins anew."""
    if story.emptied:
        command = Command.start(["rollback", str(pair.config(folder)), "--live"], folder)
        await asyncio.to_thread(story.end, command, "emptied", None)


def decided(folder: Path) -> tuple[str, str]:
    """Writes the decisions of the scene and returns the option that names them."""
    return "--resolutions", str(crowded.decide(folder))


async def undisturbed(make_pair: MakePair, majors: tuple[int, int], folder: Path) -> Setting:
    """Learns the truth, and how long it takes. The rows must be those that the rules say, computed without the program."""
    pair = await crowded.make(make_pair, majors, SCENE)
    before, rows = await catalog(pair.new), await crowded.held(pair.new)
    wanted, there, _ = crowded.ends(await crowded.held(pair.old), rows)
    options = (*decided(folder), *OPTIONS, BATCH_SIZES[0])
    arguments = ["migrate", str(pair.config(folder)), *options]
    await asyncio.to_thread(Command.start([a for a in arguments if a != "--live"], folder).wait)
    command = Command.start(arguments, folder)
    done = await asyncio.to_thread(command.wait)
    seconds = time.monotonic() - command.began
    assert done.status == MOVED, done
    truth = await learn(pair, before, Held({table: len(held) for table, held in rows.items()}, there))
    assert not (found := await judge(pair, truth)), found
    assert {t: crowded.counted(held) for t, held in (await crowded.held(pair.new)).items()} == wanted
    return Setting(make_pair, majors, truth, options, seconds, command.passages, tuple(KINDS))


async def campaign(
    seed: int, numbers: range, kinds: tuple[str, ...], table: Path | None, given: tuple[int, int] | None
) -> int:
    """All runs, on the majors that are given or the default ones; the number that were violations."""
    preload()
    failed: list[int] = []
    hits: Counter[tuple[str, str]] = Counter()
    with Servers() as servers, tempfile.TemporaryDirectory() as base:
        majors = given or servers.default_majors
        for major in set(majors):
            servers.adopt(CrashableServer(servers.installed[major], name=f"fault{major}").start())
        folder = Path(base)
        setting = replace(await undisturbed(MakePair(servers), majors, folder), kinds=kinds)
        print(
            f"PostgreSQL {majors[0]} → {majors[1]}, undisturbed: {setting.seconds:.1f} s, {sum(setting.passages.values())} failpoints passed",
            flush=True,
        )
        for number in numbers:
            work = folder / f"run{number}"
            work.mkdir()
            began = time.monotonic()
            story = await one_run(seed, number, setting, work)
            hits.update(story.struck)
            told = (
                "; ".join(f"{kind} after {passed}" for kind, passed in story.struck)
                or "nothing struck in time"
            )
            verdict = "VIOLATION" if story.violations else "ok"
            print(
                f"seed {seed} run {number}: {verdict}: {told} ({len(story.done)} commands, {time.monotonic() - began:.1f} s)",
                flush=True,
            )
            for violation in story.violations:
                print(f"    {violation}", flush=True)
            failed += [number] if story.violations else []
            shutil.rmtree(work)
            if table is not None:
                await asyncio.to_thread(
                    _write,
                    table,
                    {
                        "seed": seed,
                        "last run": number,
                        "failed": failed,
                        "hits": [[*k, n] for k, n in hits.items()],
                    },
                )
    print(phases(hits))
    print(
        f"{len(numbers)} runs, {sum(hits.values())} disturbances, {len(failed)} with violations {failed or ''}"
    )
    return len(failed)


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document))


def phases(hits: Counter[tuple[str, str]]) -> str:
    """What struck where, as a Markdown table."""
    kinds = sorted({kind for kind, _ in hits})
    lines = [f"| after | {' | '.join(kinds)} |", f"|---|{'---:|' * len(kinds)}"]
    for passed in sorted({p for _, p in hits}):
        lines.append(f"| {passed} | {' | '.join(str(hits[kind, passed] or '') for kind in kinds)} |")
    sums = [str(sum(n for (k, _), n in hits.items() if k == kind)) for kind in kinds]
    return "\n".join([*lines, f"| **sum** | {' | '.join(sums)} |"])


def main(arguments: list[str]) -> int:
    """The command line; 1 when anything was violated."""
    parser = argparse.ArgumentParser(prog="dev.py test --campaign faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument(
        "--portions", action="store_true", help="count tables beside the copy, in very small portions"
    )
    parser.add_argument("--only", type=int, help="repeat this run alone")
    parser.add_argument("--table", type=Path, help="write the hits here as JSON, after every run")
    parser.add_argument("--kinds", default=",".join(KINDS), help="draw these alone: %(default)s")
    parser.add_argument(
        "--majors",
        type=int,
        nargs=2,
        metavar=("OLD", "NEW"),
        help="PostgreSQL versions (17 18 where there are both)",
    )
    given = parser.parse_args(arguments)
    kinds = tuple(given.kinds.split(","))
    if unknown := set(kinds) - KINDS.keys():
        parser.error(f"no such kinds: {', '.join(sorted(unknown))}")
    if given.portions:
        os.environ[portions.VARIABLE] = "1"
    numbers = range(given.runs) if given.only is None else range(given.only, given.only + 1)
    return 1 if asyncio.run(campaign(given.seed, numbers, kinds, given.table, given.majors)) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
