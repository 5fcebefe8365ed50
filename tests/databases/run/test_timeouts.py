"""Time limits of role and database, for statements, transactions and idleness, end no session of a run."""

from __future__ import annotations

import asyncio
from pathlib import Path

from support import MakePair
from support.observe import Observe
from support.runs import migrate
from support.scene import NEW, OLD, accounted
from tranship.model.notes import Retrying
from tranship.model.progress import Event, Noted

LIMITS = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
)
WAITS = ("run.locked", "run.probed", "switches.off", "batch.copied", "keys.proven", "sequences.before")
"""Where every kind of session stands still longer than the limits, once."""


async def test_limits_of_both_databases(make_pair: MakePair, tmp_path: Path, observe: Observe) -> None:
    pair = await make_pair(OLD, NEW)
    for database in (pair.old, pair.new):
        for (name,) in await database.fetch(
            "SELECT name FROM pg_settings WHERE name = ANY ($1::text[])", list(LIMITS)
        ):
            await database.run(f'ALTER DATABASE "{database.name}" SET {name} = 400')
    left = list(WAITS)

    async def waiting(name: str) -> None:
        if name in left:
            left.remove(name)
            await asyncio.sleep(0.6)

    observe(waiting)
    events: list[Event] = []
    assert (await migrate(pair, tmp_path, events=events)).exit_status == 1
    assert left == []
    assert not [e for e in events if isinstance(e, Noted) and isinstance(e.what, Retrying)]
    for database in (pair.old, pair.new):
        ended = (
            "SELECT coalesce((to_jsonb(s)->>'sessions_fatal')::int, 0) FROM pg_stat_database s"
            " WHERE datname = current_database()"
        )
        assert await database.value(ended) == 0
    await accounted(pair)
