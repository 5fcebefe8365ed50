"""Corruptions that a verification has to name: ``python3 dev.py test --campaign verify --seed N --mutations M --clean C``.

Each pair of databases is migrated and verified, then corrupted in rounds of one to six strikes. Beside it, clean runs under other
versions, encodings, time zones and formats must end without an alarm.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from long.mutations.clean import clean_run
from long.mutations.rounds import Tally, corrupt
from long.mutations.scenes import SCENES
from support import MakePair, Servers

A_PAIR = 40
"""Strikes in one pair of databases before the next one is made."""


async def campaign(seed: int, mutations: int, clean: int) -> Tally:
    """Does all strikes and clean runs, and prints each violation as it is found."""
    tally = Tally()
    with Servers() as servers, tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        majors = sorted(servers.installed)
        number = 0
        while tally.strikes < mutations:
            rng = random.Random(f"{seed}.{number}")
            scene = SCENES[number % len(SCENES)]
            pair = (rng.choice(majors), rng.choice(majors))
            known = len(tally.violations)
            wanted = min(A_PAIR, mutations - tally.strikes)
            await corrupt(scene, MakePair(servers), folder, rng, tally, wanted=wanted, majors=pair)
            tell(f"{number}: {scene.name}, {pair[0]} → {pair[1]}: {tally.strikes} strikes", tally, known)
            number += 1
        for number in range(clean):
            known = len(tally.violations)
            told = await clean_run(random.Random(f"{seed}.clean.{number}"), servers, folder, tally)
            tell(f"clean {number}: {told}", tally, known)
    return tally


def tell(line: str, tally: Tally, known: int) -> None:
    """Prints a line, and the violations beyond the ``known`` first."""
    print(line, flush=True)
    for violation in tally.violations[known:]:
        print(f"  VIOLATION {violation}", flush=True)


def main() -> int:
    """Returns 1 when a strike was not named or a clean run alarmed."""
    parser = argparse.ArgumentParser(prog="dev.py test --campaign verify", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--clean", type=int, default=200)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    began = time.monotonic()
    tally = asyncio.run(campaign(given.seed, given.mutations, given.clean))
    print(
        f"{tally.strikes} strikes in {tally.rounds} rounds ({dict(tally.kinds)}), {tally.clean} clean verifications,"
        f" {len(tally.violations)} violations, {time.monotonic() - began:.0f} s"
    )
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
