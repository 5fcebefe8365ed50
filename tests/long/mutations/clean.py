"""Clean runs: other versions, encodings, zones and formats of the servers, and no alarm."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

from long.mutations.rounds import Tally, alarmless, run
from long.mutations.scenes import SCENES
from support import MakePair, Servers
from tranship.sql.quote import literal

SETTINGS: Final = {
    "TimeZone": ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Europe/Berlin"),
    "DateStyle": ("ISO, MDY", "ISO, DMY", "SQL, DMY", "German, DMY", "Postgres, YMD"),
    "IntervalStyle": ("postgres", "iso_8601", "sql_standard", "postgres_verbose"),
    "extra_float_digits": ("0", "1", "3", "-5"),
    "bytea_output": ("hex", "escape"),
    "xmlbinary": ("base64", "hex"),
    "array_nulls": ("on", "off"),
    "default_transaction_isolation": ("read committed", "repeatable read", "serializable"),
    "synchronize_seqscans": ("on", "off"),
    "max_parallel_workers_per_gather": ("0", "2"),
}
"""Settings that a database may have, each of them drawn for OLD and for NEW."""


async def clean_run(rng: random.Random, servers: Servers, folder: Path, tally: Tally) -> str:
    """Moves one scene between databases with drawn settings and verifies it; returns what was drawn."""
    scene = rng.choice(SCENES)
    majors = sorted(servers.installed)
    pair_of = (rng.choice(majors), rng.choice(majors))
    make_pair = MakePair(servers)
    pair = await make_pair(scene.old, scene.new, majors=pair_of, encodings=scene.encodings)
    drawn = []
    for side, database in (("OLD", pair.old), ("NEW", pair.new)):
        for name, values in SETTINGS.items():
            if rng.random() < 0.5:
                value = rng.choice(values)
                await database.run(f'ALTER DATABASE "{database.name}" SET {name} = {literal(value)}')
                drawn.append(f"{side} {name}={value}")
    known = len(tally.violations)
    await run(scene, pair, folder, tally)
    await alarmless(scene, pair, folder, tally)
    told = f"{scene.name}, {pair_of[0]} → {pair_of[1]}, {', '.join(drawn)}"
    tally.violations[known:] = [f"{told}: {one}" for one in tally.violations[known:]]
    await make_pair.drop_all()
    return told
