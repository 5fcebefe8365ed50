"""Runs in this process, and the scripts that more than one topic of tests needs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support import Pair
from support.observe import Observe
from tranship import api
from tranship.config import load_config
from tranship.errors import Stopped
from tranship.model.options import MigrateOptions
from tranship.model.progress import Event
from tranship.model.verification import Verification, VerifyOptions

END_LOCKS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'tranship lock'"
)
"""Run in NEW: ends the connections that hold a run's lock."""

SLY = """
CREATE FUNCTION sly(n int) RETURNS boolean LANGUAGE sql AS $$SELECT current_setting('transaction_read_only') =
    'on' OR n % 37 <> 5$$;
CREATE TABLE item (id int PRIMARY KEY, next int, CONSTRAINT sly CHECK (sly(id)));
CREATE TABLE part (id int PRIMARY KEY, item int CONSTRAINT part_item REFERENCES item);
"""
"""NEW whose CHECK holds in a read-only transaction and fails for some rows in a writing one:
no probe can predict its rejects.
"""


async def migrate(
    pair: Pair,
    folder: Path,
    *,
    events: list[Event] | None = None,
    stop: asyncio.Event | None = None,
    **options: Any,
) -> Any:
    """A live run in this process; ``live=False``: a dry run."""
    ends = {side: options.pop(side, None) for side in ("old", "new")}
    config = load_config(pair.config(folder, **ends))
    wanted = MigrateOptions(
        live=options.pop("live", True),
        results_dir=str(folder),
        batch_size=options.pop("batch_size", 100),
        jobs=2,
        **options,
    )
    result, _ = await api.migrate(config, wanted, events.append if events is not None else None, stop)
    return result


async def interrupted(
    pair: Pair, folder: Path, observe: Observe, place: str, passage: int = 1, **options: Any
) -> None:
    """A live run in this process that ends at a passage of a failpoint, counted from 1."""
    observe.fail(place, passage=passage)
    with pytest.raises(Stopped):
        await migrate(pair, folder, **options)
    observe.stop()


async def verify(pair: Pair, folder: Path, **options: Any) -> Verification:
    """``tranship verify`` in this process."""
    ends = {side: options.pop(side, None) for side in ("old", "new")}
    config = load_config(pair.config(folder, **ends))
    return (await api.verify(config, VerifyOptions(results_dir=str(folder), **options))).result


async def owned_by_a_plain_role(pair: Pair) -> dict[str, object]:
    """NEW's objects belong to a role without any privilege beyond; its endpoint."""
    role = f"owner_{pair.new.name}"
    await pair.new.run(f"""
        CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE "{pair.new.name}" TO {role};
        GRANT ALL ON SCHEMA public TO {role};
        DO $$ DECLARE r record; BEGIN
          FOR r IN SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace
              AND relkind IN ('r', 'p') LOOP
            EXECUTE format('ALTER TABLE %I OWNER TO {role}', r.relname); END LOOP;
          FOR r IN SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace
              AND relkind = 'S'
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i')) LOOP
            EXECUTE format('ALTER SEQUENCE %I OWNER TO {role}', r.relname); END LOOP; END $$""")
    return {"username": role, "password": "secret"}
